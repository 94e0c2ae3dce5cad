// `npm start`: trains a small network with BatchNorm1d on 10,000 real digits, then shows what the
// four cases of `training` x `trackRunningStats` make of the same weights, and what the doctor says of it. `-- --help` for options.
import { data, functional, manualSeed, optim } from 'evenkeel';

import { readSettings } from './digits/arguments.js';
import { fourCases } from './digits/cases.js';
import { loadDigits } from './digits/data.js';
import { askDoctor } from './digits/doctor.js';
import { accuracy, digitNet } from './digits/model.js';
import { timeShares } from './digits/profile.js';
import { report, type Epoch } from './digits/report.js';

const settings = readSettings();
const { epochs, batchSize, lr, momentum, seed, json } = settings;
const { train, test } = loadDigits();

manualSeed(seed);
const model = digitNet();
const criterion = functional.crossEntropy;
const opt = new optim.SGD(model.parameters(), { lr, momentum });
// One sample alone has no variance to normalise by, so a last batch of one is left out.
const dropLast = train.length % batchSize === 1;
const loader = new data.DataLoader(train, { batchSize, shuffle: true, dropLast });
const show = report(settings, epochs * loader.length);
show.start(model);

const history: Epoch[] = [];
for (let epoch = 0; epoch < epochs; epoch++) {
  for (const group of opt.paramGroups) group.lr = lr * (1 - epoch / epochs);
  model.train();
  let [losses, samples] = [0, 0];
  const start = performance.now();

  for (const [x, label] of loader) {
    const loss = criterion(model.forward(x), label);
    opt.zeroGrad();
    loss.backward();
    opt.step();

    samples += label.numel;
    losses += loss.item() * label.numel;
    show.step(losses / samples);
  }

  const samplesPerSecond = samples / ((performance.now() - start) / 1000);
  const testAccuracy = accuracy(model.eval(), test);
  history.push({ loss: losses / samples, testAccuracy, samplesPerSecond });
  show.epoch(history);
}

const testAccuracy = history.at(-1)!.testAccuracy;
const cases = fourCases(model, test);
const diagnosis = askDoctor(model, train, test);
const seconds = performance.now() / 1000; // since the process started
if (json) {
  console.log(JSON.stringify({ epochs: history, testAccuracy, cases, doctor: diagnosis, seconds }));
} else {
  show.cases(cases);
  show.end(seconds, timeShares(model.train(), loader, opt));
  show.doctor(diagnosis);
}
