// What an array is, asked of the engine: the classes of another realm (a `vm` context, a test runner's) are not ours, and
// a subclass may say anything.

const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype) as object;
interface Getter<Value> {
  call(value: unknown): Value;
}
const getter = (name: string | symbol): unknown =>
  Reflect.get(Object.getOwnPropertyDescriptor(TYPED_ARRAY, name)!, 'get');
const kindGetter = getter(Symbol.toStringTag) as Getter<string | undefined>;
const bytesGetter = getter('byteLength') as Getter<number>;
const bufferGetter = getter('buffer') as Getter<ArrayBufferLike>;
const offsetGetter = getter('byteOffset') as Getter<number>;

/** 'Float32Array', 'Uint8Array', … of a typed array, of any realm and of a subclass too; else undefined. */
export function arrayKind(value: unknown): string | undefined {
  return kindGetter.call(value);
}

/** How many elements a typed array has, whatever a subclass says; none once its buffer is detached. */
export function arrayLength(array: ArrayBufferView): number {
  const bits = Number(/\d+/.exec(arrayKind(array) ?? '8')?.[0]); // of an element: 'Uint8ClampedArray'
  return (8 * bytesGetter.call(array)) / bits;
}

/** Where a typed array lies, whatever a subclass says: its buffer, the first byte there, how many elements. */
export function placeOfArray(array: ArrayBufferView): [ArrayBufferLike, number, number] {
  return [bufferGetter.call(array), offsetGetter.call(array), arrayLength(array)];
}

/** Whether a value is a typed array of integers. */
export function isIntegerArray(value: unknown): boolean {
  return arrayKind(value)?.startsWith('Float') === false;
}

/** An array or a typed array; anything else with a length could keep a loop busy for hours. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || arrayKind(value) !== undefined;
}

const { keys } = TYPED_ARRAY as { readonly keys: Getter<unknown> };

/** That the memory of a typed array is there, which has no elements if it is not. */
export function present(who: string, array: ArrayBufferView): void {
  if (arrayLength(array) > 0 || arrayKind(array) === undefined) return;
  try {
    keys.call(array); // the engine refuses what was detached, or cut off by shrinking
  } catch {
    throw new TypeError(`${who}: expected an array, got one whose buffer was detached or shrunk.`);
  }
}
