// Writes the figures of the newest run in bench/results into the pages that quote it, between
// `<!-- figures: name -->` and `<!-- /figures -->`. test/bench/figures.test.ts compares them.
//
//   npx tsx bench/figures.ts [--check]
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { shapeText } from './cases.js';
import { DISPOSED, INTO, PLAIN, US } from './contenders.js';
import { bytesText, micros, times } from './format.js';
import { LIMIT } from './passes.js';
import {
  fastestTorch,
  figures,
  geometricMean,
  ourEntry,
  plainOverDisposed,
  torchOverByHand,
  torchOverLimit,
  torchOverPlain,
  unevenness,
} from './ratios.js';
import { entryOf, type CaseResult, type Run } from './result.js';

const root = new URL('../', import.meta.url);

/** The pages that quote the run. */
export const PAGES = ['README.md', 'docs/performance.md'] as const;

/** The rows of README's table: at most eight, where a user's batches lie. */
const SHOWN = [
  '32,64',
  '256,1024',
  '1024,1024',
  '4096,512',
  '65536,256',
  '32,64,128',
  '32,256,512',
  '64,128,1024',
];

/** The groups of cases, in a page's words. */
const KINDS = {
  forward: 'training forward',
  evaluate: 'evaluation',
  backward: 'backward',
  'forward+backward': 'forward and backward',
};

/** The newest run that is committed. */
export function newestRun(): Run {
  return committedRuns().at(-1)!;
}

/** The newest run of each kind of kernels. */
export function runsByKernels(): Run[] {
  return [...new Map(committedRuns().map((run) => [run.machine.isa, run])).values()];
}

/** By the day, and on one day by the CPU. */
function committedRuns(): Run[] {
  const folder = new URL('bench/results/', root);
  const names = readdirSync(folder).filter((each) => each.endsWith('.json'));
  return names.sort().map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Run);
}

/** Each block by its name: of the newest run, and of it beside the others. */
export function blocksOf(run: Run, runs: readonly Run[] = [run]): Record<string, string> {
  return {
    headline: headlineOf(run),
    machine: machineOf(run),
    speed: speedOf(run),
    means: meansOf(run),
    shapes: shapesOf(run),
    room: roomOf(run),
    evenness: evennessOf(run),
    kernels: kernelsOf(runs),
  };
}

/** `page` with its blocks made anew. */
export function withFigures(page: string, blocks: Readonly<Record<string, string>>): string {
  return page.replace(
    /(<!-- figures: (\w+) -->\n)[\s\S]*?(<!-- \/figures -->)/g,
    (_, start: string, name: string, end: string) => `${start}\n${blocks[name] ?? ''}\n\n${end}`,
  );
}

function machineOf({ date, commit, machine, versions, loadBefore }: Run): string {
  const caches = machine.caches.map(({ level, bytes }) => `L${level} ${bytesText(bytes)}`);
  const versionText = Object.entries(versions)
    .filter(([name]) => name !== 'evenkeel')
    .map(([name, version]) => `${name} ${version}`);
  return (
    `The run of ${date.slice(0, 10)} (commit ${commit ?? 'unknown'}), load ${loadBefore.toFixed(1)} before it: ` +
    `${machine.cpu}, ${machine.cores} cores, ${caches.join(', ')}, ${machine.isa} kernels on ` +
    `${machine.threads} threads; ${versionText.join(', ')}.`
  );
}

const of = (run: Run, group: string): CaseResult[] =>
  run.cases.filter((each) => each.group === group);

/** For the first screen of the README. */
function headlineOf(run: Run): string {
  const forward = figures(of(run, 'forward'), torchOverPlain).map(({ value }) => value);
  const steps = figures(of(run, 'step'), torchOverPlain).map(({ value }) => value);
  if (forward.length === 0 || steps.length === 0) return '';
  const range = `${Math.min(...steps).toPrecision(2)} to ${Math.max(...steps).toPrecision(2)}`;
  return (
    `How fast: PyTorch on the same CPU takes ${geometricMean(forward).toFixed(1)} times as long for a training forward ` +
    `(geometric mean of all shapes), and ${range} times as long for a whole training step. ` +
    `[The figures](#how-fast-it-is) are below.`
  );
}

function speedOf(run: Run): string {
  const rows = of(run, 'forward')
    .filter(({ shape }) => SHOWN.includes(shape.join()))
    .map((each) => [
      shapeText(each.shape),
      ...[entryOf(each, US, PLAIN), entryOf(each, US, DISPOSED), fastestTorch(each)].map((entry) =>
        entry === undefined ? '' : micros(entry.median),
      ),
      ratioText(torchOverPlain(each)),
    ]);
  return table(['shape', 'plain', '`using`', 'PyTorch', 'PyTorch / plain'], rows);
}

