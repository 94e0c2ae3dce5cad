// `npm run example:birdstrikes`: trains a network on a table with categories to tell whether a strike damaged the
// aircraft, and keeps the weights of its best epoch. `-- --help` for options.
import { data, functional, manualSeed, optim, tensor } from 'evenkeel';

import { PATIENCE, readSettings } from './birdstrikes/arguments.js';
import { loadStrikes } from './birdstrikes/data.js';
import { importanceOf } from './birdstrikes/importance.js';
import { logitsOf, TableNet } from './birdstrikes/model.js';
import { report } from './birdstrikes/report.js';
import type { Epoch } from './birdstrikes/result.js';
import { areaUnderCurve } from './measures/binary.js';

const settings = readSettings();
const { epochs, steps, batchSize, lr, seed, json } = settings;
const { train, validation, test, sizes } = loadStrikes();
const labelsOf = (set: typeof test): Float32Array => set.tensors[2]!.data as Float32Array;

manualSeed(seed);
const model = new TableNet(sizes);
const opt = new optim.AdamW(optim.groups(model, { weightDecay: 0.05 }), { lr });
// dropLast: one strike alone has no variance to normalise by.
const loader = new data.DataLoader(train, { batchSize, shuffle: true, dropLast: true });
const schedule = new optim.lrScheduler.CosineAnnealingLR(opt, { tMax: epochs });
const stopping = new optim.EarlyStopping({ mode: 'max', patience: PATIENCE });
// One strike in nine does damage: each of those counts as much as the eight others.
const damaged = labelsOf(train).reduce((sum, each) => sum + each, 0);
const posWeight = tensor([(train.length - damaged) / damaged]);
const show = report(settings, Math.min(steps, epochs * loader.length));
show.start(model, damaged / train.length);

const history: Epoch[] = [];
let taken = 0;
while (taken < steps && history.length < epochs) {
  const start = performance.now();
  model.train();
  const losses: number[] = [];
  for (const [codes, numbers, target] of loader) {
    const logits = model.forward(codes, numbers);
    const loss = functional.binaryCrossEntropyWithLogits(logits, target, { posWeight });
    opt.zeroGrad();
    loss.backward();
    opt.step();

    losses.push(loss.item());
    show.step(losses);
    if (++taken === steps) break;
  }
  schedule.step();
  const seconds = (performance.now() - start) / 1000;
  const auc = areaUnderCurve(logitsOf(model.eval(), validation), labelsOf(validation));
  history.push({ losses, seconds, auc });
  show.epoch(history);
  if (stopping.step(auc, model)) break;
}
stopping.restore(model);

const logits = logitsOf(model.eval(), test);
const auc = areaUnderCurve(logits, labelsOf(test));
const importance = importanceOf(model, test);
const result = { epochs: history, bestEpoch: stopping.bestEpoch + 1, auc, importance };
const seconds = performance.now() / 1000; // since the process started
if (json) console.log(JSON.stringify({ ...result, seconds }));
else show.end(result, logits, labelsOf(test), seconds);
