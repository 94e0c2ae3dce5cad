// Charts in characters, at most 80 columns wide: curves over an axis, and bars.
import { Canvas } from './canvas.js';
import { bold, painted, soft, type Paint } from './text.js';

interface Curve {
  readonly name: string;
  readonly paint: Paint;
  readonly dashed?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** From `min` to `max`; `tick` says a value in a few characters. */
interface Scale {
  readonly title: string;
  readonly min: number;
  readonly max: number;
  readonly tick: (value: number) => string;
}

export interface Curves {
  readonly title: string;
  readonly x: Scale;
  readonly y: Scale;
  readonly curves: readonly Curve[];
  /** Lines of the picture. Default 12. */
  readonly lines?: number;
  /** Characters in a line of the picture. Default 64. */
  readonly columns?: number;
}

const MARGIN = 8;

export function curves({ title, x, y, curves, lines = 12, columns = 64 }: Curves): string[] {
  const canvas = new Canvas(columns, lines);
  const across = (value: number, { min, max }: Scale, dots: number): number =>
    Math.round(((value - min) / (max - min)) * (dots - 1));
  for (const { points, paint, dashed } of curves) {
    const dots = points.map(([px, py]) => [
      across(px, x, canvas.width),
      canvas.height - 1 - across(py, y, canvas.height),
    ]);
    dots.forEach((dot, i) => {
      canvas.line(dots[Math.max(0, i - 1)]!, dot, paint, dashed);
    });
  }
  const ticks = new Map([
    [0, y.tick(y.max)],
    [Math.floor(lines / 2), y.tick(y.max - ((y.max - y.min) * Math.floor(lines / 2)) / lines)],
    [lines - 1, y.tick(y.min)],
  ]);
  const [left, right] = [x.tick(x.min), x.tick(x.max)];
  const middle = x.title.padStart(Math.floor((columns + x.title.length) / 2) - left.length);
  const foot = `${left}${middle}`.padEnd(columns - right.length) + right;
  return [
    `${bold(title)}   ${curves.map(sample).join('   ')}`,
    ...canvas
      .lines()
      .map((line, i) => `${soft(`${(ticks.get(i) ?? '').padStart(MARGIN - 2)} ┤`)}${line}`),
    soft(`${' '.repeat(MARGIN - 1)}└${'─'.repeat(columns)}`),
    soft(`${' '.repeat(MARGIN)}${foot}`),
  ];
}

function sample({ name, paint, dashed = false }: Curve): string {
  return painted(paint, `${dashed ? '╌╌' : '──'} ${name}`);
}

export interface TerminalBar {
  readonly name: string;
  readonly value: number;
  readonly label: string;
  readonly paint: Paint;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** @param most - The value of a bar as wide as there is room. */
export function bars(bars: readonly TerminalBar[], most: number, columns = 40): string[] {
  const names = Math.max(...bars.map(({ name }) => name.length));
  return bars.map(({ name, value, label, paint }) => {
    const eighths = Math.round((Math.min(Math.max(value, 0), most) / most) * 8 * columns);
    const bar = '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!;
    return `${name.padEnd(names)}  ${painted(paint, bar)} ${label}`;
  });
}