function meansOf(run: Run): string {
  const means = Object.entries(KINDS).flatMap(([group, name]) => {
    const found = figures(of(run, group), torchOverPlain).map(({ value }) => value);
    return found.length === 0 ? [] : [[`${name}, all shapes`, times(geometricMean(found))]];
  });
  const steps = of(run, 'step').map((each) => {
    const [batch, ...sizes] = each.shape;
    return [`training step (${batch}, ${sizes.join(' → ')})`, ratioText(torchOverPlain(each))];
  });
  const pooled = Object.keys(KINDS).flatMap((group) =>
    figures(of(run, group), plainOverDisposed).map(({ value }) => value),
  );
  const notes = [
    'The first rows are geometric means.',
    'A training step is Linear, BatchNorm1d, ReLU, Dropout, Linear, cross-entropy and SGD.',
  ];
  if (pooled.length > 0) {
    notes.push(
      `From 64 KB on a plain call takes ${geometricMean(pooled).toFixed(2)} times as long as one with \`using\` ` +
        `(geometric mean), and at most ${Math.max(...pooled).toFixed(1)} times.`,
    );
  }
  return `${table(['what', 'PyTorch / plain'], [...means, ...steps])}\n\n${notes.join(' ')}`;
}

/** Every shape of the three kinds of call. */
function shapesOf(run: Run): string {
  const kinds = { forward: 'training', evaluate: 'evaluation', 'forward+backward': 'both' };
  const rows = Object.entries(kinds).flatMap(([group, kind]) =>
    of(run, group).map((each) => [
      `${kind} ${shapeText(each.shape)}`,
      bytesText(each.bytes),
      ...[
        entryOf(each, LIMIT),
        entryOf(each, US, INTO),
        entryOf(each, US, DISPOSED),
        ourEntry(each, [PLAIN]),
        fastestTorch(each),
      ].map((entry) => (entry === undefined ? '' : micros(entry.median))),
    ]),
  );
  return table(['', 'x', 'limit', '`out`', '`using`', 'plain', 'PyTorch'], rows);
}

/** How far plain calls are ahead of PyTorch, and how far bare passes would be: nobody can be further. */
function roomOf(run: Run): string {
  const ways = [torchOverPlain, torchOverByHand, torchOverLimit];
  const rows = Object.entries(KINDS).flatMap(([group, kind]) => {
    const found = ways.map((way) => figures(of(run, group), way).map(({ value }) => value));
    if (found.some((values) => values.length === 0)) return [];
    return [
      [`${kind}, least`, ...found.map((values) => times(Math.min(...values)))],
      [`${kind}, geometric mean`, ...found.map((values) => times(geometricMean(values)))],
    ];
  });
  return table(['PyTorch over', 'plain', '`using`', 'bare passes'], rows);
}

/** How much slower than the fastest the slowest byte is, within one cache level. */
function evennessOf(run: Run): string {
  const rows = ['N', 'C', 'L'].flatMap((letter) => {
    const cases = of(run, `cost-${letter.toLowerCase()}`);
    if (cases.length === 0) return [];
    const [ours, limit] = ([US, LIMIT] as const).map((who) =>
      Math.max(...unevenness(cases, run.machine, who).map(({ value }) => value)),
    );
    const sizes = cases.map(({ bytes }) => bytesText(bytes));
    return [[`${letter}, ${sizes[0]!} to ${sizes.at(-1)!}`, times(ours!), times(limit!)]];
  });
  return table(['what grows', 'training forward, `out`', 'bare passes'], rows);
}

/** The same means on CPUs with other instructions. */
function kernelsOf(runs: readonly Run[]): string {
  const groups = { ...KINDS, conv1d: 'Conv1d forward', 'conv1d-backward': 'Conv1d backward' };
  const rows = Object.entries(groups).map(([group, kind]) => [
    kind,
    ...runs.flatMap((run) => {
      const found = figures(of(run, group), torchOverPlain).map(({ value }) => value);
      if (found.length === 0) return ['', ''];
      return [times(Math.min(...found)), times(geometricMean(found))];
    }),
  ]);
  const titles = runs.flatMap(({ machine }) => [`${machine.isa}, least`, 'mean']);
  return `${table(['PyTorch / plain', ...titles], rows)}\n\n${runs.map(machineOf).join('\n\n')}`;
}

function ratioText(ratio: number | undefined): string {
  return ratio === undefined ? '' : times(ratio);
}

/** As Prettier has it: the first column to the left, numbers to the right. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = titles.map((title, i) =>
    Math.max(3, title.length, ...rows.map((row) => row[i]!.length)),
  );
  const lineOf = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) =>
    i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [lineOf(titles), `| ${rule.join(' | ')} |`, ...rows.map(lineOf)].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const blocks = blocksOf(newestRun(), runsByKernels());
  for (const page of PAGES) {
    const path = new URL(page, root);
    const before = readFileSync(path, 'utf8');
    const after = withFigures(before, blocks);
    if (!process.argv.includes('--check')) writeFileSync(path, after);
    else if (after !== before) process.exitCode = 1;
  }
}
