// One native call of an operation, as a value: what it reads and writes, and how it is made. It is made at once, or
// noted in the deferral that is open (deferral.ts) and made later, by the same function.
import type { Memory } from '../memory/buffer.js';
import type { FloatData, TensorData } from '../memory/dtype.js';
import type { Native } from './calls.js';
import type { Turns } from './turns.js';

/** @internal A tensor, as far as a step needs it. */
export interface Operand {
  readonly numel: number;
  /** Its memory, for one more holder. */
  share(): Memory;
  attached(who: string, name?: string): TensorData;
  dispose(): void;
}

/** @internal The array that a step is to use for an operand. Of an operand of whole numbers it is one of those. */
export interface ArrayOf {
  (operand: Operand): FloatData;
  (operand: Operand | null): FloatData | null;
}

/**
 * @internal Makes a call, and nothing else. In turns, where no kernel does it.
 *
 * Written as an argument, not as a property: the build gives functions in variables and properties their names, each
 * time they are made, which takes 0.3 µs.
 */
export type Call = (native: Native, arrayOf: ArrayOf, turns: Turns) => unknown;

/** @internal What is left to do with what a call has given, in no time. */
export type After = (arrayOf: ArrayOf, result: unknown) => void;

/** @internal What comes from other processes. */
export interface Arrival {
  /** Waits for it, and blocks this thread. */
  now(): void;
  /** Waits for it while the event loop turns. */
  later(): Promise<void>;
}

/** @internal */
export interface Step {
  /** Who names it in errors. */
  readonly who: string;
  /** How many elements go through memory, or what takes as long: below 32,768 it is made on the event loop. */
  readonly work: number;
  /** By the name that errors use; null where there is none. */
  readonly reads: Readonly<Record<string, Operand | null>>;
  /** Results of this operation: memory that it has just made, and of which nobody has a view. */
  readonly writes: readonly (Operand | null)[];
  /** What is changed in place. Beside the event loop a copy is, which takes the place of the elements at the end. */
  readonly rewrites?: readonly (Operand | null)[];
  /** What has to settle before it may be made. */
  readonly before?: Promise<void> | null;
  /** What other processes have to send before it may be made, when all steps before it have been. */
  readonly arrival?: Arrival;
}
