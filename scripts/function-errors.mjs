// The errors of exp, log and their kind in float32, over every float: docs/function-errors.json, and the table of
// docs/operations.md. test/native/functions.test.ts compares both with what it measures.
//
//   node scripts/function-errors.mjs [--functions exp,log] [--cases 4294967296]
//
// A quarter of an hour on two CPUs for all of them. Functions that are not named keep the figures they have.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { format, resolveConfig } from 'prettier';

import { parseJson, root } from './tools.mjs';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: String(2 ** 32) },
    functions: { type: 'string' },
  },
});

/** @typedef {{ name: string, ulp: number, at: number, aboveOne: number, inputs: number }} Measured */

run('cmake', ['--preset', 'plain']);
run('cmake', ['--build', '--preset', 'plain']);
const program = join(root, 'build-check', 'plain', 'evenkeel-check');
const names = measured(1000).map(({ name }) => name);
const wanted = values.functions?.split(',') ?? names;
for (const name of wanted) {
  if (!names.includes(name)) throw new Error(`--functions: ${name} is none of ${names.join(', ')}`);
}
const before = /** @type {{ functions: Measured[] }} */ (
  parseJson(readFileSync(join(root, 'docs', 'function-errors.json'), 'utf8'))
);
const found = names.flatMap((name, i) =>
  wanted.includes(name)
    ? measured(Number(values.cases), i + 1)
    : before.functions.filter((each) => each.name === name),
);
await write('function-errors.json', JSON.stringify({ functions: found }));

const page = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
const [begin, end] = ['<!-- function errors -->', '<!-- /function errors -->'];
const [above = '', rest = ''] = page.split(begin);
const [, after = ''] = rest.split(end);
await write('operations.md', `${above}${begin}\n\n${table(found)}\n\n${end}${after}`);

/**
 * @param {number} cases - that many floats
 * @param {number} only - the number of a function; 0: all
 * @returns {Measured[]}
 */
function measured(cases, only = 0) {
  const args = ['ulps', '--cases', String(cases), '--only', String(only)];
  const printed = run(program, args);
  const line = /^ {2}(\S.*?) +([\d.]+) ulp at (\S+), (\S+) of (\d+) above 1$/gm;
  const each = [...printed.matchAll(line)].map(([, name = '', ulp, at, aboveOne, inputs]) => ({
    name,
    ulp: Number(ulp),
    at: Number(at),
    aboveOne: Number(aboveOne),
    inputs: Number(inputs),
  }));
  if (each.length === 0) throw new Error(`evenkeel-check ulps: nothing is measured\n${printed}`);
  return each;
}

/** @param {Measured[]} all */
function table(all) {
  const rows = all.map(
    ({ name, ulp, at, aboveOne }) =>
      `| \`${name}\` | ${ulp.toFixed(2)} | ${at.toPrecision(3)} | ${(100 * aboveOne).toPrecision(2)} % |`,
  );
  const step = Math.round(2 ** 32 / Math.min(...all.map(({ inputs }) => inputs)));
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
