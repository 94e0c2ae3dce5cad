// Tensors whose elements Workers share.
import type { Memory } from '../memory/buffer.js';
import { isShared, moveToShared } from '../memory/shared.js';
import { memoryOf, Tensor } from './class.js';
import { addMethods } from './methods.js';

addMethods(Tensor, {
  isShared(): boolean {
    return isShared(memoryOf(this));
  },

  shareMemory_(): Tensor {
    shareAll('Tensor.shareMemory_', [['tensor', this]]);
    return this;
  },
});

/** @internal `shareMemory_` of all of them, or none. */
export function shareAll(who: string, named: Iterable<readonly [string, Tensor]>): void {
  const memories = new Set<Memory>();
  for (const [name, tensor] of named) {
    tensor.attached(who, name);
    memories.add(memoryOf(tensor));
  }
  moveToShared(memories);
}
