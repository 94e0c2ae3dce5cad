// Losses and their gradients against PyTorch's float64, in both dtypes, with every reduction.
import { functional, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { readGolden } from '../helpers/golden.js';

type Nested = number | Nested[];

interface Run {
  reduction: string | null;
  value: Nested;
  outer: Nested;
  gradients: Nested[];
}

interface Case {
  name: keyof typeof functional;
  tensors: { shape: number[]; data: number[] }[];
  others: number[][];
  outer: number[][];
  options: Record<string, unknown>;
  runs: Run[];
}

const golden = readGolden('losses') as { torch: string; cases: Case[] };

const flat = (values: Nested): number[] =>
  Array.isArray(values) ? values.flatMap(flat) : [values];

describe(`losses as PyTorch ${golden.torch} computes them`, () => {
  for (const { name, tensors, others, outer, options, runs } of golden.cases) {
    const shapes = tensors.map(({ shape }) => `[${shape.join()}]`).join(' ');
    for (const { reduction, value, outer: dy, gradients } of runs) {
      const names = Object.keys(options).join(' ');
      for (const dtype of ['float64', 'float32'] as const) {
        test(`${name} ${shapes} ${names} ${reduction ?? ''} ${dtype}`, () => {
          const operands = tensors.map(({ shape, data }) =>
            tensor(dtype === 'float32' ? Float32Array.from(data) : Float64Array.from(data), shape, {
              requiresGrad: true,
            }),
          );
          const targets = others.map((each, i) => tensor(Int32Array.from(each), outer[i]));
          const call = functional[name] as unknown as (...args: unknown[]) => Tensor;
          const y = call(...operands, ...targets, {
            ...options,
            ...(reduction === null ? {} : { reduction }),
          });
          y.backward(
            tensor(flat(dy), { dtype: 'float64' }).numel === 1 && y.shape.length === 0
              ? tensor(flat(dy)[0]!, { dtype })
              : tensor(
                  dtype === 'float32' ? Float32Array.from(flat(dy)) : Float64Array.from(flat(dy)),
                  y.shape,
                ),
          );
          // Ours is computed in double and rounded once: what is left is that rounding, of values and of the gradient that
          // comes in, and PyTorch's own 20 or so in float64 of terms below 40 (700 in one case, with sums of 5).
          const unit = ROUNDING[dtype];
          const scale = (values: number[]): number[] =>
            values.map((each) => Math.abs(each) + (dtype === 'float64' ? 40 : 1e-6));
          const want = flat(value);
          expectAllClose(
            y,
            { data: want, shape: y.shape },
            { k: dtype === 'float64' ? 20 : 2, unit, scale: scale(want) },
            'value',
          );
          operands.forEach((each, i) => {
            const expected = flat(gradients[i]!);
            expectAllClose(
              each.grad,
              { data: expected, shape: each.shape },
              { k: dtype === 'float64' ? 20 : 4, unit, scale: scale(expected) },
              `gradient ${i}`,
            );
          });
        });
      }
    }
  }

  test('every loss is there with every reduction', () => {
    expect(new Set(golden.cases.map(({ name }) => name)).size).toBe(12);
  });
});
