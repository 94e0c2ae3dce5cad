// Examining leaves no trace: everything that a forward may change is kept before and put back after, also when the
// model throws.
import { noGrad } from '../autograd/index.js';
import { BatchNorm } from '../nn/batchnorm/layer.js';
import { INSIDE, NORMALIZES_BY_RUNNING, OBSERVERS, SINK, UPDATES } from '../nn/module/internals.js';
import type { Module } from '../nn/module/module.js';
import { randomState, restoreRandomState } from '../tensor/random.js';
import type { TensorData } from '../tensor/tensor.js';

/** Runs `body`, unrecorded, and puts the model and the random stream back to where they were. */
export function leavingNoTrace<Result>(model: Module, body: () => Result): Result {
  const random = randomState();
  const restore = [...model.modules()].map(keepModule);
  try {
    return noGrad(body);
  } finally {
    for (const each of restore) each();
    restoreRandomState(random);
  }
}

/** The function that is returned puts the module back. */
function keepModule(module: Module): () => void {
  const { training } = module;
  const buffers = [...module[INSIDE].buffers].map(([name, buffer]) => {
    const data = buffer.tensor?.attached('diagnose', name) ?? null;
    return { name, buffer, data, copy: data?.slice() ?? null };
  });
  const layer = module instanceof BatchNorm ? keepLayer(module) : null;
  return () => {
    layer?.();
    if (module.training !== training) module.training = training;
    for (const { name, buffer, data, copy } of buffers) {
      if (module[INSIDE].buffers.get(name) !== buffer) module[INSIDE].buffers.set(name, buffer);
      if (data === null || copy === null || sameBits(data, copy)) continue;
      data.set(copy as never);
      buffer.tensor?.markChanged();
    }
  };
}

function keepLayer(layer: BatchNorm): () => void {
  const { singleValue, nonFinite, skippedBatches, [SINK]: sink, [OBSERVERS]: observers } = layer;
  return () => {
    // What a pass has laid over the class's own methods.
    Reflect.deleteProperty(layer, NORMALIZES_BY_RUNNING);
    Reflect.deleteProperty(layer, UPDATES);
    layer[SINK] = sink;
    layer[OBSERVERS] = observers;
    Object.assign(layer, { singleValue, nonFinite, skippedBatches });
  };
}

function sameBits(a: TensorData, b: TensorData): boolean {
  const bytes = (data: TensorData): Uint8Array =>
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.compare(bytes(a), bytes(b)) === 0;
}
