// StateDict: what stateDict() returns and checkpoints are: tensors by dotted key, and beside them what
// is known of the modules they were taken from (PyTorch's `_metadata`) and what a file said.
import { mark } from './copies.js';
import type { Tensor } from './tensor.js';

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
 * Tensors by dotted PyTorch keys, in order.
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
}

mark(StateDict, 'StateDict');
