// Text for a terminal: lines of at most a width, columns, and colours where they are wanted.
import { styleText } from 'node:util';

/** Of a terminal that nobody has made wider. */
export const WIDTH = 80;

export type Tone = 'bold' | 'dim' | 'red' | 'yellow' | 'cyan' | 'green';

/** Sets text in a tone; where colours are not wanted, it is the text. */
export type Paint = (tone: Tone, text: string) => string;

export function painter(inColour: boolean): Paint {
  return (tone, text) => (inColour ? styleText(tone, text, { validateStream: false }) : text);
}

/** The lines of a text, cut at spaces. A word that is too long alone is cut anywhere. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).flatMap((each) => parts(each, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= width) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = word;
  }
  return [...lines, line];
}

function parts(word: string, width: number): string[] {
  const found: string[] = [];
  for (let at = 0; at < word.length; at += width) found.push(word.slice(at, at + width));
  return found;
}

/** A text with a word before it, and its further lines below the first one's start. */
export function labelled(label: string, text: string, width = WIDTH): string[] {
  const indent = ' '.repeat(label.length);
  return wrap(text, width - label.length).map((line, i) => (i === 0 ? label : indent) + line);
}

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/**
 * Rows in columns that are as wide as their widest cell; the first column gives way where all of them are wider than
 * `width`.
 */
export function columns(
  heads: readonly Column[],
  rows: readonly (readonly string[])[],
  width = WIDTH,
): string[] {
  const all = [heads.map(({ title }) => title), ...rows];
  const widths = heads.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  const others = widths.slice(1).reduce((sum, each) => sum + each + 2, 0);
  widths[0] = Math.max(8, Math.min(widths[0]!, width - others));
  return all.map((row) =>
    row
      .map((cell, i) => {
        const cut = shortened(cell, widths[i]!);
        return heads[i]!.align === 'left' ? cut.padEnd(widths[i]!) : cut.padStart(widths[i]!);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** The end of a path says more than its start. */
function shortened(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(text.length - width + 1)}`;
}
