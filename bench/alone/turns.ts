// What the programs of this folder share: the longest turn of the event loop, and tables of numbers. They measure
// evenkeel alone, are run by tsx after a build, and are not in the package.
import { readFileSync } from 'node:fs';

import { line, type Column } from '../format.js';

export interface Turn {
  /** ms by the clock: what other processes take is in it. */
  readonly longest: number;
  /** ms of CPU time of this thread, where Linux says it. */
  readonly cpu: number;
  /** ms from the beginning to the end. */
  readonly all: number;
}

/** The longest turn of the event loop while `run` goes on. */
export async function longestTurn(run: () => Promise<unknown>): Promise<Turn> {
  let [longest, cpu] = [0, 0];
  const start = performance.now();
  let [last, lastCpu] = [start, cpuTime()];
  const watch = { on: true };
  const turn = (): void => {
    const [now, nowCpu] = [performance.now(), cpuTime()];
    longest = Math.max(longest, now - last);
    cpu = Math.max(cpu, nowCpu - lastCpu);
    [last, lastCpu] = [now, nowCpu];
    if (watch.on) setImmediate(turn);
  };
  setImmediate(turn);
  await run();
  watch.on = false;
  turn();
  return { longest, cpu, all: performance.now() - start };
}

function cpuTime(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return NaN;
  }
}

/** Prints the head of a table; what it returns prints a row: a name and numbers. */
export function table(
  width: number,
  titles: readonly string[],
  digits = 2,
): (name: string, values: readonly number[]) => void {
  const columns: Column[] = [
    { title: '', width, align: 'left' },
    ...titles.map(
      (title) => ({ title, width: Math.max(7, title.length), align: 'right' }) as const,
    ),
  ];
  const print = (cells: readonly string[]): void => console.log(line(columns, cells));
  print(columns.map(({ title }) => title));
  return (name, values) => print([name, ...values.map((value) => value.toFixed(digits))]);
}
