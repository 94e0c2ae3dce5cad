// Random numbers: binding/random.h explains the arguments.
import type { Floats } from './floats.js';

export interface RandomCalls {
  dropout(x: Floats, y: Floats, n: number, p: number, key: number, offset: number): void;
  uniform(out: Floats, n: number, low: number, high: number, key: number, offset: number): void;
  randomWords(out: Uint32Array, n: number, key: number, offset: number): void;
}
