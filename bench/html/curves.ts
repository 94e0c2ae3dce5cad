// The line charts of a run: cost while one dimension grows, and speed over threads.
import { binaryText, bytesText, micros } from '../format.js';
import { shapeText } from '../cases.js';
import { INTO, US } from '../contenders.js';
import { LIMIT } from '../limits.js';
import type { Machine } from '../machine.js';
import { entryOf, type CaseResult } from '../result.js';
import { linePlot, type Line, type Point } from './lines.js';
import { tag, timeTick } from './svg.js';

export function costPlot(cases: readonly CaseResult[], { caches }: Machine): string {
  const points = (who: string, how?: string): Point[] =>
    cases.flatMap(({ shape, bytes, entries }) => {
      const entry = entries.find(
        (each) => each.who === who && (how === undefined || each.how === how),
      );
      if (entry === undefined) return [];
      const text = `${shapeText(shape)}, ${bytesText(bytes)}: ${micros(entry.median)} µs`;
      return [{ x: bytes, y: entry.median, low: entry.p10, high: entry.p90, text }];
    });
  const lines: Line[] = [
    { name: 'limit', colour: 'ink', dashed: true, points: points(LIMIT) },
    { name: 'evenkeel', colour: 'blue', points: points(US, INTO) },
  ];
  return linePlot(lines, {
    xAxis: 'bytes of x',
    yAxis: 'time of a call',
    xTick: binaryText,
    // Every other doubling.
    xTicks: lines[1]!.points.map(({ x }) => x).filter((_, i) => i % 2 === 0),
    yTick: timeTick,
    // x and y lie there together.
    marks: caches.map(({ level, bytes }) => ({ x: bytes / 2, name: `L${level}` })),
  });
}

const COLOURS = ['blue', 'red', 'green', 'purple', 'orange'];

/** Nothing with one thread: there is no line then. */
export function scalingPlot(cases: readonly CaseResult[]): string {
  const lines = cases.flatMap((each, i): Line[] => {
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
          text: `${shapeText(each.shape)} on ${entry.how}: ${y.toFixed(2)}×`,
        };
      });
    const colour = COLOURS[i % COLOURS.length]!;
    return points.length > 1 ? [{ name: shapeText(each.shape), colour, points }] : [];
  });
  if (lines.length === 0) return '';
  const most = Math.max(...lines.flatMap(({ points }) => points.map(({ x }) => x)));
  const counts = Array.from({ length: most }, (_, i) => i + 1);
  const plot = linePlot(lines, {
    xAxis: 'threads',
    yAxis: 'times as fast as one thread',
    xTick: String,
    yTick: (value) => `${value}×`,
    xTicks: counts.filter((count) => most <= 8 || Number.isInteger(Math.log2(count))),
    diagonal: true,
  });
  return tag('div', { class: 'pair' }, plot);
}
