// What a module file gives the doctor: a model, data, options. It is the user's own code, and runs with their rights.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { DiagnoseOptions } from '../../doctor/index.js';
import type { Module } from '../../nn/index.js';
import type { Tensor } from '../../tensor/tensor.js';

type Loader = Iterable<unknown> | AsyncIterable<unknown>;

export interface GivenModule {
  readonly model: Module;
  readonly loader: Loader | undefined;
  readonly options: DiagnoseOptions<unknown>;
}

export function isModuleFile(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path);
}

export async function runModule(path: string): Promise<GivenModule> {
  const given = await exportsOf(path);
  const model = await made(given['model']);
  if (model === undefined) {
    const names = Object.keys(given).join(', ');
    throw new TypeError(
      `expected ${path} to export 'model', got ${names === '' ? 'no exports' : names}.`,
    );
  }
  return {
    model: model as Module,
    loader: (await made(given['loader'])) as Loader | undefined,
    options: (await made(given['options'])) ?? {},
  };
}

/** Batches out of a module, or out of a file with tensors. */
export async function loaderOf(path: string): Promise<Loader> {
  if (!isModuleFile(path)) return loaderOfTensors(path);
  const given = await exportsOf(path);
  const loader = await made(given['loader']);
  if (loader === undefined) {
    throw new TypeError(
      `expected ${path} to export 'loader', got ${Object.keys(given).join(', ')}.`,
    );
  }
  return loader as Loader;
}

const BATCH = 64;

async function loaderOfTensors(path: string): Promise<Loader> {
  const { loadSafetensors, loadTorch } = await import('../../checkpoint/index.js');
  const { DataLoader, TensorDataset } = await import('../../data/index.js');
  const load = /\.safetensors$/.test(path) ? loadSafetensors : loadTorch;
  const tensors = await load(path);
  const [x, labels] = ['x', 'labels'].map((name) => tensors.get(name));
  if (x === undefined) {
    const names = [...tensors.keys()].slice(0, 8).join(', ');
    throw new RangeError(`expected tensors named x and labels in ${path}, got ${names}.`);
  }
  const columns: Tensor[] = labels === undefined ? [x] : [x, labels];
  return new DataLoader(new TensorDataset(...columns), {
    batchSize: Math.min(BATCH, x.shape[0] ?? 1),
  });
}

/** The exports by name; of a CommonJS module those of `module.exports`, and of `export default` an object's. */
async function exportsOf(path: string): Promise<Record<string, unknown>> {
  const all = (await importModule(pathToFileURL(resolve(path)).href)) as Record<string, unknown>;
  const { default: other, ...named } = all;
  const isObject = typeof other === 'object' && other !== null;
  return { ...(isObject ? (other as Record<string, unknown>) : {}), ...named };
}

/** A value, or what a function of no arguments makes; both may come later. */
async function made(value: unknown): Promise<unknown> {
  return await (typeof value === 'function' ? (value as () => unknown)() : value);
}

/** TypeScript makes `require` of `import()` in CommonJS, and `require` does not take every module. */
// eslint-disable-next-line @typescript-eslint/no-implied-eval
const importModule = new Function('url', 'return import(url)') as (url: string) => Promise<unknown>;
