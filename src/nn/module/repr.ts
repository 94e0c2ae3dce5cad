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
