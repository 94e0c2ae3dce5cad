// The terminal table and the JSON of a run.
import { bytes } from './cases.js';
import type { Timing } from './measure.js';

export interface Row {
  readonly shape: readonly number[];
  /** What the layer has to do to memory: read, read, write for [N, C]; read, write for [N, C, L]. */
  readonly limit: Timing;
  readonly copy: Timing;
  readonly forward: Timing;
  readonly into: Timing;
}

const size = (shape: readonly number[]): string => {
  const count = bytes(shape);
  return count < 1e6 ? `${(count / 1e3).toFixed(0)} KB` : `${(count / 1e6).toFixed(1)} MB`;
};

const micros = ({ median }: Timing): string => median.toFixed(median < 10 ? 2 : 0);

const COLUMNS: readonly (readonly [string, (row: Row) => string])[] = [
  ['shape', ({ shape }) => `(${shape.join(', ')})`],
  ['bytes', ({ shape }) => size(shape)],
  ['copy', ({ copy }) => micros(copy)],
  ['limit', ({ limit }) => micros(limit)],
  ['forward', ({ forward }) => micros(forward)],
  ['into out', ({ into }) => micros(into)],
  ['forward/limit', ({ forward, limit }) => `${(forward.median / limit.median).toFixed(2)}x`],
  ['out/limit', ({ into, limit }) => `${(into.median / limit.median).toFixed(2)}x`],
  ['out GB/s', ({ shape, into }) => ((2 * bytes(shape)) / into.median / 1e3).toFixed(1)],
];

/** Aligned columns, numbers to the right. */
export function table(rows: readonly Row[]): string {
  const cells = [
    COLUMNS.map(([name]) => name),
    ...rows.map((row) => COLUMNS.map(([, cell]) => cell(row))),
  ];
  const widths = COLUMNS.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  '),
    )
    .join('\n');
}
