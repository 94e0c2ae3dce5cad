// Memory for the statistics that a recorded forward saves for its backward. Nothing else can reach it, so
// small ones share slabs: an array of its own costs 0.5 to 1 µs (it is zeroed, and the collector has to
// be told of it and free it), as much as the arithmetic on (32, 64); a part of a slab costs 0.05.
import { Memory } from './buffer.js';

const SLAB_BYTES = 64 * 1024;
const MOST_SHARED_BYTES = SLAB_BYTES / 8;
const LINE_BYTES = 64;

let slab = new ArrayBuffer(0);
let used = 0;

/** @internal `count` doubles that the caller writes. A graph that is kept may keep a whole slab. */
export function savedDoubles(count: number): Float64Array {
  const bytes = count * Float64Array.BYTES_PER_ELEMENT;
  if (bytes > MOST_SHARED_BYTES) return Memory.uninitialized('float64', count).data as Float64Array;
  if (used + bytes > slab.byteLength) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES).buffer;
    used = 0;
  }
  const part = new Float64Array(slab, used, count);
  used += Math.ceil(bytes / LINE_BYTES) * LINE_BYTES;
  return part;
}
