// The errors of exp, log and their kind in float32, over every float: docs/function-errors.json, and the table of
// docs/operations.md. test/native/functions.test.ts compares both with what it measures.
//
//   node scripts/function-errors.mjs [--cases 4294967296]      a quarter of an hour on two CPUs
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { format, resolveConfig } from 'prettier';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { cases: { type: 'string', default: String(2 ** 32) } } });

/** @typedef {{ name: string, ulp: number, at: number, aboveOne: number, inputs: number }} Measured */

run('cmake', ['--preset', 'plain']);
run('cmake', ['--build', '--preset', 'plain']);
const program = join(root, 'build-check', 'plain', 'evenkeel-check');
const printed = run(program, ['ulps', '--cases', values.cases]);

const line = /^ {2}(\S.*?) +([\d.]+) ulp at (\S+), (\S+) of (\d+) above 1$/gm;
const found = [...printed.matchAll(line)].map(([, name = '', ulp, at, aboveOne, inputs]) => ({
  name,
  ulp: Number(ulp),
  at: Number(at),
  aboveOne: Number(aboveOne),
  inputs: Number(inputs),
}));
if (found.length === 0) throw new Error(`evenkeel-check ulps: nothing is measured\n${printed}`);
await write('function-errors.json', JSON.stringify({ functions: found }));

const page = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
const [begin, end] = ['<!-- function errors -->', '<!-- /function errors -->'];
const [before = '', rest = ''] = page.split(begin);
const [, after = ''] = rest.split(end);
await write('operations.md', `${before}${begin}\n\n${table(found)}\n\n${end}${after}`);

/** @param {Measured[]} measured */
function table(measured) {
  const rows = measured.map(
    ({ name, ulp, at, aboveOne }) =>
      `| \`${name}\` | ${ulp.toFixed(2)} | ${at.toPrecision(3)} | ${(100 * aboveOne).toPrecision(2)} % |`,
  );
  const [{ inputs } = { inputs: 1 }] = measured;
  const step = Math.round(2 ** 32 / inputs);
  return [
    step === 1 ? 'Over every float:' : `Over every ${step}th float (0, denormals, infinities too):`,
    '',
    '| function | largest error, ulp | at | inputs above 1 ulp |',
    '| --- | --: | --: | --: |',
    ...rows,
  ].join('\n');
}

/**
 * @param {string} name - in docs/
 * @param {string} text
 */
async function write(name, text) {
  const filepath = join(root, 'docs', name);
  const options = await resolveConfig(filepath);
  writeFileSync(filepath, await format(text, { ...options, filepath }));
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: failed\n${stdout}`);
  return stdout;
}
