// Numbers as people read them, and lines of columns. The same in the terminal and on the page.

/** µs with about three digits. */
export function micros(us: number): string {
  if (us < 10) return us.toFixed(2);
  return us < 100 ? us.toFixed(1) : Math.round(us).toLocaleString('en-US');
}

/** µs as an axis says it. */
export function timeTick(us: number): string {
  if (us >= 1e6) return `${us / 1e6} s`;
  return us >= 1e3 ? `${us / 1e3} ms` : `${us} µs`;
}

export function bytesText(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} KB`;
  return bytes < 1e7 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e6).toFixed(0)} MB`;
}

/** A cache or a memory, which come in powers of two. */
export function binaryText(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB'];
  let [value, i] = [bytes / 1024, 0];
  for (; value >= 1024 && i + 1 < units.length; i++) value /= 1024;
  return `${Number(value.toFixed(1))} ${units[i]!}`;
}

export function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}

export function times(ratio: number): string {
  return `${ratio.toFixed(ratio < 9.995 ? 2 : ratio < 99.95 ? 1 : 0)}×`;
}

/** Units in the last place: one decimal while small, a power of ten once it is a disaster. */
export function errorText(error: number | null): string {
  if (error === null) return '';
  return error < 1e4 ? error.toFixed(1) : error.toExponential(0);
}

/** `AMD EPYC 9R14 96-Core` becomes `amd-epyc-9r14-96-core`. */
export function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

export interface Column {
  readonly title: string;
  readonly width: number;
  readonly align: 'left' | 'right';
}

/** One line; a cell that is too long moves the rest, rather than losing a digit. */
export function line(columns: readonly Column[], cells: readonly string[]): string {
  return columns
    .map(({ width, align }, i) => {
      const cell = cells[i] ?? '';
      return align === 'left' ? cell.padEnd(width) : cell.padStart(width);
    })
    .join('  ')
    .trimEnd();
}
