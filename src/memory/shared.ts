// Moves elements to where Workers have them too: postMessage hands a SharedArrayBuffer over as it is and
// copies any other array. Who may write into one, and when, is for those who share it to agree on.
import { isSharedArrayBuffer } from 'node:util/types';

import type { Memory } from './buffer.js';
import { sharedBuffer, viewOf } from './dtype.js';

/** A view starts at a multiple of its element's size; no element is larger. */
const ALIGNMENT = 8;

/** The bytes of one buffer that some memories lie in, which overlap. */
interface Region {
  readonly source: ArrayBufferLike;
  readonly from: number;
  to: number;
  readonly memories: Memory[];
}

export function isShared(memory: Memory): boolean {
  return isSharedArrayBuffer(memory.data.buffer);
}

/**
 * Moves what is not shared yet. What overlapped overlaps afterwards: two layers over one array still have
 * their weights in common. All, or none where there is no room.
 */
export function moveToShared(memories: ReadonlySet<Memory>): void {
  const regions = regionsOf([...memories].filter((each) => !isShared(each)));
  const buffers = regions.map(({ from, to }) => sharedBuffer(to - from));
  for (const [i, { source, from, to, memories }] of regions.entries()) {
    const buffer = buffers[i]!;
    new Uint8Array(buffer).set(new Uint8Array(source, from, to - from));
    for (const memory of memories) {
      const { byteOffset, length } = memory.data;
      memory.moveTo(viewOf(memory.dtype, buffer, byteOffset - from, length));
    }
  }
}

function regionsOf(memories: readonly Memory[]): Region[] {
  const open = new Map<ArrayBufferLike, Region>();
  const regions: Region[] = [];
  const inOrder = [...memories].sort((a, b) => a.data.byteOffset - b.data.byteOffset);
  for (const memory of inOrder) {
    const { buffer: source, byteOffset, byteLength } = memory.data;
    if (byteLength === 0) continue;
    let region = open.get(source);
    if (region === undefined || region.to <= byteOffset) {
      const from = byteOffset - (byteOffset % ALIGNMENT);
      region = { source, from, to: 0, memories: [] };
      open.set(source, region);
      regions.push(region);
    }
    region.to = Math.max(region.to, byteOffset + byteLength);
    region.memories.push(memory);
  }
  return regions;
}
