// The line charts of a run: cost while one dimension grows, and speed over threads.
import {
  lines,
  logBounds,
  type Axis,
  type Chart,
  type Colour,
  type Line,
  type Point,
} from '#report';

import { binaryText, bytesText, micros, timeTick } from '../format.js';
import { shapeText } from '../cases.js';
import { INTO, US } from '../contenders.js';
import { LIMIT } from '../passes.js';
import type { Machine } from '../machine.js';
import { entryOf, type CaseResult } from '../result.js';

/** @param letter - the dimension that grows */
export function costChart(
  letter: string,
  cases: readonly CaseResult[],
  { caches }: Machine,
): Chart {
  const points = (who: string, how?: string): Point[] =>
    cases.flatMap(({ shape, bytes, entries }) => {
      const entry = entries.find(
        (each) => each.who === who && (how === undefined || each.how === how),
      );
      if (entry === undefined) return [];
      const hint = `${shapeText(shape)}, ${bytesText(bytes)}: ${micros(entry.median)} µs`;
      return [{ x: bytes, y: entry.median, low: entry.p10, high: entry.p90, hint }];
    });
  const curves: Line[] = [
    { name: 'limit', colour: 'ink', dashed: true, points: points(LIMIT) },
    { name: 'evenkeel', colour: 'blue', points: points(US, INTO) },
  ];
  const [least, most] = [cases[0]!.bytes, cases.at(-1)!.bytes];
  return lines({
    title: `${letter} grows`,
    summary: 'Time of a call over the bytes of x, both logarithmic.',
    x: {
      title: 'bytes of x',
      scale: 'logarithmic',
      base: 2,
      tick: binaryText,
      ...{ min: least, max: most },
    },
    y: timeAxis(curves),
    lines: curves,
    // x and y lie there together.
    uprights: caches
      .map(({ level, bytes }) => ({ x: bytes / 2, name: `L${level}` }))
      .filter(({ x }) => x > least && x < most),
  });
}

function timeAxis(curves: readonly Line[]): Axis {
  const values = curves.flatMap(({ points }) =>
    points.flatMap(({ y, low = y, high = y }) => [low, high]),
  );
  const [min, max] = logBounds(values);
  return { title: 'time of a call', scale: 'logarithmic', tick: timeTick, min, max };
}

const COLOURS: readonly Colour[] = ['blue', 'red', 'green', 'purple', 'orange'];

/** Undefined with one thread: there is no line then. */
export function scalingChart(cases: readonly CaseResult[]): Chart | undefined {
  const curves = cases.flatMap((each, i): Line[] => {
    const one = entryOf(each, US, '1 thread');
    if (one === undefined) return [];
    const points = each.entries
      .filter(({ who }) => who === US)
      .map((entry, threads): Point => {
        const y = one.median / entry.median;
        return {
          x: threads + 1,
          y,
          low: one.median / entry.p90,
          high: one.median / entry.p10,
          hint: `${shapeText(each.shape)} on ${entry.how}: ${y.toFixed(2)}×`,
        };
      });
    const colour = COLOURS[i % COLOURS.length]!;
    return points.length > 1 ? [{ name: shapeText(each.shape), colour, points }] : [];
  });
  if (curves.length === 0) return undefined;
  const most = Math.max(...curves.flatMap(({ points }) => points.map(({ x }) => x)));
  const tick = (value: number): string => `${Number(value.toPrecision(2))}`;
  return lines({
    title: 'Speed over threads',
    summary:
      'The time with one thread over the time with n; the dashed line doubles with the threads.',
    x: { title: 'threads', scale: 'logarithmic', base: 2, tick, min: 1, max: most },
    y: {
      title: 'times as fast as one thread',
      scale: 'logarithmic',
      base: 2,
      tick: (value) => `${tick(value)}×`,
    },
    lines: curves,
    guide: [
      [1, 1],
      [most, most],
    ],
  });
}
