// The names that PyTorch's own checkpoints call, and what each means here. The list is closed: of a name that
// is not on it only the name is kept, so nothing is ever executed.
// Longer than 250 lines because the list of names is closed, and what each name builds stands beside it.
import * as check from '../../check/index.js';
import { COST } from '../budget.js';
import { STORAGES, TORCH_DTYPES, type Element } from '../elements.js';
import {
  Callable,
  Dict,
  Foreign,
  ForeignObject,
  OpaqueValue,
  kindOf,
  List,
  PyObject,
  Tuple,
  type Caller,
  type Value,
} from '../pickle/values.js';
import type { Extent } from '../source.js';

/** A class of storages: torch.FloatStorage. `element` is missing where there is none here. */
export class StorageType extends PyObject {
  constructor(
    readonly name: string,
    readonly bytes: number,
    readonly element: Element | undefined,
  ) {
    super();
  }

  override get kind(): string {
    return 'a type of storage';
  }
}

/** Memory of the checkpoint's that tensors share. */
export class Storage extends PyObject {
  /** Where its bytes are, once the file has told: the legacy format does so at its end. */
  extent: Extent = { position: 0, length: 0 };
  constructor(
    readonly type: StorageType,
    readonly numel: number,
  ) {
    super();
  }

  override get kind(): string {
    return 'a storage';
  }
}

/** Some elements of a storage: all of them, but in files of PyTorch before 0.4. */
export class StorageView extends PyObject {
  constructor(
    readonly storage: Storage,
    readonly start: number,
    readonly numel: number,
  ) {
    super();
  }

  override get kind(): string {
    return 'a storage';
  }
}

class TorchDType extends PyObject {
  constructor(readonly element: Element) {
    super();
  }

  override get kind(): string {
    return 'a torch.dtype';
  }
}

/**
 * A tensor as the pickle tells it: still without memory. Sizes and strides are the pickle's own arrays,
 * which many tensors may share; those of more than a shape's most items have not been looked at.
 */
export class PickledTensor extends PyObject {
  constructor(
    readonly view: StorageView,
    readonly element: Element | undefined,
    readonly offset: number,
    readonly size: readonly number[],
    readonly stride: readonly number[],
    /** What its elements are, where there is no type for them here or they are not as stored. */
    readonly strange: string | null,
  ) {
    super();
  }

  override get kind(): string {
    return 'a tensor';
  }
}

/** Storage classes of dtypes that are not supported here, with their element size: read past, and rejected if used. */
const FOREIGN_STORAGES: Readonly<Record<string, number>> = {
  ComplexDoubleStorage: 16,
  ComplexFloatStorage: 8,
  QInt32Storage: 4,
  QInt8Storage: 1,
  QUInt2x4Storage: 1,
  QUInt4x2Storage: 1,
  QUInt8Storage: 1,
};

/** A function of which only what it makes is known. */
function opaque(kind: string): Callable {
  const made = new OpaqueValue(kind);
  return new Callable(() => made);
}

const GLOBALS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['collections.OrderedDict', new Callable(orderedDict)],
  ['collections.Counter', opaque('a Counter')],
  ['_codecs.encode', opaque('bytes')],
  ...['__builtin__', 'builtins'].flatMap((module): [string, Value][] => [
    [`${module}.bytearray`, opaque('a bytearray')],
    [`${module}.bytes`, opaque('bytes')],
    [`${module}.complex`, opaque('a complex')],
    [`${module}.frozenset`, opaque('a frozenset')],
    [`${module}.set`, opaque('a set')],
  ]),
  ['torch.Size', new Callable(({ who }, [sizes]) => sizeOf(who, sizes))],
  ['torch.device', opaque('a torch.device')],
  ['torch._utils._rebuild_tensor', new Callable(rebuild)],
  ['torch._utils._rebuild_tensor_v2', new Callable(rebuildV2)],
  ['torch._utils._rebuild_tensor_v3', new Callable(rebuildV3)],
  ['torch._utils._rebuild_parameter', new Callable(rebuildParameter)],
  ['torch._utils._rebuild_parameter_with_state', new Callable(rebuildParameter)],
  ['torch._tensor._rebuild_from_type_v2', new Callable(rebuildFromType)],
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

/** Longer than every name on the list: two long names are not put together only to be looked up. */
const LONGEST_NAME = 64;

export function torchGlobal({ budget }: Caller, module: string, name: string): Value {
  const isShort = module.length + name.length < LONGEST_NAME;
  const known = isShort ? GLOBALS.get(`${module}.${name}`) : undefined;
  if (known !== undefined) return known;
  budget.spend(2 * COST.object);
  return new Foreign(module, name);
}

