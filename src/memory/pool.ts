// Memory for arrays: from the shelves; where they have none, from arrays that have died since; else new.
//
// A synchronous loop frees nothing by itself, so the pool asks V8 for a minor collection (0.04 to 0.1 ms) when enough
// has been lent since the last one. Docs: decision 5. Longer than 250 lines because each rule of when it asks gives its
// reason here.
import { getHeapStatistics } from 'node:v8';

import { addon } from '../addon/control.js';
import { Block, isWatched } from './block.js';
import { collectNow, minorPrice, sinceCollection } from './collector.js';
import { BYTES, type DType, type TensorData } from './dtype.js';
import {
  arraysLately,
  hasCollected,
  leaveAll,
  leaveOld,
  leaveOldest,
  lent,
  lentLately,
  lentLong,
  noteLent,
  sweep,
  sweepOld,
  takeBack,
} from './lent.js';
import {
  clearShelves,
  dropFromOldest,
  dropUnused,
  shelfOf,
  shelve,
  shelved,
  takeFrom,
} from './shelves.js';

const MB = 2 ** 20;
/**
 * A collection is asked for when so much has been lent since the last one, in so many arrays. More than a second cache
 * holds: to have 1 MB from the third costs 8 us, a collection 100, most of it for what the calls in between have
 * driven out of the caches.
 */
const LEAST = { bytes: 8 * MB, arrays: 8 } as const;
/** The same of large arrays: no cache holds several of them, and a collection among such calls costs 200 to 500 us. */
const LEAST_LARGE = { bytes: 32 * MB, arrays: 2 } as const;
/** The same of small arrays: 0.4 us each of a collection, and a collection is a pause. */
const LEAST_ARRAYS = 512;
/**
 * The most of the time that goes into collections which were asked for: half where the last one returned most of what
 * was lent, as the next array would cost more in new memory; a twentieth where it did not.
 */
const FRACTION = { fruitful: 1 / 2, vain: 1 / 20 } as const;
/** So many times smaller are arrays that no step holds beside those that were alive. */
const SMALLER = 8;
/** Parts of what has to be lent before a collection: from where on it is near, and may join that of another process. */
const [SOON, WITH_OTHERS] = [7 / 8, 1 / 4];
/** Between looks at what the pool needs, in milliseconds. */
const PERIOD = 2000;
/** Collections in a row that clear no reference: then this is no V8 as it is known here. */
const MOST_FAILURES = 8;
/** What only a major collection can return, in bytes, from which a process that is quiet asks for one. */
const WORTH_MAJOR = 16 * MB;
/** A major collection takes about a millisecond for each MB of the heap: beyond so much V8 has to find the time. */
const LARGEST_HEAP = 64 * MB;
/** An array costs as much in new memory, 0.25 ms a MB, as a major collection of a heap of so much less. */
const WORTH_HEAP = 4;
/** The first one may only end a marking that began while the arrays were in use. */
const MOST_MAJORS = 2;
/** What the system's allocator may keep of what it was given back, in bytes. */
const WORTH_RETURNING = 8 * MB;

let limit = 512 * MB;
/** What was lent since the last collection, and what has to be before the next. */
let since = 0;
let arrays = 0;
let enough: number = LEAST.bytes;
let enoughArrays = LEAST_ARRAYS;
/** What was alive after a collection though it was lent since the one before: the most, slowly forgotten. */
let alive = 0;
let aliveArrays = 0;
let fraction: number = FRACTION.fruitful;
let watching = true;
let timer: NodeJS.Timeout | null = null;
/** What was lent in this period, and the major collections since one in which a lot was. */
let lately = 0;
let looked = 0;
let failures = 0;
let majors = 0;
/** When a major collection may be asked for in a busy process. */
let nextMajor = -Infinity;

/** A block of `numel` elements that the pool has, with anything in them, or null. */
export function take(dtype: DType, numel: number): Block | null {
  // Also where the shelf has more: arrays that were in use a while ago are out of the caches by now.
  if (lentPart() >= 1 && isAffordable()) collect();
  let block = takeShelved(dtype, numel);
  if (block !== null || since === 0 || !isWatched(dtype, numel)) return block;
  if (hasCollected()) {
    sweep(); // V8 has collected by itself
    since = lentLately();
    arrays = arraysLately();
    block = takeShelved(dtype, numel);
  }
  if (block !== null || lent() + numel * BYTES[dtype] <= limit) return block;
  return makeRoom(numel * BYTES[dtype]) ? takeShelved(dtype, numel) : null;
}

/** Before something is left to the collector because of the limit: asks whether it has died. Whether any has. */
function makeRoom(bytes: number): boolean {
  if (sweepOld()) return true;
  const before = lent();
  const isOfYoung = before - lentLong() + bytes > limit;
  if (isOfYoung && since >= LEAST.bytes && isAffordable()) collect();
  if (lent() + bytes > limit && lentLong() >= bytes) collectOld(bytes);
  return lent() < before;
}

/**
 * Asks V8 for a major collection, where so much in new memory costs more. New memory also makes V8 collect two or
 * three times, so that all that is lent grows old, and a step whose arrays fill the limit would need more for ever.
 */
function collectOld(bytes: number): void {
  const start = performance.now();
  if (start < nextMajor || bytes < getHeapStatistics().used_heap_size * WORTH_HEAP) return;
  if (!collectNow('major')) return;
  const returned = sweep(true);
  since = lentLately();
  arrays = arraysLately();
  const now = performance.now();
  const part = returned >= bytes ? FRACTION.fruitful : FRACTION.vain;
  nextMajor = now + (now - start) * (1 / part - 1);
}

