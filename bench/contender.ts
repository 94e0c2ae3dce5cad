// A contender: something that takes turns, and can show what it computes.
import type { Floats, Job } from './data.js';
import type { Turns } from './measure.js';

export interface Contender extends Turns {
  /** `evenkeel`, or the peer. */
  readonly who: string;
  /** What it is called with, as `1 thread`; unique together with `who`. */
  readonly how: string;
  /**
   * What it computes from the case's arrays: y, dx, or the loss of a step without Dropout. Asked for
   * before the turns, which may train. Null when it has no way to show it.
   */
  readonly output?: () => Floats | Promise<Floats>;
}

export interface Peer {
  /** As people call it: `PyTorch`. */
  readonly name: string;
  readonly version: string;
  /** What it does in this case; empty when it cannot. */
  contenders(job: Job): Promise<Contender[]>;
  /** Lets go of the last case's memory. */
  release(): Promise<void>;
  close(): Promise<void>;
}

/** A peer that is not there, in words: `PyTorch: skipped, no 'torch' in python3`. */
export class Absent extends Error {}
