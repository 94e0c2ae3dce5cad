// The table of docs/decisions/0010-the-doctors-thresholds.md, which LARGE_DRIFT is chosen from: trained anew, compared.
import { readFileSync } from 'node:fs';

import { manualSeed } from 'evenkeel';
import { diagnose, recalibrate } from 'evenkeel/doctor';
import { expect, it } from 'vitest';

import {
  accuracy,
  batches,
  digitNet,
  train,
  trained,
  type NetOptions,
  type Training,
} from './digits.js';

const TRAININGS: Readonly<Record<string, readonly [NetOptions, Training]>> = {
  '3 epochs': [{}, {}],
  '1 epoch': [{}, { epochs: 1 }],
  'batches of 8': [{}, { batchSize: 8 }],
  'batches of 4': [{}, { batchSize: 4 }],
  'Dropout(0.5) between the BatchNorms': [{ before: 0.5 }, {}],
  'momentum 0.01, 3 epochs': [{ batchNorm: { momentum: 0.01 } }, {}],
  'momentum null, 3 epochs': [{ batchNorm: { momentum: null } }, {}],
  'momentum null, 1 epoch': [{ batchNorm: { momentum: null } }, { epochs: 1 }],
  'momentum 0.01, 1 epoch': [{ batchNorm: { momentum: 0.01 } }, { epochs: 1 }],
  'momentum 0.001, 1 epoch': [{ batchNorm: { momentum: 0.001 } }, { epochs: 1 }],
};
const SEEDS = [1, 2];

/** Size of the first layer's drift on the training data, test accuracy, and the same after recalibrating. */
function measure(seed: number, net: NetOptions, training: Training): [number, number, number] {
  const model = trained(seed, net, training);
  manualSeed(seed); // the order of the batches
  const { size } = diagnose(model, batches(train, 100)).layers[0]!.drift!;
  const before = accuracy(model);
  const copy = digitNet(net);
  copy.loadStateDict(model.stateDict());
  recalibrate(copy, batches(train, training.batchSize));
  return [size, before, accuracy(copy.eval())];
}

const percents = (parts: readonly number[]): string =>
  `${parts.map((part) => (100 * part).toFixed(1)).join(', ')} %`;

it('the table of decision 10 is what these networks give', () => {
  const rows = Object.entries(TRAININGS).map(([name, [net, training]]) => {
    const found = SEEDS.map((seed) => measure(seed, net, training));
    const sizes = found.map(([size]) => size.toFixed(2)).join(', ');
    return [
      name,
      sizes,
      percents(found.map((each) => each[1])),
      percents(found.map((each) => each[2])),
    ];
  });
  const page = readFileSync(
    new URL('../../docs/decisions/0010-the-doctors-thresholds.md', import.meta.url),
    'utf8',
  );
  const table = page.slice(page.indexOf('| training '), page.indexOf('Healthy ones stay'));
  const committed = [...table.matchAll(/^\| (.*) \|$/gm)]
    .map(([, cells]) => cells!.split('|').map((cell) => cell.trim()))
    .slice(2);
  expect(committed).toEqual(rows);
});
