// Medians and the order of turns, on a clock of our own: nothing here waits for real time.
import { describe, expect, it } from 'vitest';

import { measure, spreadOf, turnsOf, type Budget, type Turns } from '../../bench/measure.js';

const BUDGET: Budget = {
  ...{ turnLength: 100, warmUp: 0, caseLength: 10 },
  ...{ minRounds: 5, maxRounds: 9 },
};

describe('spreadOf', () => {
  it('is the median, and the 10th and 90th percentile between neighbours', () => {
    const values = Float64Array.from([10, 1, 9, 2, 8, 3, 7, 4, 6, 5, 0]);
    expect(spreadOf(values)).toEqual({ p10: 1, median: 5, p90: 9 });
    expect(spreadOf(Float64Array.of(4, 1))).toEqual({ p10: 1.3, median: 2.5, p90: 3.7 });
    expect(spreadOf(Float64Array.of(3))).toEqual({ p10: 3, median: 3, p90: 3 });
  });
});

describe('turnsOf', () => {
  it('leaves the first call untimed, and divides by the others', () => {
    let [now, called] = [0, 0];
    const turn = turnsOf(
      () => {
        called++;
        now += called === 1 ? 1000 : 10;
      },
      () => now,
    );
    expect(turn(4)).toBe(10);
    expect(called).toBe(5);
    expect(turn(1)).toBe(10);
    expect(called).toBe(7);
  });
});

describe('measure', () => {
  /** A contender whose calls last `us` each on the clock `time`, and that logs its turns. */
  function contender(
    name: string,
    us: readonly number[],
    time: { now: number },
    log: string[],
  ): Turns {
    let i = 0;
    return {
      name,
      turn: (calls) => {
        const each = us[i++ % us.length]!;
        time.now += calls * each;
        log.push(name);
        return each;
      },
    };
  }

  it.each([
    ['agree within 1 %', [100, 101], 11],
    ['do not', [100, 110], 41],
  ])('ends after 11 rounds where the last ones %s', async (_, us, turns) => {
    const time = { now: 0 };
    const budget = { ...BUDGET, caseLength: 1000, maxRounds: 41 };
    const [timing] = await measure([contender('one', us, time, [])], budget, () => time.now);
    expect(timing!.turns).toBe(turns);
  });

  it('fills a turn with calls, and takes as many rounds as the case can afford', async () => {
    const time = { now: 0 };
    const fast = contender('fast', [10], time, []);
    const slow = contender('slow', [500], time, []);
    // A round is twice 10 + 1 calls of 10 µs and once 1 + 1 of 500: 8.2 rounds in 10 ms.
    const [a, b] = await measure([fast, slow], BUDGET, () => time.now);
    expect(a).toEqual({ median: 10, p10: 10, p90: 10, mean: 10, turns: 8, calls: 10 });
    expect(b).toEqual({ median: 500, p10: 500, p90: 500, mean: 500, turns: 8, calls: 1 });
  });

  it('does not take the first, cold calls for the cost of one', async () => {
    const time = { now: 0 };
    const cold = [400, 400, 400, 20];
    let i = 0;
    const one: Turns = {
      name: 'one',
      turn: (calls) => {
        const us = cold[Math.min(i++, cold.length - 1)]!;
        time.now += calls * us;
        return us;
      },
    };
    const [timing] = await measure([one], { ...BUDGET, warmUp: 4000 }, () => time.now);
    expect(timing).toMatchObject({ median: 20, calls: 5 });
  });

  it('leads a turn of several calls in with one that is not timed', async () => {
    const log: string[] = [];
    const time = { now: 0 };
    const contenders = [contender('a', [50], time, log), contender('b', [1000], time, log)];
    await measure(contenders, { ...BUDGET, maxRounds: 5 }, () => time.now);
    // Two turns, of one call and of two, tell how many calls fill one of a's.
    expect(log.join('')).toBe('aab' + 'aab' + 'baa' + 'aab' + 'baa' + 'aab');
  });

  it('takes the least number of rounds when a case costs more than its time', async () => {
    const time = { now: 0 };
    const [timing] = await measure([contender('a', [3000], time, [])], BUDGET, () => time.now);
    expect(timing).toMatchObject({ turns: 5, calls: 1 });
  });

  it('stops after three rounds when the machine has become much slower', async () => {
    const time = { now: 0 };
    const contenders = [contender('a', [200, 90_000], time, [])];
    const [timing] = await measure(contenders, BUDGET, () => time.now);
    expect(timing!.turns).toBe(3);
  });

  it('lets contenders take turns, each round begining one further on', async () => {
    const log: string[] = [];
    const time = { now: 0 };
    const names = ['a', 'b', 'c'];
    const contenders = names.map((name) => contender(name, [1000], time, log));
    await measure(contenders, { ...BUDGET, maxRounds: 5 }, () => time.now);
    expect(log.join('')).toBe('abc' + 'abc' + 'bca' + 'cab' + 'abc' + 'bca');
  });

  it('is the median of the turns, not of what calibrating saw', async () => {
    const time = { now: 0 };
    const contenders = [contender('a', [5000, 300, 100, 200, 500, 400], time, [])];
    const [timing] = await measure(contenders, BUDGET, () => time.now);
    expect(timing).toMatchObject({ median: 300, turns: 5 });
  });
});
