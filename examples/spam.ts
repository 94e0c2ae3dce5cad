// `npm run example:spam`: trains a network that reads mails byte by byte to tell spam. Each epoch it is tested by its
// running statistics, and by exact ones. `-- --help` for options.
import { data, functional, manualSeed, nn, optim } from 'evenkeel';

import { readSettings } from './spam/arguments.js';
import { loadMails } from './spam/data.js';
import { examine, type Epoch } from './spam/examine.js';
import { SpamNet } from './spam/model.js';
import { report } from './spam/report.js';

const settings = readSettings();
const { epochs, steps, batchSize, lr, seed, json } = settings;
const { train, test } = loadMails();

manualSeed(seed);
const model = new SpamNet();
const opt = new optim.AdamW(optim.groups(model, { weightDecay: 0.01 }), { lr });
// dropLast: one mail alone has no variance to normalise by in the head.
const loader = new data.DataLoader(train, { batchSize, shuffle: true, dropLast: true });
const totalSteps = epochs * loader.length;
const schedule = new optim.lrScheduler.OneCycleLR(opt, { maxLr: lr, totalSteps });
const show = report(settings, Math.min(steps, totalSteps));
show.start(model, train.length, test.length);

const history: Epoch[] = [];
let taken = 0;
while (taken < steps && history.length < epochs) {
  const start = performance.now();
  model.train();
  const losses: number[] = [];
  for (const [symbols, spam] of loader) {
    const loss = functional.binaryCrossEntropyWithLogits(model.forward(symbols), spam);
    opt.zeroGrad();
    loss.backward();
    nn.clipGradNorm_(model.parameters(), 1);
    opt.step();
    schedule.step();

    losses.push(loss.item());
    show.step(losses);
    if (++taken === steps) break;
  }
  const seconds = (performance.now() - start) / 1000;
  history.push({ losses, seconds, ...examine(model, train, test) });
  show.epoch(history);
}

const seconds = performance.now() / 1000; // since the process started
if (json) console.log(JSON.stringify({ epochs: history, seconds }));
else show.end(model, test, history, seconds);