/** `OrderedDict()`, or Python 2's `OrderedDict([[key, value], …])`. */
function orderedDict({ who, budget }: Caller, args: readonly Value[]): Value {
  const [pairs] = args;
  const list = pairs === undefined ? [] : itemsOf(who, 'the items of an OrderedDict', pairs);
  budget.spend(COST.object + (list.length > 0 ? COST.array : 0) + 3 * COST.slot * list.length);
  const dict = new Dict(true);
  if (list.length === 0) return dict;
  const items: Value[] = [];
  for (const pair of list) {
    const [key, value, ...more] = itemsOf(who, 'an item of an OrderedDict', pair).slice(0, 3);
    if (key === undefined || value === undefined || more.length > 0) {
      throw check.wrongValue(who, 'pairs as the items of an OrderedDict', kindOf(pair));
    }
    items.push(key, value);
  }
  dict.set(items);
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

/** Sizes or strides: the tuple's own items, looked at once however many tensors have them. */
function numbersOf(who: string, what: string, value: Value | undefined): readonly number[] {
  const tuple = sizeOf(who, value);
  const numbers = tuple.items as readonly number[];
  if (tuple.areSizes || numbers.length > check.MOST_DIMENSIONS) return numbers;
  for (const item of tuple.items) wholeOf(who, what, item);
  tuple.areSizes = true;
  return numbers;
}

function pickledTensor(
  { who, budget }: Caller,
  args: readonly Value[],
  elementFor: (view: StorageView) => Element | undefined,
  strange: string | null,
): Value {
  const [view, offset, size, stride] = args;
  // over a storage of a class that nobody knows, as of a device of its own
  if (view instanceof ForeignObject) return view;
  if (!(view instanceof StorageView)) {
    throw check.wrongValue(who, 'a tensor over a storage', kindOf(view));
  }
  budget.spend(2 * COST.object);
  const element = elementFor(view);
  return new PickledTensor(
    view,
    element,
    wholeOf(who, "a tensor's offset", offset),
    numbersOf(who, "a tensor's sizes", size),
    numbersOf(who, "a tensor's strides", stride),
    strange ?? (element === undefined ? `a torch.${view.storage.type.name}` : null),
  );
}

const storedAs = ({ storage }: StorageView): Element | undefined => storage.type.element;

/** storage, offset, size, stride: before PyTorch 0.4. */
function rebuild(caller: Caller, args: readonly Value[]): Value {
  return pickledTensor(caller, args, storedAs, null);
}

/** The same, requires_grad, backward_hooks, metadata. */
function rebuildV2(caller: Caller, args: readonly Value[]): Value {
  return pickledTensor(caller, args, storedAs, strangeness(args[6]));
}

/** The same with a dtype before the metadata, over an untyped storage: uint16, uint32, uint64. */
function rebuildV3(caller: Caller, args: readonly Value[]): Value {
  const dtype = args[6];
  if (dtype instanceof Foreign)
    return pickledTensor(caller, args, () => undefined, `one of ${dtype.called}`);
  if (!(dtype instanceof TorchDType)) {
    throw check.wrongValue(caller.who, 'a torch.dtype', kindOf(dtype));
  }
  return pickledTensor(caller, args, () => dtype.element, strangeness(args[7]));
}

/** The metadata of a tensor say that its elements are to be negated or conjugated. */
function strangeness(metadata: Value | undefined): string | null {
  if (metadata === undefined || metadata === null) return null;
  const isEmpty = metadata instanceof Dict && metadata.size === 0;
  return isEmpty ? null : 'a negated or conjugated one';
}

/** data, requires_grad, backward_hooks (and attributes of the user's): the data. */
function rebuildParameter({ who }: Caller, args: readonly Value[]): Value {
  const [data] = args;
  if (data instanceof PickledTensor || data instanceof ForeignObject) return data;
  throw check.wrongValue(who, 'a parameter over a tensor', kindOf(data));
}

/** A function, the class of the tensor, the function's arguments, attributes of the user's: the tensor. */
function rebuildFromType(caller: Caller, [made, , args]: readonly Value[]): Value {
  if (made instanceof Foreign) return made.object;
  if (made instanceof Callable && args instanceof Tuple && made.call !== rebuildFromType) {
    return made.call(caller, args.items);
  }
  throw check.wrongValue(caller.who, 'a tensor with attributes over a tensor', kindOf(made));
}
