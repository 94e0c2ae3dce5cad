// The names that PyTorch's own checkpoints call, and what each means here. The list is closed: a name that
// is not on it stops the reading, so nothing is ever executed.
import * as check from '../check.js';
import { STORAGES, TORCH_DTYPES, type Element } from './elements.js';
import {
  Callable,
  Dict,
  Inert,
  kindOf,
  List,
  PyObject,
  Tuple,
  type Value,
} from './pickle-values.js';
import { quoted } from './words.js';

/** A class of storages: torch.FloatStorage. `element` is missing where there is none here. */
export class StorageType extends PyObject {
  override readonly kind = 'a type of storage';
  constructor(
    readonly name: string,
    readonly bytes: number,
    readonly element: Element | undefined,
  ) {
    super();
  }
}

/** Memory of the checkpoint's that tensors share. */
export class Storage extends PyObject {
  override readonly kind = 'a storage';
  /** Set once the file has told: the legacy format does so at its end. */
  bytes: Uint8Array = new Uint8Array(0);
  constructor(
    readonly type: StorageType,
    readonly numel: number,
  ) {
    super();
  }
}

/** Some elements of a storage: all of them, but in files of PyTorch before 0.4. */
export class StorageView extends PyObject {
  override readonly kind = 'a storage';
  constructor(
    readonly storage: Storage,
    readonly start: number,
    readonly numel: number,
  ) {
    super();
  }
}

class TorchDType extends PyObject {
  override readonly kind = 'a torch.dtype';
  constructor(readonly element: Element) {
    super();
  }
}

/** A tensor as the pickle tells it: still without memory, and nothing of it checked but its kind. */
export class TensorRecord extends PyObject {
  override readonly kind = 'a tensor';
  constructor(
    readonly view: StorageView,
    readonly element: Element | undefined,
    readonly offset: number,
    readonly size: readonly number[],
    readonly stride: readonly number[],
  ) {
    super();
  }
}

/** Storages of what there is no element type for here, and the bytes of an element. */
const FOREIGN_STORAGES: Readonly<Record<string, number>> = {
  ComplexDoubleStorage: 16,
  ComplexFloatStorage: 8,
  QInt32Storage: 4,
  QInt8Storage: 1,
  QUInt2x4Storage: 1,
  QUInt4x2Storage: 1,
  QUInt8Storage: 1,
};

const inert = (kind: string): Callable => new Callable(() => new Inert(kind));

const GLOBALS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['collections.OrderedDict', new Callable(orderedDict)],
  ['collections.Counter', inert('a Counter')],
  ['_codecs.encode', inert('bytes')],
  ...['__builtin__', 'builtins'].flatMap((module): [string, Value][] => [
    [`${module}.bytearray`, inert('a bytearray')],
    [`${module}.bytes`, inert('bytes')],
    [`${module}.complex`, inert('a complex')],
    [`${module}.frozenset`, inert('a frozenset')],
    [`${module}.set`, inert('a set')],
  ]),
  ['torch.Size', new Callable((who, [sizes]) => sizeOf(who, sizes))],
  ['torch.device', inert('a torch.device')],
  ['torch._utils._rebuild_tensor', new Callable(rebuild)],
  ['torch._utils._rebuild_tensor_v2', new Callable(rebuildV2)],
  ['torch._utils._rebuild_tensor_v3', new Callable(rebuildV3)],
  ['torch._utils._rebuild_parameter', new Callable(rebuildParameter)],
  ['torch._utils._rebuild_parameter_with_state', new Callable(rebuildParameter)],
  ...[...TORCH_DTYPES].map(([name, element]): [string, Value] => [
    `torch.${name}`,
    new TorchDType(element),
  ]),
  ...['torch', 'torch.cuda', 'torch.storage'].flatMap((module): [string, Value][] => [
    ...[...STORAGES].map(([name, element]): [string, Value] => [
      `${module}.${name}`,
      new StorageType(name, element.bytes, element),
    ]),
    ...Object.entries(FOREIGN_STORAGES).map(([name, bytes]): [string, Value] => [
      `${module}.${name}`,
      new StorageType(name, bytes, undefined),
    ]),
  ]),
]);

