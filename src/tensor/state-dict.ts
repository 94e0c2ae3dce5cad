// StateDict: what stateDict() returns and checkpoints are: tensors by dotted key, and beside them what
// is known of the modules they were taken from (PyTorch's `_metadata`) and what a file said.
import { foreignKind, mark } from '../check/copies.js';
import { Tensor, type TensorLike } from './tensor.js';

/** What a state dict says of one module. */
export interface ModuleRecord {
  /** The layout of its keys: BatchNorm's 2 says that num_batches_tracked is there. */
  readonly version: number;
  /** BatchNorm.freeze() held when it was taken. Shown; loading leaves a module's own freeze alone. */
  readonly frozen?: boolean;
}

/** What stood in a state dict and is no tensor. */
export interface OtherValue {
  /** In Python's words: 'None', 'an int', 'a dict'. */
  readonly kind: string;
  /** Of None, a bool, an int, a float, a str: null, and the others as they are. Of anything else nothing is kept. */
  readonly value?: null | boolean | number | bigint | string;
}

/**
 * Tensors by dotted PyTorch keys, in order. `structuredClone` and `postMessage` make a Map of plain objects of
 * it, without what is beside the tensors: `loadStateDict` and `saveSafetensors` take that too.
 *
 * @example
 * ```ts
 * const state = new nn.BatchNorm1d(2).stateDict();
 * [...state.keys()][0]; // => 'weight'
 * state.modules.get('')?.version; // => 2
 * ```
 */
export class StateDict extends Map<string, Tensor> {
  /** By path, the root's is ''. Empty where the source did not say: a safetensors file, a plain Map. */
  readonly modules = new Map<string, ModuleRecord>();
  /** What the file said beside its tensors: safetensors' `__metadata__`. */
  readonly metadata = new Map<string, string>();
  /** What a file of torch.save had among its tensors and is none, by key: it is not loaded into a module. */
  readonly others = new Map<string, OtherValue>();

  /**
   * A copy with memory of its own: a snapshot to go back to, or to save while training goes on. Tensors that
   * share all their memory share it in the copy; none requires grad. `modules`, `metadata` and `others` are copied
   * too.
   *
   * @throws {TypeError} when a tensor is disposed, or something else has been set.
   * @example
   * ```ts
   * const model = new nn.BatchNorm1d(2);
   * const before = model.stateDict().clone();
   * model.forward(tensor([[1, 2], [3, 5]]));
   * model.loadStateDict(before);
   * model.numBatchesTracked; // => 0
   * ```
   */
  clone(): StateDict {
    const copy = new StateDict();
    const copied = new Map<unknown, Tensor>();
    for (const [key, tensor] of this) {
      if (!((tensor as unknown) instanceof Tensor)) {
        throw new TypeError(
          `StateDict.clone: expected '${key}' to be a Tensor, got a value of type ${typeof tensor}.`,
        );
      }
      tensor.attached('StateDict.clone', `'${key}'`);
      const known = copied.get(tensor.identity);
      const own = known === undefined ? tensor.copied() : known.alias(tensor.shape);
      copied.set(tensor.identity, own);
      copy.set(key, own);
    }
    for (const [path, record] of this.modules) copy.modules.set(path, record);
    for (const [key, text] of this.metadata) copy.metadata.set(key, text);
    for (const [key, value] of this.others) copy.others.set(key, value);
    return copy;
  }
}

/**
 * @internal The Tensor that a value stands for: a Tensor; what `structuredClone` or `postMessage` made of one, an
 * object with its fields and without its class; or `{ data, shape }`. Null for anything else, also for a Tensor
 * of another copy of this package.
 */
export function revived(value: unknown): Tensor | null {
  if (value instanceof Tensor) return value;
  if (foreignKind(value) !== null) return null;
  const { memory, sizes } = fieldsOf(value);
  const array = memory === undefined ? value : { data: fieldsOf(memory)['data'], shape: sizes };
  try {
    return Tensor.from(array as TensorLike);
  } catch {
    return null; // whoever asks has a sentence for what is no tensor
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

mark(StateDict, 'StateDict');
