// Sums over processes, in the order of native/kernels/sum_tree.h: never in that of arrival.
import { addon } from '../addon/control.js';

/** @internal */
export type FloatArray = Float32Array | Float64Array;

/**
 * @internal The sum of one array of each process, by rank, element by element, in the first of them: nodes apart by 1
 * meet, then those apart by 2, and so on. Where each process but the last has 2^j leaves of a batch, this is the order
 * of one process that has all of it.
 */
export function foldNodes(nodes: readonly FloatArray[]): FloatArray {
  for (let apart = 1; apart < nodes.length; apart *= 2) {
    for (let i = 0; i + apart < nodes.length; i += 2 * apart) {
      const into = nodes[i]!;
      addon.add(into, nodes[i + apart]!, into, into.length);
    }
  }
  return nodes[0]!;
}
