// `npm run example:pointnet`: trains a PointNet on digits as sets of points. Early on its running statistics trail
// its weights: the same weights test far better when they are recomputed. `-- --help` for options.
import { data, functional, manualSeed, optim } from 'evenkeel';
import { diagnose } from 'evenkeel/doctor';

import { loadDigits } from './digits/data.js';
import { readSettings, SLOWER_FROM, testSize } from './pointnet/arguments.js';
import { examine, type Epoch, type Test } from './pointnet/examine.js';
import { PointNet } from './pointnet/model.js';
import { asPoints } from './pointnet/points.js';
import { report } from './pointnet/report.js';

const settings = readSettings();
const { epochs, steps, batchSize, lr, digits, tests, seed, json } = settings;
const pictures = loadDigits();
const train = asPoints(pictures.train, digits);
const test = asPoints(pictures.test, testSize(digits));

manualSeed(seed);
const model = new PointNet();
const opt = new optim.Adam(model.parameters(), { lr });
const schedule = new optim.lrScheduler.MultiStepLR(opt, { milestones: [SLOWER_FROM], gamma: 0.1 });
// One digit alone has no variance to normalise by in the head, so a last batch of one is left out.
const dropLast = train.length % batchSize === 1;
const loader = new data.DataLoader(train, { batchSize, shuffle: true, dropLast });
const show = report(settings, Math.min(steps, epochs * loader.length));
show.start(model);

const history: Epoch[] = [];
const curve: Test[] = [];
let taken = 0;
while (taken < steps && history.length < epochs) {
  const losses: number[] = [];
  let seconds = 0;
  let start = performance.now();
  model.train();
  for (const [points, label] of loader) {
    const loss = functional.crossEntropy(model.forward(points), label);
    opt.zeroGrad();
    loss.backward();
    opt.step();

    losses.push(loss.item());
    show.step(losses);
    if (++taken === steps) break;
    if (isTested(losses.length)) {
      seconds += (performance.now() - start) / 1000;
      curve.push({ epoch: taken / loader.length, ...examine(model, train, test) });
      model.train();
      start = performance.now();
    }
  }
  schedule.step();
  seconds += (performance.now() - start) / 1000;
  const examined = examine(model, train, test);
  const { findings } = diagnose(model, new data.DataLoader(test, { batchSize: 64 }));
  curve.push({ epoch: taken / loader.length, ...examined });
  history.push({ losses, seconds, ...examined, findings });
  show.epoch(history);
}

const seconds = performance.now() / 1000; // since the process started
if (json) {
  const short = curve.map(({ epoch, running, recalibrated }) => ({ epoch, running, recalibrated }));
  const own = history.map(({ taken: _, ...each }) => each);
  console.log(JSON.stringify({ epochs: own, curve: short, seconds }));
} else {
  show.end(test, history, curve, seconds);
}

/** Whether there is a test after so many steps of an epoch, which has not ended. */
function isTested(step: number): boolean {
  const count = history.length < 2 ? tests : 1;
  const part = (step * count) / loader.length;
  return step < loader.length && Math.floor(part) > Math.floor(part - count / loader.length);
}
