// Loading a state dict: everything is checked and converted first, then copied in one go.
import * as check from '../check.js';
import { Tensor, type TensorData } from '../tensor.js';

export interface LoadStateDictOptions {
  /** Refuse missing and unexpected keys (default) rather than report them. */
  strict?: boolean;
}

export interface LoadResult {
  readonly missingKeys: readonly string[];
  readonly unexpectedKeys: readonly string[];
}

/** Copies `state` into `own`, or throws with PyTorch's sentences and has changed nothing. */
export function loadInto(
  who: string,
  own: ReadonlyMap<string, Tensor>,
  state: ReadonlyMap<string, Tensor>,
  options: LoadStateDictOptions,
): LoadResult {
  check.options(`${who}.loadStateDict`, options, ['strict']);
  const strict = check.boolean(`${who}.loadStateDict`, 'strict', options.strict ?? true);
  if (!((state as unknown) instanceof Map)) {
    throw check.wrongKind(`${who}.loadStateDict`, 'state_dict to be dict-like (a Map)', state);
  }
  const missingKeys = [...own.keys()].filter((key) => !state.has(key) && !isBatchCounter(key));
  const unexpectedKeys = [...state.keys()].filter((key) => !own.has(key));
  const problems: string[] = [];
  if (strict && missingKeys.length > 0) {
    problems.push(`Missing key(s) in state_dict: ${quoted(missingKeys)}.`);
  }
  if (strict && unexpectedKeys.length > 0) {
    problems.push(`Unexpected key(s) in state_dict: ${quoted(unexpectedKeys)}.`);
  }

  const copies: [Tensor, TensorData][] = [];
  for (const [key, target] of own) {
    if (!state.has(key)) continue;
    const source: unknown = state.get(key);
    if (!(source instanceof Tensor)) {
      problems.push(
        `While copying the parameter named "${key}", expected a Tensor from checkpoint but received ` +
          `${check.describe(source)}.`,
      );
    } else if (!sameShape(source, target)) {
      problems.push(
        `size mismatch for ${key}: copying a param with shape ${check.shapeText(source.shape)} from ` +
          `checkpoint, the shape in current model is ${check.shapeText(target.shape)}.`,
      );
    } else {
      target.attached(`${who}.loadStateDict`, key);
      copies.push([target, converted(source.attached(`${who}.loadStateDict`, key), target)]);
    }
  }
  if (problems.length > 0) {
    throw new RangeError(`Error(s) in loading state_dict for ${who}:\n\t${problems.join('\n\t')}`);
  }
  for (const [target, data] of copies) {
    (target.attached(who) as Float64Array).set(data as Float64Array);
    target.markChanged();
  }
  return { missingKeys, unexpectedKeys };
}

/** Checkpoints from before PyTorch 0.4.1 lack it, and so may a Map that says no version. */
function isBatchCounter(key: string): boolean {
  return key === 'num_batches_tracked' || key.endsWith('.num_batches_tracked');
}

/** Equal, or a scalar stored as [1] (PyTorch 0.3). */
function sameShape(source: Tensor, target: Tensor): boolean {
  const { shape } = source;
  if (target.shape.length === 0 && shape.length === 1 && shape[0] === 1) return true;
  return check.equalShapes(shape, target.shape);
}

/** A copy in the target's dtype: the two may share memory, and a failed load must change nothing. */
function converted(data: TensorData, target: Tensor): TensorData {
  const copy = Tensor.uninitialized(target.shape, target.dtype).attached('loadStateDict');
  for (let i = 0; i < data.length; i++) {
    const value = data[i] ?? 0;
    if (copy instanceof BigInt64Array) {
      copy[i] = typeof value === 'bigint' ? value : BigInt(Math.trunc(value));
    } else {
      copy[i] = Number(value);
    }
  }
  return copy;
}

function quoted(keys: readonly string[]): string {
  return keys.map((key) => `"${key}"`).join(', ');
}
