// Every way of ours computes what the case says, by the float64 reference; and the reference sees it
// when it does not. Turns are taken once and not timed.
import { beforeAll, describe, expect, it } from 'vitest';
import { manualSeed, native } from 'evenkeel';

import { allCases, type Case } from '../../bench/cases.js';
import { ourContenders } from '../../bench/contenders.js';
import { makeJob, type Floats } from '../../bench/data.js';
import { select } from '../../bench/filter.js';
import { limitContenders } from '../../bench/limits.js';
import { referenceOf } from '../../bench/reference.js';
import { sharesOf } from '../../bench/step.js';

const cases = select(
  allCases(2 ** 20),
  'forward 32x64, forward 32x64x128, evaluate 32x64, evaluate 32x64x128, backward 32x64, ' +
    'backward 32x64x128, forward+backward 32x64, sum-gradient 256x1024, channels-last 64x7x64, ' +
    'float64 32x64, small-length 64x64x7, batch-sizes 2x64x128, step 32x64x64x10, threads 1024x1024',
);
const named = cases.map((each): [string, Case] => [`${each.group} ${each.shape.join('x')}`, each]);

beforeAll(() => {
  manualSeed(1);
});

const bytes = ({ buffer }: Floats): Uint8Array => new Uint8Array(buffer);

describe.each(named)('%s', (_, each) => {
  const job = makeJob(each);

  it('is computed right in every way, before and after a turn', async () => {
    const errorOf = referenceOf(job);
    // Measured: 3.9 at most in float32; 9.8 in float64, whose sums have no wider type to be in.
    const bound = each.dtype === 'float32' ? 6 : 12;
    for (const { name, turn, output } of ourContenders(job)) {
      for (let i = 0; i < 2; i++) {
        if (output !== undefined) expect(errorOf(await output()), name).toBeLessThan(bound);
        expect(await turn(2)).toBeGreaterThan(0);
      }
    }
  });

  it('is the same arrays in every run', () => {
    const again = makeJob(each);
    expect(Buffer.compare(bytes(again.x), bytes(job.x))).toBe(0);
    expect(again.case).toBe(each);
  });

  it('has a limit that runs on its buffers', async () => {
    for (const { turn } of limitContenders(job)) expect(await turn(1)).toBeGreaterThan(0);
  });
});

describe('referenceOf', () => {
  const job = makeJob(select(cases, 'forward 32x64')[0]!);
  const right = ourContenders(job)[0]!.output!() as Floats;
  const errorOf = referenceOf(job);

  it('sees one wrong element, by how much it is wrong', () => {
    const wrong = right.slice();
    wrong[77]! += 2 ** -24 * 1000;
    expect(errorOf(wrong)).toBeGreaterThan(500);
  });

  it.each([
    ['a NaN', (y: Floats) => y.fill(NaN, 5, 6)],
    ['an end cut off', (y: Floats) => y.subarray(1)],
  ])('is NaN for %s', (_, spoil) => {
    expect(errorOf(spoil(right.slice()))).toBeNaN();
  });

  it('sees a wrong gradient and a wrong loss', () => {
    const backward = makeJob(select(cases, 'backward 32x64')[0]!);
    const dx = (ourContenders(backward)[0]!.output!() as Floats).slice();
    dx[3]! *= 1.001;
    expect(referenceOf(backward)(dx)).toBeGreaterThan(50);
    const step = makeJob(select(cases, 'step')[0]!);
    const [loss = 0] = ourContenders(step)[0]!.output!() as Floats;
    expect(referenceOf(step)(Float32Array.of(loss * 1.001))).toBeGreaterThan(1000);
  });
});

it('leaves the number of threads as it was', async () => {
  const before = native.threads;
  const job = makeJob(select(cases, 'threads')[0]!);
  for (const { turn } of ourContenders(job)) await turn(1);
  expect(native.threads).toBe(before);
});

it('finds every operation in a step, and its share of the whole', () => {
  const shares = sharesOf(makeJob(select(cases, 'step')[0]!), 3);
  expect(shares.map(({ operation }) => operation).sort()).toEqual(
    [
      ...['Linear 1', 'BatchNorm1d', 'ReLU', 'Dropout', 'Linear 2'].flatMap((layer) => [
        `${layer} forward`,
        `${layer} backward`,
      ]),
      'cross-entropy',
      'SGD',
    ].sort(),
  );
  expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
});
