// `node scripts/trap.mjs`: trains the digits of `npm start` and writes what docs/trap.md shows of them: the figures
// (docs/trap.json) and the picture. test/packaging/digits.test.ts trains anew and compares.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { built, must, parseJson, root } from './tools.mjs';

/** @typedef {{ training: boolean, trackRunningStats: boolean, batchSize: number, testAccuracy: number }} Case */

const tsx = createRequire(import.meta.url).resolve('tsx/cli');
const printed = must(process.execPath, [tsx, join(root, 'examples', 'digits.ts'), '--json']);
const { cases, doctor } = /** @type {{ cases: Case[], doctor: { mended: number } }} */ (
  parseJson(printed)
);

writeFileSync(
  join(root, 'docs', 'trap.json'),
  `${JSON.stringify({ cases, mended: doctor.mended }, null, 2)}\n`,
);

const { bars, pictureFile } =
  /** @type {Pick<typeof import('../src/report/index.js'), 'bars' | 'pictureFile'>} */ (
    built('report', 'index.js')
  );
const right = cases.find(({ training, trackRunningStats }) => !training && trackRunningStats);
const chart = bars({
  title: 'The same weights in the four cases',
  summary: 'Accuracy on 2,000 digits; the line marks evaluation by running statistics.',
  axis: { title: 'accuracy on 2,000 digits', scale: 'linear', tick: percent, min: 0, max: 1 },
  aim: right?.testAccuracy ?? 1,
  bars: cases.map(({ training, trackRunningStats, batchSize, testAccuracy }) => ({
    name: `(${training}, ${trackRunningStats})`,
    small: `batches of ${batchSize}`,
    value: testAccuracy,
    colour: !training && trackRunningStats ? 'blue' : 'orange',
    label: `${(100 * testAccuracy).toFixed(2)} %`,
    hint: '',
  })),
});
writeFileSync(join(root, 'docs', 'pictures', 'trap.svg'), pictureFile(chart));

/** @param {number} share */
function percent(share) {
  return `${Math.round(100 * share)} %`;
}
