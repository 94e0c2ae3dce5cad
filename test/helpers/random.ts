// Seeded random numbers for tests: the same on every run and every machine.

/** Uniform in [0, 1), 32 bits each (mulberry32, Tommy Ettinger 2017, public domain). */
export function uniformFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Mean 0, deviation 1 (Box & Muller 1958). */
export function normalFrom(seed: number): () => number {
  const uniform = uniformFrom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Whole numbers from `low` to `high`, small ones as likely as large ones (log-uniform). */
export function sizesFrom(seed: number): (low: number, high: number) => number {
  const uniform = uniformFrom(seed);
  return (low, high) => Math.floor(low * ((high + 1) / low) ** uniform());
}

/** Many numbers of one seed, which tests draw again and again: to draw them took most of some tests' time. */
const drawn = new Map<number, Float32Array>();
const MANY = 10_000;

export function normals32(seed: number, count: number): Float32Array {
  const known = drawn.get(seed);
  const all =
    known !== undefined && known.length >= count
      ? known
      : Float32Array.from({ length: count }, normalFrom(seed));
  if (count >= MANY) drawn.set(seed, all);
  return all.slice(0, count);
}

/**
 * `steps` different values around 0, 1/64 apart, so that 0 and equal ones are met (Park & Miller 1988). `special`, where it
 * is not 0, takes the place of one of them.
 */
export function steppedValues(
  count: number,
  { dtype, seed, steps }: { dtype: 'float32' | 'float64'; seed: number; steps: number },
  special = 0,
): Float32Array | Float64Array {
  const array = dtype === 'float32' ? new Float32Array(count) : new Float64Array(count);
  let state = seed % 2147483647;
  for (let i = 0; i < count; i++) {
    state = (state * 48271) % 2147483647;
    array[i] = (state % steps) / 64 - steps / 128;
  }
  if (special !== 0) array[state % count] = special;
  return array;
}
