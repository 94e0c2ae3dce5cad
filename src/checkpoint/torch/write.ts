// Files that torch.load reads, with weights_only too: state dicts of models and optimisers, and plain data beside them.
import { isMap } from 'node:util/types';

import * as check from '../../check/index.js';
import type { DType } from '../../memory/dtype.js';
import { revived, StateDict } from '../../tensor/state-dict.js';
import type { Tensor } from '../../tensor/tensor.js';
import { placeOf, replace } from '../file.js';
import {
  called,
  named,
  orderedDict,
  persistent,
  pickled,
  tupled,
  type Opcodes,
  type Plain,
} from '../pickle/write.js';
import { CHUNK_BYTES } from '../source.js';
import { isWellFormed, quoted } from '../sentences.js';
import { zipOf, type ZipEntry } from './zip-write.js';

export interface SaveTorchOptions {
  /** Stops the writing: the file that was there is there still, and the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const STORAGES: Readonly<Record<DType, string>> = {
  float32: 'FloatStorage',
  float64: 'DoubleStorage',
  int32: 'IntStorage',
  int64: 'LongStorage',
};

/**
 * Writes what `torch.load(path)` reads, also with `weights_only=True`, its default: a model's state dict, an optimiser's,
 * or an object of such and of plain data. Whole numbers become ints, other numbers floats, arrays lists, Maps and objects
 * dicts; a Map of tensors an OrderedDict with PyTorch's `_metadata`; the indices of an optimiser's `state` are ints.
 * Tensors over the same memory are so in the file.
 *
 * The bytes are made at once, before this returns its promise: what changes later is not in the file.
 *
 * @throws {TypeError | RangeError} for a value that has no place in such a file; nothing is touched.
 * @throws {Error} when the file cannot be written: what was there is there still.
 * @example
 * ```ts
 * const model = new nn.Linear(2, 1);
 * const optimizer = new optim.Adam(model.parameters());
 * await checkpoint.saveTorch('run.pt', { epoch: 3, model: model.stateDict(), optimizer: optimizer.stateDict() });
 * (await checkpoint.loadTorch('run.pt', { key: 'model' })).get('weight').shape; // => [1, 2]
 * ```
 */
export async function saveTorch(
  path: string | URL,
  value: object,
  options: SaveTorchOptions = {},
): Promise<void> {
  const place = placeOf('saveTorch', path);
  check.options('saveTorch', options, ['signal']);
  const signal = check.signal('saveTorch', options.signal);
  check.notAborted(signal);
  await replace(place, pieces(encode(place.who, value), signal));
}

/**
 * The bytes that `saveTorch` would write.
 *
 * @throws {TypeError | RangeError} for a value that has no place in such a file.
 * @example
 * ```ts
 * const bytes = checkpoint.encodeTorch(new nn.BatchNorm1d(2).stateDict());
 * (await checkpoint.loadTorch(bytes)).get('running_var').toArray(); // => [1, 1]
 * ```
 */
export function encodeTorch(value: object): Uint8Array {
  return encode('encodeTorch', value);
}

function* pieces(bytes: Uint8Array, signal: AbortSignal | null): Generator<readonly Uint8Array[]> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    check.notAborted(signal);
    yield [bytes.subarray(at, at + CHUNK_BYTES)];
  }
}

function encode(who: string, value: unknown): Uint8Array {
  const writer = new Writer(who);
  const pickle = pickled(who, writer.plain('the value', value, []));
  const text = (content: string): Uint8Array => Buffer.from(content, 'latin1');
  return zipOf(who, [
    { name: 'archive/data.pkl', bytes: pickle },
    { name: 'archive/byteorder', bytes: text('little') },
    ...writer.storages,
    { name: 'archive/version', bytes: text('3\n') },
  ]);
}

class Writer {
  readonly storages: ZipEntry[] = [];
  /** The place of each memory among them. */
  private readonly places = new Map<unknown, number>();

  constructor(private readonly who: string) {}