/** How much of what has to be lent before a collection has been: 1 and more is enough. */
function lentPart(): number {
  const large = Math.min(arrays / LEAST_LARGE.arrays, since / LEAST_LARGE.bytes);
  const several = Math.max(arrays / LEAST.arrays, large);
  const held = areSmaller()
    ? Math.max(since / enough, Math.min(arrays / (2 * aliveArrays), since / LEAST.bytes))
    : since / enough;
  return Math.max(arrays / enoughArrays, Math.min(held, several));
}

/** Whether large arrays have given way to small ones: a step of as many of these holds far fewer bytes. */
function areSmaller(): boolean {
  return alive > 0 && since / arrays < alive / aliveArrays / SMALLER;
}

function isAffordable(): boolean {
  return sinceCollection() * fraction >= minorPrice() * (1 - fraction);
}

/** Whether a collection is near. Who collects while other processes wait for it has them wait for that, too. */
export function collectsSoon(): boolean {
  return watching && lentPart() >= SOON && isAffordable();
}

/** Collects now, where that is not far too early, because others do. */
export function collectWithOthers(): void {
  if (watching && lentPart() >= WITH_OTHERS && isAffordable()) collect();
}

function takeShelved(dtype: DType, numel: number): Block | null {
  const shelf = shelfOf(dtype, numel);
  return (shelf && takeFrom(shelf)) ?? null;
}

/** Hands out the array of a block that was taken. */
export function lend(block: Block): TensorData {
  const array = block.lend();
  if (block.watched) note(block);
  return array;
}

/** The block of a new array, which its holder has; null where nobody will ask for it again. */
export function enter(dtype: DType, array: TensorData): Block | null {
  const block = new Block(dtype, array.length);
  if (!block.watched || !watching || block.cost > limit) return null;
  while (lent() + shelved() + block.cost > limit && (dropFromOldest(1) || leaveOldest()));
  block.watch(array);
  note(block);
  return block;
}

function note(block: Block): void {
  since += block.cost;
  arrays++;
  noteLent(block);
  lately += block.cost;
  if (timer === null) lookLater();
}

/** Takes over the array that was lent with `block`, or a new one (null), which nothing else can reach. */
export function give(dtype: DType, array: TensorData, block: Block | null): void {
  const known = block !== null && block.holder === 'array' ? block : new Block(dtype, array.length);
  known.array = array;
  if (known === block && known.watched) {
    takeBack(known);
    since = Math.max(0, since - known.cost);
    arrays = Math.max(0, arrays - 1);
    return;
  }
  if (known.cost > limit || array.length === 0) return;
  shelve(known);
  while (lent() + shelved() > limit && dropFromOldest(1));
}

/** Asks V8 for a minor collection, and takes back what has died. */
function collect(): void {
  const done = collectNow('minor');
  failures = done && hasCollected() ? 0 : failures + 1; // sweep() sets the next canary
  if (!done || failures > MOST_FAILURES) {
    stopWatching();
    return;
  }
  const asked = since;
  const returned = sweep();
  const left = lentLately();
  const leftArrays = arraysLately();
  since = arrays = 0;
  fraction = returned >= asked / 2 ? FRACTION.fruitful : FRACTION.vain;
  // A step's arrays have to die before a second collection makes them old, out of a minor collection's reach.
  alive = remembered(alive, left);
  aliveArrays = remembered(aliveArrays, leftArrays);
  enough = Math.max(LEAST.bytes, 2 * alive, returned < asked / 4 ? Math.min(2 * enough, limit) : 0);
  enoughArrays = Math.max(LEAST_ARRAYS, 2 * aliveArrays);
  if (performance.now() - looked > 2 * PERIOD) tidy(); // a loop that never yields
}

/**
 * The most that was alive, after one more collection. Within a step that is steady, much is alive at one collection
 * and little at the next, so it is forgotten slowly. Where almost nothing is left, large arrays have given way to
 * small ones, whose collections would come too late by hundreds of calls. Half is safe: if the step was only at its
 * beginning, as much as it holds is lent before the next collection, which sees it again.
 */
function remembered(most: number, left: number): number {
  return Math.max(left, (left < most / 8 ? 0.5 : 0.97) * most);
}

/** No collection can be had here: tensors hold their memory alone, as any object does. */
function stopWatching(): void {
  watching = false;
  since = arrays = 0;
  leaveAll();
}

/** In a while, without keeping the process alive, gives back what nobody needs. */
function lookLater(): void {
  looked = performance.now();
  timer = setTimeout(() => {
    timer = null;
    giveBackUnused(lately);
    lately = 0;
    if (shelved() + lent() > 0) lookLater();
  }, PERIOD);
  timer.unref();
}

function giveBackUnused(lately: number): void {
  if (watching && lent() > 0) collect();
  const long = lentLong();
  const quiet = lately <= long / 8;
  if (!quiet) majors = 0;
  if (quiet && long >= WORTH_MAJOR && majors < MOST_MAJORS) {
    majors++;
    if (getHeapStatistics().used_heap_size > LARGEST_HEAP) leaveOld();
    else if (collectNow('major')) sweep(true);
  }
  const before = shelved();
  if (lately === 0) clearShelves();
  else dropUnused();
  if (before - shelved() >= WORTH_RETURNING) addon.returnMemory();
}

function tidy(): void {
  looked = performance.now();
  dropUnused();
}

/** @internal What `native.memory` shows of this. */
export const pool = {
  get pooled(): number {
    return shelved();
  },
  get inUse(): number {
    return lent();
  },
  get limit(): number {
    return limit;
  },
  set limit(bytes: number) {
    limit = bytes;
    while (lent() + shelved() > limit && (dropFromOldest(1) || leaveOldest()));
  },
  trim(): void {
    if (watching && lent() > 0) collect();
    clearShelves();
    addon.returnMemory();
  },
};
