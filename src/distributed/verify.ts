// Whether all processes have the same model.
import { createHash } from 'node:crypto';

import * as check from '../check/index.js';
import { Module } from '../nn/module/module.js';
import { PeerError } from './errors.js';
import type { Group } from './group.js';

const BYTES = 8;

/**
 * That parameters and buffers have the same bits on every process: a hash of each goes through the network.
 *
 * @throws {PeerError} on every process, with the first tensor and the first rank that differ from rank 0.
 */
export function verify(model: Module, group: Group): void {
  const who = 'distributed.verify';
  if (!((model as unknown) instanceof Module)) throw check.wrongKind(who, 'a Module', model);
  const state = [...model.stateDict()];
  const hashes = new Uint8Array(BYTES * state.length);
  state.forEach(([name, tensor], i) => {
    const { buffer, byteOffset, byteLength } = tensor.attached(who, name);
    const hash = createHash('sha256').update(`${name} ${tensor.dtype} ${tensor.shape.join(',')} `);
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    hashes.set(hash.digest().subarray(0, BYTES), i * BYTES);
  });
  const meeting = group.meeting('verify');
  const all = group.gatherBytes(meeting, hashes).map((each) => Buffer.from(each));
  for (const [rank, theirs] of all.entries()) {
    const at = firstDifference(all[0]!, theirs);
    if (at === null) continue;
    const name = state[at]?.[0];
    const what = name === undefined ? 'another number of tensors' : `another '${name}'`;
    throw new PeerError(`${who}: rank ${rank} has ${what} than rank 0.`, [rank], false);
  }
}

function firstDifference(a: Buffer, b: Buffer): number | null {
  const tensors = Math.max(a.length, b.length) / BYTES;
  for (let i = 0; i < tensors; i++) {
    const [one, other] = [a, b].map((each) => each.subarray(i * BYTES, (i + 1) * BYTES));
    if (!one!.equals(other!)) return i;
  }
  return null;
}
