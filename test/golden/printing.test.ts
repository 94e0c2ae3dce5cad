// The body of a printed tensor is PyTorch's, character by character (scripts/golden/printing.py).
import { describe, expect, test } from 'vitest';

import { tensor, type DType, type TensorData } from 'evenkeel';

import cases from './data/printing.json' with { type: 'json' };

interface Printed {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
  readonly body: string;
}

const NUMBERS: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '-inf': -Infinity };

function dataOf(dtype: DType, values: readonly (number | string)[]): TensorData {
  if (dtype === 'int64') return BigInt64Array.from(values, (value) => BigInt(value));
  const numbers = values.map((value) =>
    typeof value === 'string' ? (NUMBERS[value] ?? Number(value)) : value,
  );
  if (dtype === 'int32') return Int32Array.from(numbers);
  return dtype === 'float64' ? Float64Array.from(numbers) : Float32Array.from(numbers);
}

describe("PyTorch's body", () => {
  test.each((cases as readonly Printed[]).map((each) => [each.name, each] as const))(
    '%s',
    (_, { dtype, shape, values, body }) => {
      const x = tensor(dataOf(dtype as DType, values), shape);
      expect(String(x).startsWith(`tensor(${body}`)).toBe(true);
      expect(String(x).slice(`tensor(${body}`.length)).toMatch(/^(,\s+(shape|dtype)=[^=]+)*\)$/);
    },
  );
});
