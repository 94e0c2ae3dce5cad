// Sums over processes, in the order of native/kernels/sum_tree.h: never in that of arrival.
import { addon } from '../addon/control.js';

/** @internal */
export type FloatArray = Float32Array | Float64Array;

/**
 * @internal The sum of one array of each process, by rank, element by element, into `sum`, which is one of them; the others
 * are scratch. Nodes apart by 1 meet, then those apart by 2, and so on. Where each process but the last has 2^j leaves
 * of a batch, this is the order of one process that has all of it.
 */
export function foldNodes(nodes: readonly FloatArray[], sum: FloatArray): void {
  for (let apart = 1; apart < nodes.length; apart *= 2) {
    const isLast = 2 * apart >= nodes.length;
    for (let i = 0; i + apart < nodes.length; i += 2 * apart) {
      const first = nodes[i]!;
      addon.add(first, nodes[i + apart]!, isLast ? sum : first, first.length);
    }
  }
}
