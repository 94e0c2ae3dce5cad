// A closed load: each connection sends, waits for the answer, and sends again, at once or when its turn comes.
import { Agent, request } from 'node:http';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Given } from './bodies.js';

export interface Progress {
  readonly seconds: number;
  readonly answers: number;
}

export interface LoadOptions {
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second over all connections; 0: no limit. */
  readonly rate: number;
  /** Twenty times over the load, in even steps. */
  readonly onProgress: (progress: Progress) => void | Promise<void>;
}

export interface LoadResult {
  readonly seconds: number;
  readonly answers: number;
  readonly answersPerSecond: number;
  /** Milliseconds from the request to the end of its answer. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
  /** The first ten; none where every answer was the right one. */
  readonly errors: readonly string[];
}

const STEPS = 20;
const MOST_ERRORS = 10;

export async function load(
  url: string,
  given: readonly Given[],
  { connections, seconds, rate, onProgress }: LoadOptions,
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latency = createHistogram();
  const errors: string[] = [];
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  let [answers, next] = [0, 0];

  async function connection(): Promise<void> {
    while (elapsed() < seconds && errors.length < MOST_ERRORS) {
      const number = next++;
      const { body, answer } = given[number % given.length]!;
      // Late ones are sent at once: the rate holds over the whole load.
      const early = rate === 0 ? 0 : number / rate - elapsed();
      if (early > 0) await sleep(1000 * early);
      const sent = performance.now();
      try {
        const text = await post(agent, `${url}/digits`, body);
        latency.record(Math.max(1, Math.round(1e6 * (performance.now() - sent))));
        if (text !== answer) errors.push(`expected ${answer}, got ${text}`);
        answers++;
      } catch (error) {
        errors.push(String(error));
      }
    }
  }

  const working = Promise.all(Array.from({ length: connections }, connection));
  const every = (1000 * seconds) / STEPS;
  let pending = Promise.resolve();
  const timer = setInterval(() => {
    pending = Promise.resolve(onProgress({ seconds: elapsed(), answers }));
  }, every);
  await working;
  clearInterval(timer);
  await pending;
  agent.destroy();
  const took = elapsed();
  const ms = (percentile: number): number => latency.percentile(percentile) / 1e6;
  return {
    seconds: took,
    answers,
    answersPerSecond: answers / took,
    latency: { p50: ms(50), p99: ms(99), max: latency.max / 1e6 },
    errors: errors.slice(0, MOST_ERRORS),
  };
}

/** The text of the answer, of status 200. */
function post(agent: Agent, url: string, body: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', reject).on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${response.statusCode ?? 0}: ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
