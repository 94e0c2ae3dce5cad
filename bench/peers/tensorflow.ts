// TensorFlow.js on its wasm and cpu backends: what is in reach of Node without a native addon. Its
// batchNorm takes channels last, so [N, C, L] is transposed there and back, as its user would have to. Convolutions
// are given it channels last from the first: tensorflow-conv1d.ts.
import type { Contender, Peer } from '../contender.js';
import type { Job } from '../data.js';
import { turnsOf } from '../measure.js';
import { loadPackage, mainFolder } from './packages.js';
import { conv1d, type TfConvolution, type TfTensor } from './tensorflow-conv1d.js';

/** Beyond these a call takes seconds (cpu: 60 ns an element), or the wasm heap is full. */
const MAX_NUMEL = { wasm: 2 ** 23, cpu: 2 ** 20 };

interface Tf extends TfConvolution {
  setBackend(name: string): Promise<boolean>;
  moments(x: TfTensor, axes: readonly number[]): { mean: TfTensor; variance: TfTensor };
  batchNorm(
    x: TfTensor,
    mean: TfTensor,
    variance: TfTensor,
    offset: null,
    scale: null,
    eps: number,
  ): TfTensor;
  mul(x: TfTensor, factor: number): TfTensor;
  add(x: TfTensor, other: TfTensor): TfTensor;
  env(): { set(flag: string, value: boolean): void };
  tidy(run: () => TfTensor): TfTensor;
}

interface Wasm {
  setWasmPaths(folder: string): void;
}

export function openTensorFlow(): Promise<Peer> {
  const core = loadPackage('@tensorflow/tfjs-core');
  loadPackage('@tensorflow/tfjs-backend-cpu');
  const wasm = loadPackage('@tensorflow/tfjs-backend-wasm');
  (wasm.exports as Wasm).setWasmPaths(`${mainFolder(wasm)}/`);
  const tf = core.exports as Tf;
  tf.env().set('IS_TEST', true); // or it greets on the console with its first tensor
  let held: TfTensor[] = [];
  const release = (): Promise<void> => {
    for (const each of held) each.dispose();
    held = [];
    return Promise.resolve();
  };
  const contenders = async (job: Job): Promise<Contender[]> => {
    const { mode, dtype, layout, group } = job.case;
    if (group === 'conv1d') {
      await tf.setBackend('wasm');
      const { call, shown, tensors } = conv1d(tf, job);
      held.push(...tensors);
      return [contender(tf, 'wasm', call, shown)];
    }
    if ((mode !== 'forward' && mode !== 'evaluate') || dtype !== 'float32' || layout === 'NLC') {
      return [];
    }
    const made: Contender[] = [];
    for (const backend of ['wasm', 'cpu'] as const) {
      if (job.x.length > MAX_NUMEL[backend]) continue;
      await tf.setBackend(backend);
      const { call, tensors } = batchNorm(tf, job);
      held.push(...tensors);
      made.push(contender(tf, backend, call));
    }
    return made;
  };
  const { version } = core;
  return Promise.resolve({
    name: 'TensorFlow.js',
    version,
    contenders,
    release,
    close: release,
  });
}

/** `shown`: the call's output in the layout of the case, where it has another. */
function contender(tf: Tf, backend: string, call: () => TfTensor, shown = call): Contender {
  const turn = turnsOf(() => call().dispose());
  return {
    who: 'TensorFlow.js',
    how: backend,
    name: `TensorFlow.js, ${backend}`,
    turn: async (calls) => {
      await tf.setBackend(backend);
      return turn(calls);
    },
    output: async () => {
      await tf.setBackend(backend);
      const y = shown();
      const values = y.dataSync().slice();
      y.dispose();
      return values;
    },
  };
}

/** Running statistics are moved by a multiply and an add each, as its layers do. */
function batchNorm(tf: Tf, job: Job): { call: () => TfTensor; tensors: TfTensor[] } {
  const { mode, shape } = job.case;
  const x = tf.tensor(job.x as Float32Array, shape);
  const vector = (data: Float32Array): TfTensor => tf.tensor(data, [data.length]);
  const runningMean = vector(job.runningMean as Float32Array);
  const runningVar = vector(job.runningVar as Float32Array);
  const turned = shape.length === 3;
  const axes = turned ? [0, 1] : [0];
  const normalize = (input: TfTensor): TfTensor => {
    if (mode === 'evaluate') return tf.batchNorm(input, runningMean, runningVar, null, null, 1e-5);
    const { mean, variance } = tf.moments(input, axes);
    tf.add(tf.mul(runningMean, 0.9), tf.mul(mean, 0.1));
    tf.add(tf.mul(runningVar, 0.9), tf.mul(variance, 0.1));
    return tf.batchNorm(input, mean, variance, null, null, 1e-5);
  };
  const call = (): TfTensor =>
    tf.tidy(() =>
      turned ? tf.transpose(normalize(tf.transpose(x, [0, 2, 1])), [0, 2, 1]) : normalize(x),
    );
  return { call, tensors: [x, runningMean, runningVar] };
}
