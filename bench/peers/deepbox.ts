// deepbox: BatchNorm1d in plain JavaScript, the other PyTorch-like library that Node has.
import type { Contender, Peer } from '../contender.js';
import type { Job } from '../data.js';
import { turnsOf } from '../measure.js';
import { loadPackage } from './packages.js';

/** Beyond this a call takes seconds. */
const MAX_NUMEL = 2 ** 20;

interface DeepTensor {
  readonly data: Float32Array;
}

interface DeepNorm {
  forward(x: DeepTensor): DeepTensor;
  eval(): unknown;
  loadStateDict(state: unknown): void;
  stateDict(): { buffers: Record<string, { data: Float32Array }> };
}

interface Deepbox {
  readonly nn: { readonly BatchNorm1d: new (channels: number) => DeepNorm };
  readonly ndarray: {
    tensor(data: Float32Array): { reshape(shape: readonly number[]): DeepTensor };
    noGrad<Result>(run: () => Result): Result;
  };
}

export function openDeepbox(): Promise<Peer> {
  const { exports, version } = loadPackage('deepbox');
  const { nn, ndarray } = exports as Deepbox;
  const contenders = (job: Job): Contender[] => {
    const { mode, shape, dtype, layout } = job.case;
    const fits = job.x.length <= MAX_NUMEL && dtype === 'float32' && layout === 'NCL';
    if ((mode !== 'forward' && mode !== 'evaluate') || !fits) return [];
    const layer = new nn.BatchNorm1d(job.runningMean.length);
    if (mode === 'evaluate') setRunning(layer, job);
    const x = ndarray.tensor(job.x as Float32Array).reshape(shape);
    const call = (): DeepTensor => ndarray.noGrad(() => layer.forward(x));
    const output = (): Float32Array => call().data;
    return [{ who: 'deepbox', how: '', name: 'deepbox', turn: turnsOf(() => void call()), output }];
  };
  return Promise.resolve({
    name: 'deepbox',
    version,
    contenders: (job) => Promise.resolve(contenders(job)),
    release: () => Promise.resolve(),
    close: () => Promise.resolve(),
  });
}

function setRunning(layer: DeepNorm, { runningMean, runningVar }: Job): void {
  const state = layer.stateDict();
  state.buffers['running_mean']!.data = runningMean as Float32Array;
  state.buffers['running_var']!.data = runningVar as Float32Array;
  layer.loadStateDict(state);
  layer.eval();
}
