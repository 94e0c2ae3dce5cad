// Seeded draws: a call of an episode draws the same whenever it is repeated, with or without the calls before it.
// @ts-nocheck

let state = 0;

export function startDraws(seed, episode, call) {
  state =
    (Math.imul(seed, 0x9e3779b1) ^
      Math.imul(episode + 1, 0x85ebca6b) ^
      Math.imul(call + 2, 0xc2b2ae35)) >>>
    0;
}

/** Mulberry32: whole numbers below n. */
export function below(n) {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) % n;
}
export const one = (list) => list[below(list.length)];
export const chance = (n) => below(n) === 0;

const POOL = Float32Array.from({ length: 2 ** 17 }, (_, i) => ((i * 40503) % 2048) / 64 - 16);

/** Small numbers; many of them are the same ones from another place on. */
export function numbers(count) {
  if (count <= 512) return Float32Array.from({ length: count }, () => (below(2048) - 1024) / 64);
  const drawn = new Float32Array(count);
  for (let done = 0; done < count;) {
    const from = below(POOL.length);
    const part = POOL.subarray(from, from + count - done);
    drawn.set(part, done);
    done += part.length;
  }
  return drawn;
}
