// `npm run example:workers`: trains the digits network, then evaluates it in Workers that share its
// weights and the images by SharedArrayBuffer. `-- --help` for options.
import { data, functional, manualSeed, native, optim } from 'evenkeel';

import { loadDigits, type Digits } from './digits/data.js';
import { digitNet } from './digits/model.js';
import { readSettings } from './parallel-evaluation/arguments.js';
import { evaluate } from './parallel-evaluation/evaluate.js';
import { measure, TURNS } from './parallel-evaluation/measure.js';
import { isSame, report } from './parallel-evaluation/report.js';
import { inputBytes, share } from './parallel-evaluation/shared.js';
import { startTeam } from './parallel-evaluation/team.js';

const settings = readSettings();
const { workers, images, passes, epochs, seed, json } = settings;
const { train, test } = loadDigits();
manualSeed(seed);
const model = digitNet();
const show = report(settings);
show.start(model);

show.doing('training …');
trainOn(train);
const shared = share(model.eval(), test, images);

const inMain = (total: number): void => {
  evaluate(model, shared, total);
};
const team = await startTeam(workers, shared);
const ways = [
  { workers: 0, threads: 1, evaluate: inMain },
  ...(native.threads > 1 ? [{ workers: 0, threads: native.threads, evaluate: inMain }] : []),
  // A core for each Worker and no more: its kernels run on one thread.
  ...counts(workers).map((count) => ({
    workers: count,
    threads: 1,
    evaluate: (total: number) => team.evaluate(count, total),
  })),
];
const runs = await measure(shared, passes, ways, (turn) => {
  show.doing(turn === 0 ? 'warming up …' : `measuring, turn ${turn} of ${TURNS} …`);
});
await team.end();

const memory = { shared: inputBytes(shared), own: team.ownBytes };
const seconds = performance.now() / 1000; // since the process started
if (json) console.log(JSON.stringify({ images, runs, memory, seconds }));
else show.end(runs, memory, seconds);
if (!isSame(runs)) process.exitCode = 1;

function trainOn(digits: Digits): void {
  const lr = 0.1;
  const opt = new optim.SGD(model.parameters(), { lr, momentum: 0.9 });
  const loader = new data.DataLoader(digits, { batchSize: 128, shuffle: true });
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const group of opt.paramGroups) group.lr = lr * (1 - epoch / epochs);
    for (const [x, label] of loader) {
      const loss = functional.crossEntropy(model.forward(x), label);
      opt.zeroGrad();
      loss.backward();
      opt.step();
    }
  }
}

/** 1, 2, 4, … and the most. */
function counts(most: number): number[] {
  const powers = Array.from({ length: 7 }, (_, i) => 2 ** i);
  return [...powers.filter((each) => each < most), most];
}
