// The blocks that are lent: who asks the collector about them, and when. A minor collection looks at young objects
// only, and what survives two of them is old: so a block moves from one list to the other.
import { addon } from '../addon/control.js';
import type { Block } from './block.js';
import { shelve } from './shelves.js';

/** Minor collections after which V8 has moved an object to its old generation. */
const OLD = 2;
/** Major collections after which a block is left to the collector: a parameter, a data set. */
const SETTLED = 6;

const young: Block[] = [];
const old = new Set<Block>();
let bytes = 0;
/** Of these, the bytes of old blocks. */
let oldBytes = 0;
/** Whether V8 has collected since the old blocks were last asked: as often as the pool looks, thousands may be alive. */
let mayHaveDied = false;

/** Objects that nothing holds, young and old: they die in the next minor and the next major collection. */
const canaries = { minor: 0, major: 1 } as const;
/** Holds the other canary until it is old. */
let growing: object | null = null;
let grown = 0;
let armed = false;

/** What is lent, in bytes. */
export function lent(): number {
  return bytes;
}

/** Of the blocks that are lent, the bytes of those only a major collection can return. */
export function lentLong(): number {
  return oldBytes;
}

function armMinor(): void {
  addon.weakWatch(canaries.minor, {});
}

function armMajor(): void {
  growing = {};
  grown = 0;
  addon.weakWatch(canaries.major, growing);
}

/** To be called once a block is with an array. */
export function noteLent(block: Block): void {
  if (!armed) {
    armMinor();
    armMajor();
    armed = true;
  }
  bytes += block.cost;
  block.survived = 0;
  if (block.list === 'young') return;
  if (block.list === 'old') old.delete(block);
  block.list = 'young';
  young.push(block);
}

/** The pool has it again: its array was disposed of, or has died. */
export function takeBack(block: Block): void {
  bytes -= block.cost;
  if (block.list === 'old') oldBytes -= block.cost;
  shelve(block);
}

/** Leaves a lent block to the collector, for good. */
export function leave(block: Block): void {
  if (block.holder !== 'array') return;
  if (block.watched) bytes -= block.cost;
  if (block.list === 'old') {
    oldBytes -= block.cost;
    old.delete(block);
  }
  block.leave();
}

/** Leaves the block that was lent longest ago to the collector; false where none is lent. */
export function leaveOldest(): boolean {
  for (const block of old) {
    old.delete(block);
    if (block.holder !== 'array') continue;
    leave(block);
    return true;
  }
  const first = young.find(({ holder }) => holder === 'array');
  if (first !== undefined) leave(first);
  return first !== undefined;
}

/** Leaves the old ones to the collector. */
export function leaveOld(): void {
  for (const block of [...old]) leave(block);
  old.clear();
}

/** Leaves all of them to the collector. */
export function leaveAll(): void {
  leaveOld();
  for (const block of young) leave(block);
  young.length = 0;
}

/** Whether V8 has collected since the last sweep. */
export function hasCollected(): boolean {
  return !addon.weakAlive(canaries.minor);
}

/**
 * Takes back every young block whose array has died, after a collection; returns their bytes. Old ones too where
 * that was a major one.
 */
export function sweep(major = false): number {
  const before = bytes;
  let kept = 0;
  for (const block of young) {
    block.list = null;
    if (block.holder !== 'array') continue;
    if (!block.reachable) {
      takeBack(block);
    } else if (++block.survived < OLD) {
      block.list = 'young';
      young[kept++] = block;
    } else {
      block.list = 'old';
      old.add(block);
      oldBytes += block.cost;
    }
  }
  young.length = kept;
  armMinor();
  mayHaveDied = true;
  if (growing !== null && ++grown > OLD) growing = null;
  if (major || !addon.weakAlive(canaries.major)) {
    sweepOld();
    settle();
  }
  return before - bytes;
}

/** The same for old ones; whether any has died. */
export function sweepOld(): boolean {
  if (!mayHaveDied) return false;
  mayHaveDied = false;
  const before = bytes;
  for (const block of old) {
    if (block.holder === 'array' && block.reachable) continue;
    old.delete(block);
    if (block.holder === 'array') takeBack(block);
    block.list = null;
  }
  return bytes < before;
}

/** After a major collection and a sweep: leaves to the collector what has survived many. */
function settle(): void {
  for (const block of old) if (++block.survived >= OLD + SETTLED) leave(block);
  armMajor();
}

/** Of the blocks that are lent, the bytes of the young ones. */
export function lentLately(): number {
  return young.reduce((sum, block) => sum + (block.holder === 'array' ? block.cost : 0), 0);
}

/** How many young blocks are lent. */
export function arraysLately(): number {
  return young.reduce((count, block) => count + (block.holder === 'array' ? 1 : 0), 0);
}