export function torchGlobal(who: string, module: string, name: string): Value {
  const value = GLOBALS.get(`${module}.${name}`);
  if (value !== undefined) return value;
  throw check.wrongValue(
    who,
    'tensors and plain data only',
    `the global ${quoted(`${module}.${name}`)} (nothing of a file is executed; save it again with ` +
      'torch.save(model.state_dict(), path))',
  );
}

/** `OrderedDict()`, or Python 2's `OrderedDict([[key, value], …])`. */
function orderedDict(who: string, args: readonly Value[]): Value {
  const dict = new Dict(true);
  const [pairs] = args;
  if (pairs === undefined) return dict;
  for (const pair of itemsOf(who, 'the items of an OrderedDict', pairs)) {
    const [key, value, ...more] = itemsOf(who, 'an item of an OrderedDict', pair);
    if (key === undefined || value === undefined || more.length > 0) {
      throw check.wrongValue(who, 'pairs as the items of an OrderedDict', kindOf(pair));
    }
    dict.entries.set(key, value);
  }
  return dict;
}

function itemsOf(who: string, what: string, value: Value): readonly Value[] {
  if (value instanceof List || value instanceof Tuple) return value.items;
  throw check.wrongValue(who, `${what} as a list or tuple`, kindOf(value));
}

function sizeOf(who: string, value: Value | undefined): Tuple {
  if (value instanceof Tuple) return value;
  throw check.wrongValue(who, 'a torch.Size of a tuple', kindOf(value));
}

/** A whole number of at least 0. */
export function wholeOf(who: string, what: string, value: Value | undefined): number {
  if (typeof value === 'number' && value >= 0) return value;
  const got = typeof value === 'number' || typeof value === 'bigint' ? `${value}` : kindOf(value);
  throw check.wrongValue(who, `${what} as a whole number from 0 to 2^53 - 1`, got);
}

function record(
  who: string,
  args: readonly Value[],
  elementFor: (view: StorageView) => Element | undefined,
): TensorRecord {
  const [view, offset, size, stride] = args;
  if (!(view instanceof StorageView)) {
    throw check.wrongValue(who, 'a tensor over a storage', kindOf(view));
  }
  const numbers = (what: string, value: Value | undefined): number[] =>
    sizeOf(who, value).items.map((each) => wholeOf(who, what, each));
  return new TensorRecord(
    view,
    elementFor(view),
    wholeOf(who, "a tensor's offset", offset),
    numbers("a tensor's sizes", size),
    numbers("a tensor's strides", stride),
  );
}

/** storage, offset, size, stride: before PyTorch 0.4. */
function rebuild(who: string, args: readonly Value[]): Value {
  return record(who, args, ({ storage }) => storage.type.element);
}

/** The same, requires_grad, backward_hooks, metadata. */
function rebuildV2(who: string, args: readonly Value[]): Value {
  plain(who, args[6]);
  return rebuild(who, args);
}

/** The same with a dtype before the metadata, over an untyped storage: uint16, uint32, uint64. */
function rebuildV3(who: string, args: readonly Value[]): Value {
  const dtype = args[6];
  if (!(dtype instanceof TorchDType)) throw check.wrongValue(who, 'a torch.dtype', kindOf(dtype));
  plain(who, args[7]);
  return record(who, args, () => dtype.element);
}

/** The metadata of a tensor say that its elements are to be negated or conjugated. */
function plain(who: string, metadata: Value | undefined): void {
  if (metadata === undefined || metadata === null) return;
  const isEmpty = metadata instanceof Dict && metadata.entries.size === 0;
  if (!isEmpty) {
    throw check.wrongValue(
      who,
      'tensors whose elements are as stored',
      'a negated or conjugated one',
    );
  }
}

/** data, requires_grad, backward_hooks (and attributes of the user's): the data. */
function rebuildParameter(who: string, args: readonly Value[]): Value {
  const [data] = args;
  if (data instanceof TensorRecord) return data;
  throw check.wrongValue(who, 'a parameter over a tensor', kindOf(data));
}
