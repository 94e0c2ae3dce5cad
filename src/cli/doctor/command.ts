// `evenkeel doctor`: what is wrong with the BatchNorm layers of a checkpoint, or of a model that a module makes.
import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

import type { Report, Severity } from '../../doctor/index.js';
import { readOptions, type Usage, type Values } from '../options.js';
import { annotations } from './annotations.js';
import { examine, type Examination } from './examine.js';
import { explain } from './explain.js';

/** Where the built package is. */
const PACKED = join(__dirname, '..', '..', '..');

const LEVELS = ['error', 'warning', 'note', 'never'] as const;
type Level = (typeof LEVELS)[number];

const USAGE: Usage = {
  name: 'doctor',
  positionals: ['checkpoint | module file'],
  text: `Examines the BatchNorm layers of a model and says what is wrong with them, why
it hurts, and how to mend it.

A checkpoint (.safetensors, .pt, .pth) is data: nothing in it is executed, and
what reading it may cost is bounded. A module file (.mjs, .js, .cjs, .mts, .ts)
is code, and runs. It exports 'model', and for findings that need data 'loader':
batches as arrays [x, labels]. Each may be a function, also an async one.
'options' are those of diagnose.`,
  options: {
    data: {
      type: 'string',
      hint: '<file>',
      help: "a module with 'loader', or a file of tensors x, labels",
    },
    key: { type: 'string', hint: '<name>', help: 'where in a .pt the state dict is' },
    eps: {
      type: 'number',
      ...{ default: 1e-5, min: 0, max: 1e6 },
      help: 'a checkpoint does not say it',
    },
    json: { type: 'boolean', help: 'print one object (evenkeel/doctor/report.schema.json)' },
    html: { type: 'string', hint: '<file>', help: 'write a page with charts' },
    mend: { type: 'string', hint: '<file>', help: 'write a mended copy, as safetensors' },
    overwrite: { type: 'boolean', help: 'let --mend replace a file' },
    'fail-on': {
      type: 'string',
      hint: '<level>',
      help: `exit with 1 from ${LEVELS.join(', ')} on`,
    },
    github: { type: 'boolean', help: 'print findings as annotations of GitHub Actions' },
    explain: {
      type: 'string',
      hint: '<id>',
      help: 'what a finding is, why it hurts, how to mend it',
    },
  },
  examples: [
    'npx evenkeel doctor resnet.pt --html resnet.html',
    'npx evenkeel doctor model.mjs --data test.safetensors --fail-on error --github',
    'npx evenkeel doctor model.mjs --mend mended.safetensors',
    'npx evenkeel doctor --explain stale-statistics',
  ],
  exitCodes: '0 healthy, 1 findings (see --fail-on), 2 it could not be examined',
};

export async function doctor(args: readonly string[]): Promise<number> {
  const values = readOptions(USAGE, args);
  if (typeof values === 'number') return values;
  const { explain: id } = values;
  if (typeof id === 'string') return explain(id);
  const level = levelOf(values);
  const [path] = values.positionals;
  if (level === undefined || path === undefined) {
    const [wanted, got] =
      level === undefined
        ? [`--fail-on to be one of ${LEVELS.join(', ')}`, `'${String(values['fail-on'])}'`]
        : ['a checkpoint or a module file', 'none'];
    console.error(`evenkeel doctor: expected ${wanted}, got ${got}.`);
    return 2;
  }
  leaveToTheReport();
  try {
    const examination = await examine(path, values);
    await show(path, examination, values);
    return exitCode(examination.report, level);
  } catch (error) {
    console.error(`evenkeel doctor: ${messageOf(error)}`);
    return 2;
  }
}

function levelOf(values: Values): Level | undefined {
  const wanted = values['fail-on'] ?? 'warning';
  return LEVELS.find((level) => level === wanted);
}

function exitCode({ findings }: Report, level: Level): number {
  const failing: readonly (Severity | 'never')[] = LEVELS.slice(0, LEVELS.indexOf(level) + 1);
  return level !== 'never' && findings.some(({ severity }) => failing.includes(severity)) ? 1 : 0;
}

async function show(path: string, { report, notes }: Examination, values: Values): Promise<void> {
  const { json, html, github } = values;
  // One object and nothing else is on stdout with --json; GitHub reads both streams.
  const beside = json === true ? console.error : console.log;
  if (json === true) console.log(JSON.stringify(report, null, 2));
  else console.log('%O', report);
  for (const note of notes) beside(note);
  if (typeof html === 'string') {
    await writeFile(html, report.toHTML());
    beside(`written: ${html}`);
  }
  if (github === true) {
    for (const line of annotations(report, relative(process.cwd(), path))) beside(line);
  }
}

/** What a load warns of is a finding here, and would be said twice. Other warnings are printed as ever. */
function leaveToTheReport(): void {
  const listeners = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if ('code' in warning && warning.code === 'EVENKEEL_NON_FINITE_STATISTICS') return;
    for (const listener of listeners) listener(warning);
  });
}

/** A sentence. Of what a module file has thrown or asked for, the place in it too. */
function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { name, message, stack, cause } = error as {
    readonly [key in 'name' | 'message' | 'stack' | 'cause']?: unknown;
  };
  const frames = typeof stack === 'string' ? stack.split('\n').filter(isFrame) : [];
  const places = frames.filter(isOfUser);
  const isTheirs = frames[0] !== undefined && isOfUser(frames[0]);
  const text = [isTheirs ? `${String(name)}: ${String(message)}` : String(message), ...places];
  return [...text, ...(cause === undefined ? [] : [`  because: ${messageOf(cause)}`])].join('\n');
}

const isFrame = (line: string): boolean => /^ {4}at /.test(line);

/** Whether a line of a stack is in a file of the user's: not in this package, nor in Node. */
function isOfUser(frame: string): boolean {
  return !frame.includes(PACKED) && !/\(?node:|<anonymous>|\(native\)/.test(frame);
}
