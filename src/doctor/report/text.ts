// The report in a terminal: at most 80 columns, and the same words with and without colours.
import { visible } from '../../report/markup.js';
import { percent, short } from '../../report/numbers.js';
import {
  columns,
  labelled,
  painter,
  wrap,
  WIDTH,
  type Column,
  type Paint,
  type Tone,
} from '../../report/text.js';
import type {
  CaseReport,
  Finding,
  LayerReport,
  PerChannel,
  ReportData,
  Severity,
} from '../report-types.js';
import {
  accuracyLine,
  differenceLine,
  missingCases,
  modeOf,
  nameOf,
  place,
  scope,
  troubled,
  verdict,
} from './sentences.js';

const TONES: Readonly<Record<Severity, Tone>> = { error: 'red', warning: 'yellow', note: 'cyan' };

/** Layers beyond these are counted. */
const MOST_LAYERS = 12;

/** @param inColour - whether the terminal shows colours; the words are the same */
export function textOf(report: ReportData, inColour = false): string {
  const paint = painter(inColour);
  const { findings, healthy } = report;
  const results = [accuracyLine(report), differenceLine(report)].filter(
    (line) => line !== undefined,
  );
  const blocks = [
    [...wrap(visible(scope(report)), WIDTH), paint(healthy ? 'green' : 'bold', verdict(report))],
    ...findings.map((finding) => findingLines(finding, paint)),
    ...(report.cases === null ? [] : [caseLines(report.cases, paint)]),
    ...(results.length === 0 ? [] : [results.flatMap((line) => wrap(line, WIDTH))]),
    layerLines(report, paint),
    ...(findings.length === 0
      ? []
      : [[`Explained by: npx evenkeel doctor --explain ${findings[0]!.id}`]]),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function findingLines(finding: Finding, paint: Paint): string[] {
  const { id, severity, evidence, cause, mend, step } = finding;
  const head = `${severity.padEnd(9)}${id}`;
  const where = [visible(place(finding)), step === null ? '' : `step ${String(step)}`]
    .filter((text) => text !== '')
    .join(', ');
  const rest = WIDTH - head.length - 2;
  const beside = where.length <= rest ? where.padStart(rest + 2) : '';
  return [
    paint(TONES[severity], severity.padEnd(9)) + paint('bold', id) + paint('dim', beside),
    ...(beside === '' && where !== '' ? labelled('  in     ', where) : []),
    ...labelled('  found  ', visible(evidence)),
    ...labelled('  cause  ', visible(cause)),
    ...mendLines(visible(mend)),
  ];
}

/** A comment behind the code keeps its slashes on each line: what is copied is still code. */
function mendLines(mend: string): string[] {
  const [code = '', ...comment] = mend.split(' // ');
  const indent = ' '.repeat(9);
  const words = comment.length === 0 ? [] : wrap(comment.join(' // '), WIDTH - indent.length - 3);
  if (mend.length <= WIDTH - indent.length) return [`  mend   ${mend}`];
  return [...labelled('  mend   ', code), ...words.map((line) => `${indent}// ${line}`)];
}

function caseLines(cases: readonly CaseReport[], paint: Paint): string[] {
  const sizes = [...new Set(cases.map(({ batchSize }) => batchSize))].sort((a, b) => b - a);
  const rows = [true, false].flatMap((training) =>
    [true, false].flatMap((trackRunningStats) => {
      const own = cases.filter(
        (each) => each.training === training && each.trackRunningStats === trackRunningStats,
      );
      if (own.length === 0) return [];
      const cells = sizes.map((size) => {
        const accuracy = own.find(({ batchSize }) => batchSize === size)?.accuracy ?? null;
        return accuracy === null ? '–' : percent(accuracy);
      });
      return [[`  ${String(training)}`, String(trackRunningStats), own[0]!.normalizesBy, ...cells]];
    }),
  );
  const heads = [
    { title: '  training', align: 'left' },
    { title: 'trackRunningStats', align: 'left' },
    { title: 'normalises by', align: 'left' },
    ...sizes.map((size) => ({ title: `batch of ${String(size)}`, align: 'right' }) as const),
  ] as const;
  const [head = '', ...lines] = columns(heads, rows);
  const missing = missingCases(cases);
  return [
    paint('bold', 'The same weights in the four cases, accuracy'),
    paint('dim', head),
    ...lines,
    ...(missing === undefined ? [] : labelled('  –  ', missing)),
  ];
}

function layerLines(report: ReportData, paint: Paint): string[] {
  const sick = troubled(report);
  const sorted = [...report.layers].sort(
    (a, b) => Number(sick.has(b.name)) - Number(sick.has(a.name)),
  );
  const shown = new Set(sorted.slice(0, MOST_LAYERS));
  if (shown.size === 0) return [];
  const layers = report.layers.filter((layer) => shown.has(layer));
  // What nothing is known of has no column.
  const known = LAYER_COLUMNS.filter(({ cell }) => layers.some((layer) => cell(layer) !== null));
  const rows = layers.map((layer) => known.map(({ cell }) => cell(layer) ?? '–'));
  const [head = '', ...lines] = columns(known, rows);
  const more = report.layers.length - shown.size;
  return [
    paint('bold', 'Layers'),
    paint('dim', head),
    ...lines,
    ...(more === 0 ? [] : [`  and ${String(more)} more`]),
  ];
}

interface LayerColumn extends Column {
  /** Null where it is not known. */
  readonly cell: (layer: LayerReport) => string | null;
}

const LAYER_COLUMNS: readonly LayerColumn[] = [
  { title: '  layer', align: 'left', cell: (layer) => `  ${visible(nameOf(layer))}` },
  { title: 'channels', align: 'right', cell: ({ numFeatures }) => String(numFeatures) },
  { title: 'mode', align: 'left', cell: modeOf },
  { title: 'normalises by', align: 'left', cell: ({ normalizesBy }) => normalizesBy },
  {
    title: 'batches',
    align: 'right',
    cell: ({ numBatchesTracked: tracked }) => (tracked === null ? null : String(tracked)),
  },
  {
    title: 'momentum',
    align: 'right',
    cell: ({ momentum }) => (momentum === null ? null : String(momentum)),
  },
  {
    title: 'drift',
    align: 'right',
    cell: ({ drift }) => (drift === null ? null : short(drift.size)),
  },
  // Of a file: what else is to be seen in it.
  {
    title: 'variance',
    align: 'right',
    cell: ({ training, runningVar }) => (training === null ? rangeOf(runningVar) : null),
  },
  {
    title: 'gain',
    align: 'right',
    cell: ({ training, gain }) => (training === null ? rangeOf(gain) : null),
  },
];

/** From the smallest to the largest. */
function rangeOf(values: PerChannel | null): string | null {
  if (values === null) return null;
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return Number.isNaN(least) ? 'NaN' : `${short(least)} to ${short(most)}`;
}
