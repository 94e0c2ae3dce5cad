// Comparing arrays of numbers so that nothing slips through: NaN never equals a number, an infinity
// only itself, lengths and shapes must agree, and a tolerance that is not a number is an error.
import type { Tensor } from 'evenkeel';

type Numbers = ArrayLike<number | bigint>;

/** A tensor, { data, shape }, or bare numbers (whose shape is then not compared). */
export type Values =
  Tensor | { readonly data: Numbers; readonly shape: readonly number[] } | Numbers;

/** Per element: |actual - expected| <= tolerance, or <= k · unit · scale. */
export type Tolerance =
  | { readonly tolerance: number | ArrayLike<number> }
  | {
      /** How many roundings of `unit · scale` there may be, first to last. */
      readonly k: number;
      /** What the roundings are relative to: the size of the largest intermediate value. */
      readonly scale: number | ArrayLike<number>;
      /** Half a unit in the last place of 1: 2^-24 (default, float32) or 2^-53 (float64). */
      readonly unit?: number;
    };

/** Half a unit in the last place of 1: what one rounding costs at most. */
export const ROUNDING = { float32: 2 ** -24, float64: 2 ** -53 } as const;

/**
 * Throws unless every element of `actual` is within its tolerance of `expected`. The message names the
 * worst element, both values, and the error in units (of unit · scale, or of the tolerance).
 */
export function expectAllClose(
  actual: Values | null | undefined,
  expected: Values | null | undefined,
  allowed: Tolerance,
  what = 'values',
): void {
  const got = contents(actual, `${what}: actual`);
  const want = contents(expected, `${what}: expected`);
  if (got.shape !== null && want.shape !== null && got.shape.join() !== want.shape.join()) {
    throw new Error(`${what}: shape [${got.shape.join()}], expected [${want.shape.join()}]`);
  }
  if (got.data.length !== want.data.length) {
    throw new Error(`${what}: ${got.data.length} elements, expected ${want.data.length}`);
  }
  const [k, unitsOf] = unitsOfEach(allowed, got.data.length, what);
  let worst = -1;
  let most = 0;
  for (let i = 0; i < got.data.length; i++) {
    const error = distance(Number(got.data[i]), Number(want.data[i]));
    const unit = unitsOf(i);
    if (!(unit >= 0 && unit < Infinity))
      throw new Error(`${what}: tolerance ${unit} at index ${i}`);
    const units = error === 0 ? 0 : error / unit;
    if (units <= k || units <= most) continue;
    most = units;
    worst = i;
  }
  if (worst < 0) return;
  throw new Error(
    `${what}: worst at index ${worst} of ${got.data.length}: got ${String(got.data[worst])}, ` +
      `expected ${String(want.data[worst])}, error ${most.toPrecision(4)} units of ` +
      `${unitsOf(worst).toPrecision(4)} where ${k} ${k === 1 ? 'is' : 'are'} allowed`,
  );
}

/** Throws unless both hold the same bits: -0 is not 0, and a NaN equals only a NaN. */
export function expectSameBits(
  actual: Values | null | undefined,
  expected: Values | null | undefined,
  what = 'values',
): void {
  const got = contents(actual, `${what}: actual`);
  const want = contents(expected, `${what}: expected`);
  if (got.data.length !== want.data.length) {
    throw new Error(`${what}: ${got.data.length} elements, expected ${want.data.length}`);
  }
  for (let i = 0; i < got.data.length; i++) {
    if (Object.is(got.data[i], want.data[i])) continue;
    throw new Error(
      `${what}: index ${i} of ${got.data.length}: got ${text(got.data[i])}, expected ${text(want.data[i])}`,
    );
  }
}

function contents(
  values: Values | null | undefined,
  what: string,
): { data: Numbers; shape: readonly number[] | null } {
  if (values === null || values === undefined) throw new Error(`${what} is ${String(values)}`);
  if (!('data' in values)) return { data: values, shape: null };
  return { data: values.data, shape: values.shape };
}

/** k, and what one unit of element i is. */
function unitsOfEach(
  allowed: Tolerance,
  length: number,
  what: string,
): [number, (i: number) => number] {
  const isScaled = 'k' in allowed;
  const each = isScaled ? allowed.scale : allowed.tolerance;
  const factor = isScaled ? (allowed.unit ?? ROUNDING.float32) : 1;
  const k = isScaled ? allowed.k : 1;
  if (!(k >= 0 && k < Infinity)) throw new Error(`${what}: k is ${k}`);
  if (typeof each === 'number') return [k, () => each * factor];
  if (each.length !== length) {
    throw new Error(`${what}: ${each.length} tolerances for ${length} elements`);
  }
  return [k, (i) => (each[i] ?? NaN) * factor];
}

/** |a - b|; 0 for equal infinities and for two NaNs, Infinity for one. */
function distance(a: number, b: number): number {
  if (Object.is(a, b) || a === b) return 0;
  const error = Math.abs(a - b);
  return Number.isNaN(error) ? Infinity : error;
}

function text(value: number | bigint | undefined): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
