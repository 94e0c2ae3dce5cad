// Arrays longer than any Buffer (4 GiB in Node 20), and longer than any array.
import { constants } from 'node:buffer';
import { freemem } from 'node:os';
import { describe, expect, test } from 'vitest';

import { runChild, well } from '../helpers/child.js';

const NEEDED = 12 * 2 ** 30;
const free = freemem();
if (free < NEEDED) {
  console.warn(`large arrays: skipped, ${Math.floor(free / 2 ** 30)} of 12 GiB of memory are free`);
}

describe('an output above 4 GiB', () => {
  test.skipIf(free < NEEDED)(
    'is there, whole',
    async () => {
      const program = `
      const { functional, tensor } = load();
      const rows = 2 ** 28 + 2 ** 20, numel = 4 * rows; // 4.3 GB
      const x = new Float32Array(numel); // pages that are only read cost nothing
      x.set([1, 2, 3, 4]);
      x.set([5, 6, 7, 8], numel - 4);
      const y = functional.relu(tensor(x, [rows, 4]));
      console.log(y.numel === numel, y.data.subarray(0, 5).join(), y.data.subarray(numel - 5).join());`;
      expect(await runChild(program)).toEqual(well('true 1,2,3,4,0 0,5,6,7,8\n'));
    },
    120_000,
  );

  test.skipIf(constants.MAX_LENGTH > 2 ** 32)(
    'that no array can hold is refused with the limit',
    async () => {
      const program = `
      const { nn } = load();
      for (const make of [() => new nn.Linear(2 ** 33, 1), () => new nn.BatchNorm1d(2 ** 32 + 1)]) {
        try { make(); console.log('no error'); } catch (error) { console.log(error.name, error.message); }
      }`;
      const said = (got: number): string =>
        `RangeError evenkeel: expected an array of at most 4294967296 elements (the limit of Node ${process.version}), got ${got}.\n`;
      expect(await runChild(program)).toEqual(well(said(2 ** 33) + said(2 ** 32 + 1)));
    },
  );
});
