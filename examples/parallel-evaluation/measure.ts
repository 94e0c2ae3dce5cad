// Ways of evaluating, measured in turns: whatever else the machine does meets all of them alike.
import { createHash } from 'node:crypto';

import { native } from 'evenkeel';

import type { Shared } from './shared.js';

export interface Way {
  /** 0: the main thread alone. */
  readonly workers: number;
  /** Of the kernels, for each thread that evaluates. */
  readonly threads: number;
  /** Evaluates until so many batches are taken. */
  readonly evaluate: (total: number) => Promise<void> | void;
}

export interface Run {
  readonly workers: number;
  readonly threads: number;
  /** Median of the turns. */
  readonly imagesPerSecond: number;
  readonly right: number;
  /** SHA-256 of all logits. */
  readonly logits: string;
}

export const TURNS = 5;

/** Turn 0 warms up: pages, caches, compiled code. */
export async function measure(
  shared: Shared,
  passes: number,
  ways: readonly Way[],
  begins: (turn: number) => void,
): Promise<Run[]> {
  const turns = ways.map((): Turn[] => []);
  for (let turn = 0; turn <= TURNS; turn++) {
    begins(turn);
    for (const [i, way] of ways.entries()) turns[i]!.push(await take(shared, passes, way));
  }
  return ways.map(({ workers, threads }, i) => {
    const speeds = turns[i]!.slice(1).map(({ imagesPerSecond }) => imagesPerSecond);
    const imagesPerSecond = speeds.sort((a, b) => a - b)[TURNS >> 1]!;
    const { right, logits } = turns[i]!.at(-1)!;
    return { workers, threads, imagesPerSecond, right, logits };
  });
}

type Turn = Pick<Run, 'imagesPerSecond' | 'right' | 'logits'>;

async function take(shared: Shared, passes: number, way: Way): Promise<Turn> {
  const { logits, right, next, labels } = shared;
  native.setThreads(way.threads); // of the process: Workers have the same
  logits.fill(NaN); // nothing of the turn before may pass for a result of this one
  right.fill(0);
  next[0] = 0;
  const start = performance.now();
  await way.evaluate(passes * right.length);
  const seconds = (performance.now() - start) / 1000;
  return {
    imagesPerSecond: (labels.data.length * passes) / seconds,
    right: right.reduce((sum, each) => sum + each, 0), // in the order of the batches
    logits: createHash('sha256').update(logits).digest('hex'),
  };
}
