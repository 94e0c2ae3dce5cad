// Numbers and colours as the examples print them.
import { native } from 'evenkeel';

import { WIDTH, wrap } from '../../src/report/text.js';

/** The first line of a report: what computes, and where. */
export function headline(): string {
  return where(bold);
}

/** The same for a page, without colours of a terminal. */
export function plainHeadline(): string {
  return where((text) => text);
}

function where(strong: (text: string) => string): string {
  const threads = native.threads === 1 ? '1 thread' : `${native.threads} threads`;
  return (
    strong(`evenkeel ${native.version}`) +
    ` · ${native.isa} kernels on ${threads} · Node ${process.version} · ` +
    `${process.platform} ${process.arch}`
  );
}

/** @param part - 0 to 1. */
export function percent(part: number): string {
  return `${(100 * part).toFixed(2)} %`;
}

export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export type Paint = 'blue' | 'orange' | 'red' | 'green' | 'soft';

/** Colours that a dark and a light terminal show. */
const CODES: Readonly<Record<Paint, string>> = {
  blue: '34',
  orange: '33',
  red: '31',
  green: '32',
  soft: '90',
};

export const bold = (text: string): string => styled('1', text);
/** In lines that a narrow terminal shows whole. */
export const softLines = (text: string): string[] => wrap(text, WIDTH).map(soft);
export const red = (text: string): string => styled(CODES.red, text);
export const soft = (text: string): string => styled(CODES.soft, text);
export const painted = (paint: Paint, text: string): string => styled(CODES[paint], text);

/** hasColors() knows NO_COLOR and TERM=dumb; a pipe does not have it. */
function styled(code: string, text: string): string {
  const inColour = process.stdout.isTTY && process.stdout.hasColors();
  return inColour ? `\u001b[${code}m${text}\u001b[0m` : text;
}
