// Numbers as a report writes them.

/** `71.3 %`. */
export function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

/** `1,234`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 layer`, `2 layers`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** About three digits, as short as they can be read: `0.632`, `12`, `1.2e-9`. */
export function short(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3)
    return value.toExponential(1).replace('.0e', 'e').replace('e+', 'e');
  return String(Number(value.toPrecision(3)));
}
