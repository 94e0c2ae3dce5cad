// What a run prints: a head, a block a case as it is done, and at the end the targets.
import { caseTitle } from './cases.js';
import { US } from './contenders.js';
import {
  bytesText,
  binaryText,
  errorText,
  line,
  micros,
  percent,
  times,
  type Column,
} from './format.js';
import { LIMIT } from './passes.js';
import type { Machine, Versions } from './machine.js';
import { duration } from '../src/cli/progress.js';
import { ourEntry } from './ratios.js';
import type { CaseResult, Entry, Run, Target } from './result.js';

export const TITLES: Readonly<Record<string, string>> = {
  forward: 'Training forward',
  evaluate: 'Evaluation forward',
  backward: 'Backward: gradients of x, weight and bias',
  'forward+backward': 'Forward and backward',
  step: 'Training step: Linear, BatchNorm1d, ReLU, Dropout, Linear, cross-entropy, SGD',
  'sum-gradient': 'Forward and backward of y.sum(): a strided gradient in PyTorch',
  'channels-last': 'Training forward, [N, L, C]',
  float64: 'Training forward, float64',
  'small-length': 'Training forward, small L',
  'channel-counts': 'Training forward, awkward C',
  'batch-sizes': 'Training forward, small and large N',
  threads: 'Training forward into out, over threads',
  'cost-n': 'Training forward into out, N growing',
  'cost-c': 'Training forward into out, C growing',
  'cost-l': 'Training forward into out, L growing',
  'beyond-cache': 'Training forward into out, beyond every cache',
  pointwise: 'Operations element by element',
  'pointwise-backward': 'Backward of activations',
  softmax: 'softmax and its kind, along rows',
  'softmax-backward': 'Backward of softmax and its kind',
  reductions: 'Reductions',
  conv1d: 'Conv1d of the surveyed models',
  'conv1d-backward': 'Backward of Conv1d, to input, weight and bias',
};

const COLUMNS: readonly Column[] = [
  { title: '', width: 31, align: 'left' },
  { title: 'µs', width: 9, align: 'right' },
  { title: '10th–90th', width: 17, align: 'right' },
  { title: 'GB/s', width: 6, align: 'right' },
  { title: 'of limit', width: 8, align: 'right' },
  { title: 'error', width: 7, align: 'right' },
  { title: `over ${US}`, width: 13, align: 'right' },
];

export function head(machine: Machine, versions: Versions): string[] {
  const { cpu, cores, caches, memoryBytes, isa, threads, platform } = machine;
  const sizes = caches.map(({ level, bytes }) => `L${level} ${binaryText(bytes)}`);
  return [
    `${bold(`evenkeel ${versions['evenkeel'] ?? ''}`)} · ${isa} kernels on ${threadCount(threads)}`,
    [cpu, `${cores} cores`, ...sizes, `${binaryText(memoryBytes)} of memory`, platform].join(' · '),
    Object.entries(versions)
      .filter(([name]) => name !== 'evenkeel')
      .map(([name, version]) => `${name} ${version}`)
      .join(' · '),
  ];
}

function threadCount(count: number): string {
  return count === 1 ? '1 thread' : `${count} threads`;
}

/** OpenMP's threads wait for each other: one that has lost its core to another program costs all ms. */
export function busyLines(load: number, { cores }: Machine): string[] {
  if (load < cores / 4) return [];
  return [
    red(`busy machine: load ${load.toFixed(1)} on ${cores} cores before the run.`) +
      ' Medians say little here, and least about PyTorch with all threads.',
  ];
}

export function skippedLines(skipped: Run['skippedPeers']): string[] {
  return skipped.map(({ name, reason }) => dim(`${name}: skipped, ${reason}`));
}

/** The title of a group, and what its columns are. */
export function groupHead(group: string): string[] {
  const titles = COLUMNS.map(({ title }) => title);
  return ['', bold(TITLES[group] ?? group), dim(line(COLUMNS, titles))];
}

export function caseBlock(result: CaseResult): string[] {
  const { dtype, layout, bytes, passes } = result;
  const kind = [dtype === 'float32' ? '' : dtype, layout === 'NCL' ? '' : layout];
  const name = [caseTitle(result), ...kind.filter((text) => text !== ''), bytesText(bytes)];
  const base = ourEntry(result);
  const limit = passes.length === 0 ? '' : dim(`   limit: ${passes.join(', ')}`);
  return [
    bold(name.join(' · ')) + limit,
    ...result.entries.map((entry) => entryLine(entry, base)),
    ...result.notes.map((note) => `  ${note}`),
    ...(result.shares === null ? [] : [dim(`  ${sharesLine(result.shares)}`)]),
  ];
}

function entryLine(entry: Entry, base: Entry | undefined): string {
  const { who, how, median, p10, p90, gigabytesPerSecond, shareOfLimit, error } = entry;
  const isOurs = who === US;
  const text = line(COLUMNS, [
    `  ${who === LIMIT ? who : [who, how].filter((part) => part !== '').join(', ')}`,
    micros(median),
    `${micros(p10)}–${micros(p90)}`,
    gigabytesPerSecond?.toFixed(1) ?? '',
    shareOfLimit === null || who === LIMIT ? '' : percent(shareOfLimit),
    errorText(error),
    base === undefined || isOurs || who === LIMIT || who === 'copy'
      ? ''
      : times(median / base.median),
  ]);
  return isOurs ? text : dim(text);
}

function sharesLine(shares: NonNullable<CaseResult['shares']>): string {
  return [...shares]
    .sort((a, b) => b.share - a.share)
    .map(({ operation, share }) => `${operation} ${percent(share)}`)
    .join(', ');
}

/** Those that were measured; a run of a few cases leaves most of them open. */
export function targetLines(targets: readonly Target[]): string[] {
  const columns: Column[] = [
    { title: 'target', width: 66, align: 'left' },
    { title: 'wanted', width: 7, align: 'right' },
    { title: 'is', width: 6, align: 'right' },
    { title: '', width: 6, align: 'left' },
    { title: 'decided by', width: 18, align: 'left' },
  ];
  const titles = columns.map(({ title }) => title);
  const judged = targets.filter(({ met }) => met !== null);
  const open = targets.length - judged.length;
  const lines = judged.map(({ name, wanted, value, met, detail }) => {
    const cells = [name, wanted, value!.toFixed(2), met === true ? 'met' : 'missed', detail];
    return met === true ? line(columns, cells) : red(line(columns, cells));
  });
  return [
    '',
    bold('Targets'),
    ...(judged.length === 0 ? [] : [dim(line(columns, titles)), ...lines]),
    ...(open === 0 ? [] : [dim(`${open} not measured in this run`)]),
  ];
}

/** How the figures are to be read. */
export function footLines({ seconds }: Run): string[] {
  return [
    '',
    'limit: bare passes over the same buffers; what it moves over the time is GB/s. plain: as a user',
    'writes it; disposed, scope: memory is given back by hand; out: into memory of the caller.',
    'error: worst element against float64, in units of 2^-24 (float64: 2^-53).',
    'Targets take plain and disposed calls against PyTorch at its faster, with one thread or all; out against the limit.',
    `${duration(seconds)} in all.`,
  ];
}

const bold = (text: string): string => styled('1', text);
const dim = (text: string): string => styled('2', text);
const red = (text: string): string => styled('31', text);

/** hasColors() knows NO_COLOR and TERM=dumb; a pipe does not have it. */
function styled(code: string, text: string): string {
  const inColour = process.stdout.isTTY && process.stdout.hasColors();
  return inColour ? `\u001b[${code}m${text}\u001b[0m` : text;
}
