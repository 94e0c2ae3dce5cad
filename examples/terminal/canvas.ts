// A picture in characters: each shows 2 by 4 dots (Unicode's braille patterns).
import { painted, type Paint } from './text.js';

/** The bits of a pattern, by row and column of its dots. */
const BITS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;
const EMPTY = 0x2800;

export class Canvas {
  readonly #columns: number;
  readonly #patterns: Uint8Array;
  readonly #paints: (Paint | undefined)[];

  /** @param columns - Characters in a line. @param lines - Of characters. */
  constructor(columns: number, lines: number) {
    this.#columns = columns;
    this.#patterns = new Uint8Array(columns * lines);
    this.#paints = new Array<Paint | undefined>(columns * lines).fill(undefined);
  }

  /** Dots in a row. */
  get width(): number {
    return 2 * this.#columns;
  }

  /** Rows of dots. */
  get height(): number {
    return (4 * this.#patterns.length) / this.#columns;
  }

  /** A dot; from the top left, and nothing where it lies outside. A character has the colour of its last dot. */
  dot(x: number, y: number, paint?: Paint): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const at = (y >> 2) * this.#columns + (x >> 1);
    this.#patterns[at]! |= BITS[(y & 3) as 0 | 1 | 2 | 3][(x & 1) as 0 | 1];
    this.#paints[at] = paint;
  }

  /** A line of dots between two of them; of a dashed one, those of every other four columns. */
  line(from: readonly number[], to: readonly number[], paint?: Paint, dashed = false): void {
    const [x1 = 0, y1 = 0] = from;
    const [x2 = 0, y2 = 0] = to;
    const steps = Math.max(1, Math.abs(x2 - x1), Math.abs(y2 - y1));
    for (let i = 0; i <= steps; i++) {
      const x = Math.round(x1 + ((x2 - x1) * i) / steps);
      if (dashed && (x >> 2) % 2 === 1) continue;
      this.dot(x, Math.round(y1 + ((y2 - y1) * i) / steps), paint);
    }
  }

  /** The lines of text, all of the same length. */
  lines(): string[] {
    const rows: string[] = [];
    for (let at = 0; at < this.#patterns.length; at += this.#columns) {
      let row = '';
      for (let i = at; i < at + this.#columns; i++) {
        const pattern = this.#patterns[i]!;
        const character = pattern === 0 ? ' ' : String.fromCharCode(EMPTY + pattern);
        const paint = this.#paints[i];
        row += paint === undefined || pattern === 0 ? character : painted(paint, character);
      }
      rows.push(row);
    }
    return rows;
  }
}
