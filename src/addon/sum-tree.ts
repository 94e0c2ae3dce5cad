// The order of sums over a batch (native/kernels/sum_tree.h) as somebody who shares a batch with others needs it.
/** @internal Samples [begin, end), whose sum is one node: 2^level leaves, or the last one's rest. */
export interface Node {
  readonly begin: number;
  readonly end: number;
  readonly level: number;
}

/** @internal Samples of a leaf at most: kLeafSamples. */
export const LEAF_SAMPLES = 64;

/** @internal The samples of a leaf, where each has `length` values a channel. */
export const leafSamples = (length: number): number =>
  Math.min(LEAF_SAMPLES, Math.max(1, 2 ** Math.floor(Math.log2(8192 / length))));

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

/** @internal The sum of nodes that come in the order of their samples: a binary counter, as native/kernels/sum_tree.h is. */
export class TreeSum<Sum> {
  readonly #waiting: { readonly level: number; readonly sum: Sum }[] = [];

  /** @param plus - The sum of two nodes; either may be what it returns. */
  constructor(readonly plus: (first: Sum, second: Sum) => Sum) {}

  /** Each node waits for the one behind it that has as many leaves. */
  add(node: Sum, level: number): void {
    let [sum, at] = [node, level];
    for (; this.#waiting.at(-1)?.level === at; at++) sum = this.plus(this.#waiting.pop()!.sum, sum);
    this.#waiting.push({ level: at, sum });
  }

  /** Of all of them; undefined where there were none. It can be asked for once. */
  total(): Sum | undefined {
    let total = this.#waiting.pop()?.sum;
    for (let node = this.#waiting.pop(); node !== undefined; node = this.#waiting.pop()) {
      total = this.plus(node.sum, total!);
    }
    return total;
  }
}