  plain(where: string, value: unknown, above: readonly unknown[]): Plain {
    const { who } = this;
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'number' || typeof value === 'bigint') return value;
    if (typeof value === 'string') return this.text(where, value);
    const tensor = revived(value);
    if (tensor !== null) return this.tensor(where, tensor);
    if (typeof value !== 'object') {
      throw check.wrongKind(who, `${where} to be a tensor or plain data`, value);
    }
    if (above.includes(value)) {
      throw check.wrongValue(who, `${where} not to be inside of itself`, 'a cycle');
    }
    const within = [...above, value];
    if (Array.isArray(value)) {
      return value.map((each: unknown, i) => this.plain(`${where}[${i}]`, each, within));
    }
    if (isMap(value)) return this.map(where, value, within);
    if (!check.isPlainObject(value)) {
      throw check.wrongKind(who, `${where} to be a tensor or plain data`, value);
    }
    const { param_groups: groups } = value as { param_groups?: unknown };
    const entries = new Map<string, Plain>();
    for (const [name, each] of Object.entries(value as Record<string, unknown>)) {
      const at = `${where}.${name}`;
      const isByIndex = name === 'state' && Array.isArray(groups) && check.isPlainObject(each);
      const plain = isByIndex ? this.byIndex(at, each, within) : this.plain(at, each, within);
      entries.set(this.text(`a key of ${where}`, name), plain);
    }
    return entries;
  }

  /** An optimiser's `state`: PyTorch's keys are ints. */
  private byIndex(
    where: string,
    value: object,
    above: readonly unknown[],
  ): ReadonlyMap<number | string, Plain> {
    const within = [...above, value];
    return new Map(
      Object.entries(value).map(([key, each]) => [
        /^(?:0|[1-9]\d{0,14})$/.test(key) ? Number(key) : this.text(`a key of ${where}`, key),
        this.plain(`${where}[${key}]`, each, within),
      ]),
    );
  }

  private map(
    where: string,
    value: ReadonlyMap<unknown, unknown>,
    within: readonly unknown[],
  ): Plain {
    const entries = new Map<number | string, Plain>();
    for (const [key, each] of value) {
      if (typeof key !== 'string' && !Number.isSafeInteger(key)) {
        throw check.wrongKind(this.who, `a text or a whole number as a key of ${where}`, key);
      }
      const name = typeof key === 'string' ? this.text(`a key of ${where}`, key) : (key as number);
      entries.set(name, this.plain(`${where}.${String(name)}`, each, within));
    }
    const areTensors =
      value.size > 0 && [...value.values()].every((each) => revived(each) !== null);
    if (!(value instanceof StateDict) && !areTensors) return entries;
    return orderedDict(
      this.who,
      entries,
      value instanceof StateDict ? this.metadata(value) : undefined,
    );
  }

  /** `_metadata`: the version of each module. */
  private metadata({ modules }: StateDict): ReadonlyMap<string, Plain> {
    const versions = new Map(
      [...modules].map(([path, { version }]) => [path, new Map([['version', version]])] as const),
    );
    return new Map([['_metadata', orderedDict(this.who, versions)]]);
  }

  private text(where: string, value: string): string {
    if (isWellFormed(value)) return value;
    throw check.wrongValue(this.who, `${where} in well-formed Unicode`, quoted(value));
  }

  /** `torch._utils._rebuild_tensor_v2(storage, 0, sizes, strides, requires_grad, hooks)`. */
  private tensor(where: string, tensor: Tensor): Opcodes {
    const { who } = this;
    const { shape, dtype } = tensor;
    const { buffer, byteOffset, byteLength } = tensor.attached(who, where);
    let place = this.places.get(tensor.identity);
    if (place === undefined) {
      place = this.storages.length;
      this.places.set(tensor.identity, place);
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      this.storages.push({ name: `archive/data/${place}`, bytes });
    }
    const type = named('torch', STORAGES[dtype]);
    const id = tupled(who, ['storage', type, String(place), 'cpu', tensor.numel]);
    const strides = shape.map((_, axis) => check.numelOf(shape, axis + 1));
    const args = [persistent(id), 0, tupled(who, shape), tupled(who, strides), false];
    const hooks = orderedDict(who, new Map());
    return called(who, named('torch._utils', '_rebuild_tensor_v2'), [...args, hooks]);
  }
}
