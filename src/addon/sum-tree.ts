// The order of sums over a batch (native/kernels/sum_tree.h) as somebody who shares a batch with others needs it.
import { addon } from './control.js';

/** @internal Samples [begin, end), whose sum is one node: 2^level leaves, or the last one's rest. */
export interface Node {
  readonly begin: number;
  readonly end: number;
  readonly level: number;
}

/** @internal The samples of a leaf, where each has `length` values a channel. */
export const leafSamples = (length: number): number =>
  Math.min(64, Math.max(1, 2 ** Math.floor(Math.log2(8192 / length))));

/** @internal The nodes that samples [begin, end) are made of, in order; `begin` is a multiple of `leaf`. */
export function nodesOf(begin: number, end: number, leaf: number): Node[] {
  const nodes: Node[] = [];
  for (let at = begin; at < end;) {
    let level = 0;
    // As large as its place allows, and as there are leaves: the last one may be short.
    while ((at / leaf) % 2 ** (level + 1) === 0 && at + leaf * 2 ** (level + 1) - leaf < end)
      level++;
    const next = Math.min(end, at + leaf * 2 ** level);
    nodes.push({ begin: at, end: next, level });
    at = next;
  }
  return nodes;
}

/** @internal Nodes that come in the order of their samples, and their sum. */
export class NodeSum {
  readonly #waiting: { level: number; sums: Float64Array }[] = [];

  constructor(readonly length: number) {}

  add(sums: Float64Array, level: number): void {
    let [node, at] = [sums, level];
    while (this.#waiting.at(-1)?.level === at) {
      node = plus(this.#waiting.pop()!.sums, node);
      at++;
    }
    this.#waiting.push({ level: at, sums: node });
  }

  total(): Float64Array {
    const last = this.#waiting.at(-1)?.sums ?? new Float64Array(this.length);
    return this.#waiting.slice(0, -1).reduceRight((sum, { sums }) => plus(sums, sum), last);
  }
}

function plus(a: Float64Array, b: Float64Array): Float64Array {
  const sum = new Float64Array(a.length);
  addon.add(a, b, sum, a.length);
  return sum;
}
