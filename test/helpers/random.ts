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
