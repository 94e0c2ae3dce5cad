// onnxruntime-node: a BatchNormalization node in training mode, and in evaluation.
import type { Contender, Peer } from '../contender.js';
import type { Job } from '../data.js';
import { clock } from '../measure.js';
import { batchNormModel } from './onnx-model.js';
import { loadPackage } from './packages.js';

/** Its workers spin before they sleep. */
const SETTLE_MS = 5;

interface OrtTensor {
  readonly data: Float32Array;
}

interface Session {
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Readonly<Record<string, OrtTensor>>>;
  release(): Promise<void>;
}

interface Ort {
  readonly InferenceSession: { create(model: Uint8Array): Promise<Session> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OrtTensor;
}

export async function openOnnxRuntime(): Promise<Peer> {
  const { exports, version } = loadPackage('onnxruntime-node');
  const { InferenceSession, Tensor } = exports as Ort;
  const train = await InferenceSession.create(batchNormModel(true));
  const evaluate = await InferenceSession.create(batchNormModel(false));
  return {
    name: 'onnxruntime-node',
    version,
    contenders: (job) => {
      const { mode, dtype, layout } = job.case;
      const isForward = mode === 'forward' || mode === 'evaluate';
      if (!isForward || dtype !== 'float32' || layout === 'NLC') return Promise.resolve([]);
      const session = mode === 'forward' ? train : evaluate;
      return Promise.resolve([contender(session, feedsOf(Tensor, job))]);
    },
    release: () => Promise.resolve(),
    close: async () => {
      await train.release();
      await evaluate.release();
    },
  };
}

type Feeds = Readonly<Record<string, OrtTensor>>;

function feedsOf(Tensor: Ort['Tensor'], job: Job): Feeds {
  const vector = (data: Float32Array): OrtTensor => new Tensor('float32', data, [data.length]);
  const channels = job.runningMean.length;
  return {
    x: new Tensor('float32', job.x as Float32Array, job.case.shape),
    weight: vector(new Float32Array(channels).fill(1)),
    bias: vector(new Float32Array(channels)),
    runningMean: vector(job.runningMean as Float32Array),
    runningVar: vector(job.runningVar as Float32Array),
  };
}

function contender(session: Session, feeds: Feeds): Contender {
  const who = 'onnxruntime-node';
  return {
    who,
    how: 'all threads',
    name: who,
    settle: SETTLE_MS,
    turn: async (calls) => {
      await session.run(feeds);
      const start = clock();
      for (let i = 0; i < calls; i++) await session.run(feeds);
      return (clock() - start) / calls;
    },
    output: async () => (await session.run(feeds))['y']!.data,
  };
}
