// The pool takes back the memory of tensors that were merely forgotten, in a loop that never yields.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { addon } from '../../src/addon/control.js';
import { functional, native, tensor, type Tensor } from '../../src/index.js';
import { floats } from '../../src/tensor/tensor.js';
import { runChild, well } from '../helpers/child.js';

const { relu } = functional;
const N = 128 * 1024;
const BYTES = 4 * N + 256;
const x = tensor(new Float32Array(N).fill(1));
const output = (): Tensor => relu(x);

/** Enough outputs for several collections; how many different buffers they had. */
function buffersOf(count: number): number {
  const buffers = new WeakSet<ArrayBufferLike>();
  let different = 0;
  for (let i = 0; i < count; i++) {
    const { buffer } = floats(output());
    if (!buffers.has(buffer)) different++;
    buffers.add(buffer);
  }
  return different;
}

const { limit } = native.memory;
beforeEach(() => native.memory.trim());
afterEach(() => {
  native.memory.limit = limit;
  vi.restoreAllMocks();
});

describe('outputs that nobody keeps', () => {
  test('have a few buffers between them', () => {
    expect(buffersOf(2000)).toBeLessThan(1000);
    expect(native.memory.inUse).toBeLessThan(1000 * BYTES);
  });

  test('that a user may hold a view of are left to the collector', () => {
    const y = output();
    const lent = native.memory.inUse;
    const view = y.data;
    expect(native.memory.inUse).toBe(lent - BYTES);
    y.dispose();
    expect([view.length, native.memory.pooled]).toEqual([0, BYTES]);
  });

  test('count as lent until they are disposed of, and as pooled from then on', () => {
    const before = native.memory.inUse;
    const y = output();
    expect([native.memory.inUse - before, native.memory.pooled]).toEqual([BYTES, 0]);
    y.dispose();
    expect([native.memory.inUse - before, native.memory.pooled]).toEqual([0, BYTES]);
  });

  test('below 4 KB count for nothing', () => {
    const before = native.memory.inUse;
    const y = relu(tensor(new Float32Array(1000)));
    expect([y.numel, native.memory.inUse]).toEqual([1000, before]);
  });
});

test('the addon’s threads are asked to stay awake for as long as a collection takes', () => {
  const held = vi.spyOn(addon, 'holdThreads');
  buffersOf(200);
  expect(held).toHaveBeenCalled();
  expect(held.mock.calls.every(([us]) => us > 10 && us < 1e6)).toBe(true);
});

test('an output of 512 KB or more begins with a cache line', () => {
  const lengthOf = (numel: number): number =>
    relu(tensor(new Float32Array(numel))).data.buffer.byteLength;
  expect(lengthOf(2 ** 17 - 1)).toBe(2 ** 19 - 4);
  expect(lengthOf(2 ** 17)).toBe(2 ** 19 + 64);
});

