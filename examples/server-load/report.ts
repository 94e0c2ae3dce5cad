// What the load test prints: a bar, then its figures and the memory of the server over the run.
import { progressBar } from '../../src/cli/progress.js';
import { curves } from '../terminal/chart.js';
import { bold, grouped, headline, painted } from '../terminal/text.js';
import type { Delay } from '../server/delay.js';
import type { Metrics } from '../server/service.js';
import type { Settings } from './arguments.js';
import type { LoadResult, Progress } from './client.js';

export interface Sample extends Metrics {
  readonly second: number;
  readonly answers: number;
}

interface Summary extends LoadResult {
  readonly connections: number;
  /** Of the server alone, over the load. */
  readonly metrics: Metrics;
  /** Of a Node process beside it that does nothing: what the machine alone makes a loop wait. */
  readonly idleDelay: Delay;
  readonly samples: readonly Sample[];
  /** The server's exit code after SIGTERM. */
  readonly code: number | null;
}

export interface Report {
  start(url: string, bodies: number): void;
  progress(done: Progress, seconds: number): void;
  end(summary: Summary): void;
}

const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
const ms = (value: number): string => `${value.toFixed(1)} ms`;
const delays = ({ p50, p99, max }: Delay): string =>
  `p50 ${ms(p50)}   p99 ${ms(p99)}   most ${ms(max)}`;

export function report({ connections, minutes, rate, json }: Settings): Report {
  const bar = progressBar(json ? process.stderr : process.stdout);
  const print = (...lines: string[]): void => {
    bar.clear();
    if (!json) console.log(lines.join('\n'));
  };
  return {
    start(url, bodies) {
      print(
        headline(),
        `${url}/digits · ${connections} connections · ${rate === 0 ? 'as fast as it answers' : `${grouped(rate)} requests a second`} · ${minutes} minutes · ${grouped(bodies)} digits in turn`,
        '',
      );
    },
    progress({ seconds: done, answers }, seconds) {
      bar.show(Math.round(done), Math.round(seconds), `${grouped(answers / done)} answers/s`);
    },
    end({ seconds, answers, answersPerSecond, latency, errors, metrics, ...rest }) {
      const { samples, code, idleDelay } = rest;
      const { eventLoopDelay: delay, batches, inputs } = metrics;
      print(
        `${bold(`${grouped(answersPerSecond)} answers a second`)}, ${grouped(answers)} in ${seconds.toFixed(0)} s, ${(inputs / batches).toFixed(1)} in a forward`,
        `latency            ${delays(latency)}`,
        `event-loop delay   ${delays(delay)}`,
        `an idle process    ${delays(idleDelay)}`,
        errors.length === 0
          ? painted('green', 'every answer is the model’s own, to the last bit')
          : painted('red', `errors: ${errors.join('; ')}`),
        `SIGTERM: the server ended with ${code}`,
        '',
        ...memory(samples),
      );
    },
  };
}

function memory(samples: readonly Sample[]): string[] {
  if (samples.length < 2) return [];
  const most = Math.max(...samples.map(({ memory }) => memory.rss));
  const line = (key: 'rss' | 'heap'): [number, number][] =>
    samples.map(({ second, memory }) => [second, memory[key]]);
  return curves({
    title: 'Memory of the server',
    x: { title: 'seconds', min: 0, max: samples.at(-1)!.second, tick: (value) => value.toFixed(0) },
    y: { title: '', min: 0, max: 1.2 * most, tick: mega },
    curves: [
      { name: 'JavaScript heap', paint: 'orange', dashed: true, points: line('heap') },
      { name: 'resident', paint: 'blue', points: line('rss') },
    ],
    lines: 8,
  });
}
