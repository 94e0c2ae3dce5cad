import { Indexed, ITEM_KIND, itemsOf } from './indexed.js';
import { WHO } from '../module/internals.js';
import type { Layer, Module } from '../module/module.js';

/**
 * Modules in order, named 0, 1, 2, … in the state dict, for a forward that goes through them: `blocks.0.weight`.
 * In a plain array they would not be trained, saved or switched to evaluation. It has no forward of its own.
 *
 * @example
 * ```ts
 * class Net extends nn.Module {
 *   blocks = new nn.ModuleList([4, 8].map((width) => new nn.Linear(width, 8)));
 *   forward(x: Tensor) {
 *     for (const block of this.blocks) x = functional.relu(block.forward(x));
 *     return x;
 *   }
 * }
 * const net = new Net();
 * net.blocks.push(new nn.Linear(8, 2, { bias: false }));
 * [...net.stateDict().keys()]; // => ['blocks.0.weight', 'blocks.0.bias', 'blocks.1.weight', 'blocks.1.bias', 'blocks.2.weight']
 * net.blocks.at(-1)?.outFeatures; // => 2
 * ```
 *
 * As a type, `nn.ModuleList` alone is one of layers that take a tensor and give one (`nn.Layer`).
 */
export class ModuleList<L extends Module = Layer> extends Indexed<L> {
  /** @param modules - An array or anything else that can be iterated. */
  constructor(modules: Iterable<L> = []) {
    super();
    this.extend(modules);
  }

  /** @internal */
  get [ITEM_KIND](): 'Module' {
    return 'Module';
  }

  /** There is none: call the modules in it. */
  forward(): never {
    throw noForward(this[WHO]);
  }

  /** PyTorch's repr: modules in a row that read the same are counted. */
  override toString(): string {
    const items = itemsOf<Module>(this).map(([name, module]) => [name, module.toString()] as const);
    const own = [...this.children()].length;
    if (own === 0 || items.some(([name], i) => name !== String(i))) return super.toString();
    const lines: string[] = [];
    for (let i = 0; i < items.length;) {
      const [, text] = items[i]!;
      let end = i + 1;
      while (end < items.length && items[end]![1] === text) end++;
      const name = end - i === 1 ? `(${i}): ` : `(${i}-${end - 1}): ${end - i} x `;
      lines.push((name + text).replaceAll('\n', '\n  '));
      i = end;
    }
    return `${this[WHO]}(\n  ${lines.join('\n  ')}\n)`;
  }
}

/** @internal What calling a container is. */
export function noForward(who: string): Error {
  return new Error(
    `${who}.forward: Module [${who}] is missing the required "forward" function: call what is in it.`,
  );
}
