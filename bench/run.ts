// `npm run bench`: a training forward through the public API beside the bare passes over the same
// buffers, in turns. `--quick` takes fewer turns, `--json` prints the samples' medians and spread.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

import { native } from 'evenkeel';

import { makeCase, SHAPES, type Case } from './cases.js';
import { measure, type Budget } from './measure.js';
import { table, type Row } from './report.js';

function run({ shape, x, out, layer }: Case, budget: Budget): Row {
  const from = x.data as Float32Array;
  const to = out.data as Float32Array;
  const copy = (): void => native.limits.copy(from, to);
  const readThenCopy = (): void => {
    native.limits.read(from);
    native.limits.copy(from, to);
  };
  const timings = measure(
    {
      copy,
      // [N, C] has no way round reading twice; one channel of [N, C, L] stays in cache in between.
      limit: shape.length === 2 ? readThenCopy : copy,
      forward: () => void layer.forward(x),
      into: () => void layer.forward(x, { out }),
    },
    budget,
  );
  return { shape, ...timings };
}

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean' }, quick: { type: 'boolean' } },
});
const budget =
  flags.quick === true ? { turns: 15, turnLength: 500 } : { turns: 61, turnLength: 3000 };
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  isa: native.isa,
  threads: native.threads,
  node: process.version,
  evenkeel: native.version,
};
const rows = SHAPES.map((shape) => run(makeCase(shape), budget));
if (flags.json === true) {
  console.log(JSON.stringify({ machine, rows }, null, 2));
} else {
  console.log(
    `evenkeel ${machine.evenkeel}, ${machine.isa}, ${machine.threads} threads, Node ${machine.node}, ${machine.cpu}`,
  );
  console.log('BatchNorm1d training forward, float32, µs a call (medians, contenders in turns)\n');
  console.log(table(rows));
  console.log(
    '\nlimit: read, read, write for [N, C]; read, write for [N, C, L]; over the same buffers.',
  );
}
