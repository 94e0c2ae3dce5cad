// The programs of a user that the install test runs. Each prints one line, which is compared.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from '../tools.mjs';

/** A step of training; prints its result as hexadecimal bits. The same in every door and on every machine. */
const STEP = `
const x = tensor(Float32Array.from({ length: 64 * 24 }, (_, i) => Math.fround((i * 37) % 101) / 8), [64, 24]);
const bn = new nn.BatchNorm1d(24);
const y = bn.forward(x);
functional.sum(functional.mul(y, y)).backward();
const bits = [y, bn.runningVar, bn.weight.grad].flatMap((each) => [...new Uint32Array(new Float32Array(each.data).buffer)]);
console.log(bits.reduce((hash, word) => Math.imul(hash ^ word, 16777619) >>> 0, 2166136261).toString(16));
`;

export const COMMONJS = `const { functional, nn, tensor } = require('evenkeel');\n${STEP}`;

export const ESM = `
import { createRequire } from 'node:module';
import { Tensor, functional, nn, tensor } from 'evenkeel';
const other = createRequire(import.meta.url)('evenkeel');
if (Tensor !== other.Tensor) throw new Error('import and require gave two copies');
${STEP}`;

/** Without Node's own types: the package's must do without. */
export const TYPESCRIPT = `
import { functional, native, nn, tensor, type Tensor } from 'evenkeel';
declare const console: { log(text: string): void };
const isa: string = native.isa;
const shape: readonly number[] = tensor([[1, 2]]).shape;
const dispose = (t: Tensor): void => t.dispose();
if (isa === '' || shape.length !== 2) throw new Error('no such instruction set');
dispose(tensor([1]));
${STEP.replaceAll('bn.runningVar', 'bn.runningVar!')
  .replaceAll('bn.weight.grad', 'bn.weight!.grad!')
  .replaceAll('each.data)', 'each.data as Float32Array)')}
`;

/** The first example of README.md. */
export function readme() {
  const [, example = ''] =
    /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  if (!example.includes('new nn.BatchNorm1d')) throw new Error('README.md: no example of a model');
  return `${example}
console.log(model.training, [...model.parameters()].every((each) => each.data.every(Number.isFinite)));
`;
}

export const TWO_COPIES = `
const { createRequire } = require('node:module');
const first = require('evenkeel');
const second = createRequire(require.resolve('./other/package.json'))('evenkeel');
if (first === second) throw new Error('one copy only');
const results = [first, second].map(({ functional, nn, tensor }) => {
  const lines = [];
  const console = { log: (line) => lines.push(line) };
  ${STEP}
  return lines[0];
});
console.log(results.join(' '));
try {
  new first.nn.BatchNorm1d(24).forward(second.tensor([[1, 2]]));
  console.log('took it');
} catch (error) {
  console.log(error.message.slice(0, 200));
}
`;

export const RANKS = `
import { createHash } from 'node:crypto';
import { manualSeed, nn, optim, tensor } from 'evenkeel';
import { distributed } from 'evenkeel/distributed';
const world = await distributed.init({ timeout: 30000 });
manualSeed(1);
const model = nn.convertSyncBatchNorm(new nn.Sequential(new nn.Linear(4, 8), new nn.BatchNorm1d(8), new nn.Linear(8, 2)));
const replica = distributed.dataParallel(model);
const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
const { begin, end } = distributed.share(200, world.rank, world.size);
const x = tensor(Float32Array.from({ length: 4 * (end - begin) }, (_, i) => ((4 * begin + i) * 7 % 23) / 23), [end - begin, 4]);
const y = Int32Array.from({ length: end - begin }, (_, i) => (begin + i) % 2);
for (let step = 0; step < 5; step++) {
  optimizer.zeroGrad();
  new nn.CrossEntropyLoss().forward(model.forward(x), y, { of: 200 }).backward();
  replica.reduceGradients();
  optimizer.step();
}
const hash = createHash('sha256');
for (const [, { data }] of model.stateDict()) hash.update(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
console.log(world.size + ' processes ' + world.backend + ' ' + hash.digest('hex').slice(0, 16));
`;

export const WHAT_HAPPENS = `
try {
  require('evenkeel');
  console.log('loaded');
} catch (error) {
  console.log(error.message);
}
`;
