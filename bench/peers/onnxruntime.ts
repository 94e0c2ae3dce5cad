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

  const contenders = (job: Job): Contender[] => {
    const { mode, shape, dtype, layout } = job.case;
    if ((mode !== 'forward' && mode !== 'evaluate') || dtype !== 'float32' || layout === 'NLC') {
      return [];
    }
    const session = mode === 'forward' ? train : evaluate;
    const vector = (data: Float32Array): OrtTensor => new Tensor('float32', data, [data.length]);
    const channels = job.runningMean.length;
    const feeds = {
      x: new Tensor('float32', job.x as Float32Array, shape),
      weight: vector(new Float32Array(channels).fill(1)),
      bias: vector(new Float32Array(channels)),
      runningMean: vector(job.runningMean as Float32Array),
      runningVar: vector(job.runningVar as Float32Array),
    };
    const turn = async (calls: number): Promise<number> => {
      if (calls > 1) await session.run(feeds);
      const start = clock();
      for (let i = 0; i < calls; i++) await session.run(feeds);
      return (clock() - start) / calls;
    };
    const output = async (): Promise<Float32Array> => (await session.run(feeds))['y']!.data;
    const who = 'onnxruntime-node';
    return [{ who, how: 'all threads', name: who, settle: SETTLE_MS, turn, output }];
  };
  return {
    name: 'onnxruntime-node',
    version,
    contenders: (job) => Promise.resolve(contenders(job)),
    release: () => Promise.resolve(),
    close: async () => {
      await train.release();
      await evaluate.release();
    },
  };
}