describe('the limit', () => {
  test('is that of what is lent and pooled together', () => {
    native.memory.limit = 3 * BYTES;
    const kept = Array.from({ length: 5 }, output);
    expect(native.memory.inUse + native.memory.pooled).toBeLessThanOrEqual(3 * BYTES);
    for (const y of kept) y.dispose();
    expect(native.memory.inUse + native.memory.pooled).toBeLessThanOrEqual(3 * BYTES);
    expect(kept.every((y) => y.disposed)).toBe(true);
  });

  test('of 0 leaves all of it to the collector', () => {
    const y = output();
    native.memory.limit = 0;
    expect([native.memory.inUse, native.memory.pooled]).toEqual([0, 0]);
    for (let i = 0; i < 50; i++) output();
    expect([native.memory.inUse, y.numel]).toEqual([0, N]);
  });

  test('takes what was lent longest ago from the pool first, and no tensor loses an element', () => {
    native.memory.limit = 2 * BYTES;
    const kept = Array.from({ length: 6 }, (_, i) => relu(tensor(new Float32Array(N).fill(i))));
    for (let i = 0; i < 50; i++) output();
    expect(kept.map((y) => functional.mean(y).item())).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

const LOOP = `
  const { functional: { relu }, tensor, native } = load();
  const x = tensor(new Float32Array(${N}).fill(1));
  for (let i = 0; i < 1000; i++) relu(x);
  const few = native.memory.inUse + native.memory.pooled < 500 * ${BYTES};`;

test.each([
  ['a Worker', [], `evalWorker(${JSON.stringify(`${LOOP} console.log(few, typeof gc);`)});`],
  ['a program without a function gc', [], `${LOOP} console.log(few, typeof gc);`],
])('memory comes back in %s, and the program sees no gc', async (_, flags, program) => {
  expect(await runChild(program, { flags })).toEqual(well('true undefined\n'));
});

test('where V8 has frozen its flags, calls leave their memory to the collector', async () => {
  const program = `${LOOP} console.log(native.memory.inUse, native.memory.pooled);`;
  const ended = await runChild(program, { flags: ['--freeze-flags-after-init'] });
  expect(ended).toEqual(well('0 0\n'));
});

test('a process that is quiet gives it back, and may end before that', async () => {
  // What has become old waits for a major collection, which less than 16 MB are not worth.
  const program = `${LOOP}
    const left = () => native.memory.pooled + Math.max(0, native.memory.inUse - 2 ** 24);
    (async () => {
      for (let i = 0; i < 100 && left() > 0; i++) await new Promise((resolve) => setTimeout(resolve, 200));
      console.log(left());
      for (let i = 0; i < 100; i++) relu(x); // arms the timer anew: the process ends without it
    })();`;
  expect(await runChild(program)).toEqual(well('0\n'));
});

test('old arrays that have died come back in a major collection before others are left to the collector', async () => {
  // A major collection costs a millisecond a MB of the heap, so it is for arrays that are large beside it: a process
  // of its own, whose heap is small.
  const MB = 2 ** 20;
  const program = `
    const { functional: { relu }, tensor, native } = load();
    const large = tensor(new Float32Array(${16 * MB})), small = tensor(new Float32Array(1024));
    const arrays = (bytes) => Math.round(bytes / ${64 * MB});
    native.memory.limit = ${(2 * 64 + 32) * MB};
    const outputs = [relu(large), relu(large)];
    for (let i = 0; i < 3; i++) {
      gc({ type: 'minor' });
      relu(small); // has the pool see the collection: its arrays grow old
    }
    outputs.length = 0;
    relu(large);
    console.log(arrays(native.memory.inUse), arrays(native.memory.pooled));`;
  expect(await runChild(program, { flags: ['--expose-gc'] })).toEqual(well('1 1\n'));
});

// At the end of the file: the clock is ahead of the real one from here on, which would hold up collections.
let clock = 0;

/** A clock that advances by 1 ms whenever it is asked: what the pool thinks of its time does not depend on the load. */
function countingClock(): void {
  clock = Math.max(clock, performance.now());
  vi.spyOn(performance, 'now').mockImplementation(() => ++clock);
}

test('the arrays of a step that fills the limit come back', () => {
  countingClock();
  native.memory.limit = 40 * BYTES;
  const buffers = new WeakSet<ArrayBufferLike>();
  // of 1500 in 50 steps, where V8's own collections make more of them old at one time than at another
  const different = Array.from({ length: 4 }, () => {
    let count = 0;
    for (let step = 0; step < 50; step++) {
      for (const { buffer } of Array.from({ length: 30 }, output).map(floats)) {
        if (!buffers.has(buffer)) count++;
        buffers.add(buffer);
      }
    }
    return count;
  });
  expect(Math.min(...different)).toBeLessThan(500);
});

test('outputs have few buffers again soon after large ones', () => {
  countingClock();
  const large = tensor(new Float32Array(16 * N).fill(1));
  const kept: Tensor[] = []; // 240 MB of a step
  for (let i = 0; i < 120; i++) kept[i % 30] = relu(large);
  kept.length = 0;
  for (let i = 0; i < 100; i++) output();
  expect(buffersOf(200)).toBeLessThan(100); // 16 to 73; where it waits for as many bytes as the large ones had: 129
});

test('arrays that are alive are not asked after for each output that finds no room', () => {
  const small = tensor(new Float32Array(2048).fill(1));
  native.memory.limit = 2500 * 4 * 2048;
  const kept = Array.from({ length: 4000 }, () => relu(small)); // beyond the limit, and more of them old each time
  let asked = 0;
  const { weakAlive } = addon;
  addon.weakAlive = (slot) => (asked++, weakAlive(slot));
  try {
    for (let i = 0; i < 1000; i++) kept[i] = relu(small);
  } finally {
    addon.weakAlive = weakAlive;
  }
  expect(asked).toBeLessThan(100_000); // 3000 to 5000; the old ones for each output: 560,000
});

test('memory that comes back again and again is moved to large pages, once', () => {
  countingClock();
  const { gatherPages } = addon;
  const moved: ArrayBufferLike[] = [];
  addon.gatherPages = ({ buffer }) => void moved.push(buffer); // a spy would keep the arrays alive
  try {
    const small = tensor(new Float32Array(1500).fill(1));
    for (let i = 0; i < 50_000; i++) relu(small);
    buffersOf(200); // not worth it yet
    expect(moved).toEqual([]);
    buffersOf(3000);
    expect(moved.length).toBeGreaterThan(0);
    expect(new Set(moved).size).toBe(moved.length);
  } finally {
    addon.gatherPages = gatherPages;
  }
});
