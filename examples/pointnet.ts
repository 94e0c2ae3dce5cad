// `npm run example:pointnet`: trains a PointNet on digits as sets of points. Early on its running statistics trail
// its weights: the same weights test far better when they are recomputed. `-- --help` for options.
import { data, functional, manualSeed, optim } from 'evenkeel';

import { loadDigits } from './digits/data.js';
import { readSettings, testSize } from './pointnet/arguments.js';
import { examine } from './pointnet/examine.js';
import { PointNet } from './pointnet/model.js';
import { asPoints } from './pointnet/points.js';
import { report, type Epoch } from './pointnet/report.js';

const settings = readSettings();
const { epochs, batchSize, lr, digits, seed, json } = settings;
const pictures = loadDigits();
const train = asPoints(pictures.train, digits);
const test = asPoints(pictures.test, testSize(digits));

manualSeed(seed);
const model = new PointNet();
const opt = new optim.Adam(model.parameters(), { lr });
// One digit alone has no variance to normalise by in the head, so a last batch of one is left out.
const dropLast = train.length % batchSize === 1;
const loader = new data.DataLoader(train, { batchSize, shuffle: true, dropLast });
const show = report(settings, epochs * loader.length);
show.start(model);

const history: Epoch[] = [];
for (let epoch = 0; epoch < epochs; epoch++) {
  model.train();
  let [losses, samples] = [0, 0];
  for (const [points, label] of loader) {
    const loss = functional.crossEntropy(model.forward(points), label);
    opt.zeroGrad();
    loss.backward();
    opt.step();

    samples += label.numel;
    losses += loss.item() * label.numel;
    show.step(losses / samples);
  }
  history.push({ loss: losses / samples, ...examine(model, train, test, batchSize) });
  show.epoch(history);
}

const seconds = performance.now() / 1000; // since the process started
if (json) console.log(JSON.stringify({ epochs: history, seconds }));
else show.end(history, seconds);
