// Values as Python prints them, because toString() is PyTorch's repr.

/** A float as Python's repr writes it: 0.1, 1.0, 1e-05. */
export function pythonFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return value.toFixed(1);
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e16)) {
    const [mantissa = '', exponent = ''] = value.toExponential().split('e');
    const digits = exponent.slice(1).padStart(2, '0');
    return `${mantissa}e${exponent.startsWith('-') ? '-' : '+'}${digits}`;
  }
  return String(value);
}

export function pythonBoolean(value: boolean): string {
  return value ? 'True' : 'False';
}

/** A string as Python's repr quotes it. */
export function pythonString(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const plain = value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return quote + (quote === "'" ? plain.replaceAll("'", "\\'") : plain) + quote;
}

/** PyTorch's repr of a module with its children. */
export function reprOf(
  who: string,
  extra: string,
  children: readonly (readonly [string, { toString(): string }])[],
): string {
  const lines = children.map(
    ([name, child]) => `(${name}): ${child.toString().replaceAll('\n', '\n  ')}`,
  );
  if (lines.length === 0 && !extra.includes('\n')) return `${who}(${extra})`;
  if (extra !== '') lines.unshift(extra.replaceAll('\n', '\n  '));
  return `${who}(\n  ${lines.join('\n  ')}\n)`;
}
