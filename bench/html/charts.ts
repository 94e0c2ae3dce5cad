// Time by shape, the share of the limit that each shape reaches, and where the time of a training step goes.
import {
  bars,
  dots,
  logBounds,
  stacks,
  type Bar,
  type Chart,
  type Colour,
  type Stack,
} from '#report';

import { caseTitle, shapeText } from '../cases.js';
import { INTO, US } from '../contenders.js';
import { bytesText, micros, percent, timeTick } from '../format.js';
import { LIMIT } from '../passes.js';
import { shareOfLimitInto } from '../ratios.js';
import { entryOf, type CaseResult, type Entry } from '../result.js';
import { MARKS, markOf } from './series.js';

/** A row a shape, a mark a contender on a logarithmic axis, the 10th to the 90th percentile behind it. */
export function timeChart(title: string, cases: readonly CaseResult[]): Chart {
  const rows = cases.map((each) => ({
    name: caseTitle(each),
    small: bytesText(each.bytes),
    dots: each.entries.flatMap((entry) => {
      const mark = markOf(entry);
      if (mark === undefined) return [];
      const { median: value, p10: low, p90: high } = entry;
      return [{ mark, value, low, high, hint: describe(entry, mark.name, caseTitle(each)) }];
    }),
  }));
  const times = rows.flatMap(({ dots }) => dots.flatMap(({ low, high }) => [low, high]));
  const [min, max] = logBounds(times);
  return dots({
    title,
    summary:
      'Time of a call by shape; the line behind a mark runs from the 10th to the 90th percentile.',
    axis: { title: 'time of a call, logarithmic', scale: 'logarithmic', tick: timeTick, min, max },
    rows,
    marks: MARKS,
  });
}

function describe(entry: Entry, name: string, shape: string): string {
  const { median, p10, p90, shareOfLimit, turns, calls } = entry;
  const share = shareOfLimit === null ? '' : `, ${percent(shareOfLimit)} of the limit`;
  return (
    `${shape}, ${name}: ${micros(median)} µs (${micros(p10)} to ${micros(p90)})${share}; ` +
    `${turns} turns of ${calls}`
  );
}

/** Undefined where there is neither the limit nor ours. */
export function shareChart(cases: readonly CaseResult[]): Chart | undefined {
  const shares = cases.flatMap((each): Bar[] => {
    const value = shareOfLimitInto(each);
    const [ours, limit] = [entryOf(each, US, INTO), entryOf(each, LIMIT)];
    if (value === undefined || ours === undefined || limit === undefined) return [];
    const [low, high] = [limit.median / ours.p90, limit.median / ours.p10];
    const name = shapeText(each.shape);
    const hint = `${name}: ${percent(value)} of the limit (${percent(low)} to ${percent(high)})`;
    const label = percent(value);
    return [{ name, small: bytesText(each.bytes), value, low, high, label, hint, colour: 'blue' }];
  });
  // A disturbed run can be anywhere; the axis stays where the limit can be read.
  const most = Math.min(1.25, Math.max(1, ...shares.map(({ value, high = value }) => high)));
  const inside = (value: number): number => Math.min(value, most);
  return shares.length === 0
    ? undefined
    : bars({
        title: 'How close to the limit',
        summary: 'Share of the limit by shape; the thin line is the spread of our times.',
        axis: {
          title: 'share of the limit',
          scale: 'linear',
          tick: (share) => (share > 1 ? '' : percent(share)),
          min: 0,
          max: most,
          interval: 0.25,
        },
        aim: 1,
        bars: shares.map((each) => ({
          ...each,
          value: inside(each.value),
          low: inside(each.low!),
          high: inside(each.high!),
        })),
      });
}

const COLOURS: readonly Colour[] = ['blue', 'sky', 'green', 'orange', 'red', 'purple', 'grey'];

const BACKWARD = ' backward';

/** One colour a layer: its backward is the paler part. */
export function stepChart(cases: readonly CaseResult[]): Chart | undefined {
  const layerOf = (part: string): string => part.replace(/ (forward|backward)$/, '');
  const steps = cases.filter(({ shares }) => shares !== null);
  const names = steps.flatMap(({ shares }) => shares!.map(({ operation }) => layerOf(operation)));
  const kinds = [...new Set(names)];
  const colourOf = (kind: string): Colour => COLOURS[kinds.indexOf(kind) % COLOURS.length]!;
  const rows = steps.map(({ shape, shares, entries }): Stack => {
    const ours = entries.find(({ who }) => who === US);
    return {
      name: shapeText(shape),
      small: `${micros(ours?.median ?? 0)} µs a step`,
      parts: shares!.map(({ operation, share }) => ({
        name: operation,
        share,
        colour: colourOf(layerOf(operation)),
        isPale: operation.endsWith(BACKWARD),
      })),
    };
  });
  if (rows.length === 0) return undefined;
  const legend = kinds.map((name) => ({ name, colour: colourOf(name), form: 'square' }) as const);
  const words = { title: 'Share of a step', summary: 'Where the time of a training step goes.' };
  return stacks(rows, words, legend);
}
