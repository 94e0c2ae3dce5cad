// What is tried on a machine. Each step gives what it counted, or throws what was wrong.
import { join } from 'node:path';

import { run } from '../tools.mjs';
import { LEFT_OUT } from './left-out.mjs';

/** @typedef {import('./machines.mjs').Machine} Machine */
/**
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string} digest - empty where there is none to compare
 * @property {string[]} parts - what the digest is of, so far as it is known
 * @property {string} log
 */

/** Seconds that a test may take: ten times what it may here. */
const PATIENCE = 600;
const patience = ['--testTimeout', '--hookTimeout'].flatMap((each) => [each, `${PATIENCE}000`]);

/**
 * The instruction sets that a child of a child and a Worker see: all three are the machine's.
 * @param {Machine} machine
 * @returns {string[]}
 */
export function isas({ node, project, isa }) {
  const built = JSON.stringify(join(project, 'dist', 'cjs'));
  const seen = JSON.stringify(`require(${built}).native.availableIsas.join(' ')`);
  const program = `
    const { execFileSync } = require('node:child_process');
    const { Worker } = require('node:worker_threads');
    const seen = ${seen};
    console.log(eval(seen));
    console.log(execFileSync(process.execPath, ['-p', seen], { encoding: 'utf8' }).trimEnd());
    const source = 'require("node:worker_threads").parentPort.postMessage(' + seen + ')';
    new Worker(source, { eval: true }).on('message', (isas) => console.log(isas));`;
  const { stdout, log } = run([node, '-e', program]);
  const [first = '', ...others] = stdout.trimEnd().split('\n');
  const seenBy = first.split(' ');
  const isOne = others.length === 2 && others.every((each) => each === first);
  if (!isOne || (isa !== null && seenBy[0] !== isa)) {
    const wanted = isa === null ? 'the same instruction sets' : `${isa} first`;
    throw new Error(`expected ${wanted} of a process, its child and its Worker, got:\n${log}`);
  }
  return seenBy;
}

/**
 * The fuzzer of the native program and its guard pages: one digest each of all results.
 * @param {string[]} program
 * @param {boolean} hasGuards
 * @param {number} cases
 * @returns {Outcome}
 */
export function nativeProgram(program, hasGuards, cases) {
  const checks = hasGuards ? ['fuzz', 'guards'] : ['fuzz', '--no-guards'];
  const { status, stdout, log } = run([...program, ...checks, '--cases', String(cases)]);
  const digests = [...stdout.matchAll(/digest ([\da-f]{16})/g)].map(([, digest]) => digest);
  const failed = status === 0 && digests.length > 0 ? 0 : 1;
  const passed = failed === 0 ? cases : 0;
  return { passed, failed, skipped: 0, digest: digests.join(' '), parts: [], log };
}

/**
 * scripts/one-hash.mjs: the answers that were compared, and the digest of the shapes' hashes.
 * @param {Machine} machine
 * @param {string[]} args
 * @returns {Outcome}
 */
export function oneHash({ node, project }, args) {
  const script = join(project, 'scripts', 'one-hash.mjs');
  const { status, stdout, log } = run([node, script, ...args, '--list']);
  const [, answers = '0', different = '1'] =
    /, (\d+) answers \(.*\): (\d+) shapes with more than one hash/.exec(stdout) ?? [];
  const digest = /^[\da-f]{32}$/m.exec(stdout)?.[0] ?? '';
  const failed = status === 0 ? 0 : Math.max(1, Number(different));
  const parts = stdout.split('\n').filter((line) => /^[\da-f]{40} /.test(line));
  return { passed: Number(answers), failed, skipped: 0, digest, parts, log };
}

/**
 * Vitest, in the project that was built for the machine.
 * @param {Machine} machine
 * @param {string[]} filters - of file names; none: all of them
 * @returns {Outcome}
 */
export function suite({ vitest, project, ...how }, filters) {
  const all = [...vitest, 'run', '--root', project, ...filters, ...patience];
  if (how.isEmulated) all.push(...withoutWhatIsLeftOut());
  const { status, stdout, log } = run(all, {
    cwd: project,
    env: {
      ...process.env,
      ...how.environment,
      NO_COLOR: '1',
      EVENKEEL_CHILD_SECONDS: String(PATIENCE - 10),
      ...(how.isEmulated && { EVENKEEL_PROPERTY_SECONDS: '10' }),
    },
  });
  const [line, passed = '0', failed = '1', skipped = '0'] =
    /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/m.exec(stdout) ?? [];
  const isUnsaid = status !== 0 && failed === '0';
  return {
    passed: Number(passed),
    failed: Number(failed) + (isUnsaid ? 1 : 0),
    skipped: Number(skipped),
    digest: '',
    parts: [],
    // Of a run that came to its end only what failed: the list of what passed is long.
    log: line === undefined ? log : log.slice(Math.max(0, log.indexOf('Failed Tests'))),
  };
}

function withoutWhatIsLeftOut() {
  const options = [];
  const names = [];
  for (const { file, test } of LEFT_OUT) {
    if (test === undefined) options.push('--exclude', file);
    else names.push(test.replace(/[()|.*+?[\]{}^$\\]/g, '\\$&'));
  }
  if (names.length > 0) options.push('--testNamePattern', `^(?!.*(${names.join('|')}))`);
  return options;
}
