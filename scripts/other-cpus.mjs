// The same answers on other machines. Under qemu, as a CPU without AVX, with SSE4.2, with AVX2 and as aarch64
// (cross-compiled): the native program, scripts/one-hash.mjs and the tests, where every process of a test
// is emulated. In other Node versions: the last two. Digests must be those of this machine.
//
//   node scripts/other-cpus.mjs [--install] [--short] [--only qemu64,Nehalem,max,aarch64,node,node-24,…]
//                               [--steps program,hash,suite] [test/golden…]
//
// Needs a build (npm run test:machines makes one). --install: apt-get installs the emulators and the cross
// compiler, npm the Nodes; without, what is missing is skipped, with a line that says so.
import { parseArgs } from 'node:util';

import { LEFT_OUT } from './other-cpus/left-out.mjs';
import { aarch64, otherNode, thisMachine, x86 } from './other-cpus/machines.mjs';
import { isas, nativeProgram, oneHash, suite } from './other-cpus/steps.mjs';
import { Missing, table } from './tools.mjs';

/** @typedef {import('./other-cpus/machines.mjs').Machine} Machine */
/** @typedef {import('./other-cpus/steps.mjs').Outcome} Outcome */

const NODES = ['20.17', '20', '22', '24', '26'];
/** @type {[string, (install: boolean) => Machine][]} */
const MACHINES = [
  ['qemu64', (install) => x86('qemu64', install)],
  ['Nehalem', (install) => x86('Nehalem', install)],
  ['max', (install) => x86('max', install)],
  ['aarch64', aarch64],
  ...NODES.map(nodeMachine),
];
/** In a short run: the committed hashes everywhere, and what shows that the right instruction set is at work. */
const FEW_TESTS = {
  emulated: ['test/golden/bits', 'test/stress/loading'],
  native: ['test/golden', 'test/unit'],
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    install: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    only: { type: 'string', default: MACHINES.map(([name]) => name).join() },
    steps: { type: 'string', default: 'program,hash,suite' },
  },
});
const { install, short } = values;
const only = values.only.split(',');
const steps = values.steps.split(',');
/** @type {string[][]} */
const rows = [];
/** @type {string[]} */
const skipped = [];
let failures = 0;

/** What this machine says, by step. @type {Map<string, Outcome>} */
const answers = new Map();
tryOn('this machine', () => thisMachine);
for (const [name, make] of MACHINES) {
  const isAsked = only.some((each) => name === each || name.startsWith(`${each}-`));
  if (isAsked) tryOn(name, make);
}
report();

/**
 * @param {string} version
 * @returns {[string, (install: boolean) => Machine]}
 */
function nodeMachine(version) {
  return [`node-${version}`, (install) => otherNode(version, install)];
}

/**
 * @param {string} name
 * @param {(install: boolean) => Machine} make
 */
function tryOn(name, make) {
  try {
    const machine = make(install);
    const seen = isas(machine).join(' ');
    for (const [step, run] of stepsOf(machine)) row(name, seen, step, run);
  } catch (error) {
    if (error instanceof Missing) {
      skipped.push(`${name}: skipped, ${error.message}`);
      console.log(skipped.at(-1));
      return;
    }
    failures++;
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    rows.push([name, '', 'ended early', '', '1', '', '', '']);
  }
}

/**
 * @param {Machine} machine
 * @returns {[string, () => Outcome][]}
 */
function stepsOf(machine) {
  /** @type {[string, () => Outcome][]} */
  const all = [];
  const { program } = machine;
  if (steps.includes('program') && program !== null) {
    const cases = short ? 40 : 150;
    all.push(['native program', () => nativeProgram(program(), machine.hasGuards, cases)]);
  }
  if (steps.includes('hash')) {
    const shapes = short ? ['50', '--few'] : ['500', ...(machine.isThorough ? [] : ['--few'])];
    all.push([`one hash, ${shapes.join(' ')}`, () => oneHash(machine, shapes)]);
  }
  if (steps.includes('suite') && machine.node !== process.execPath) {
    const few = FEW_TESTS[machine.isEmulated ? 'emulated' : 'native'];
    all.push([short ? 'some tests' : 'tests', () => suite(machine, short ? few : positionals)]);
  }
  return all;
}

/**
 * @param {string} name
 * @param {string} seen
 * @param {string} step
 * @param {() => Outcome} run
 */
function row(name, seen, step, run) {
  console.log(`${name}: ${step}…`);
  const start = performance.now();
  const outcome = run();
  const [kind = ''] = step.split(',');
  const here = answers.get(kind) ?? outcome;
  answers.set(kind, here);
  // Without guard pages there is one digest less.
  const isSame =
    here.digest.startsWith(outcome.digest) && (outcome.digest === '') === (here.digest === '');
  if (outcome.failed > 0 || !isSame) {
    failures++;
    console.error(outcome.log);
  }
  if (!isSame) {
    const others = outcome.parts.filter((part) => !here.parts.includes(part));
    console.error(`${name}: not as on this machine:\n${others.slice(0, 10).join('\n')}`);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const counts = [outcome.passed, outcome.failed, outcome.skipped].map(String);
  rows.push([name, seen, step, ...counts, outcome.digest.slice(0, 16), seconds]);
}

function report() {
  const head = 'machine,instruction sets,step,passed,failed,skipped,digest,seconds'.split(',');
  console.log(`\n${table([head, ...rows])}`);
  for (const line of skipped) console.log(line);
  if (rows.some(([name = '', , step]) => step === 'tests' && !name.startsWith('node-'))) {
    for (const { file, test, why } of LEFT_OUT) {
      console.log(`left out in an emulator: ${test ?? file} (${why})`);
    }
  }
  const verdict = failures === 0 ? 'all that ran have the same bits' : `${failures} failed`;
  const rest = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
  console.log(`other machines: ${verdict}${rest}`);
  process.exitCode = failures === 0 ? 0 : 1;
}
