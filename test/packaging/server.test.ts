// The example server: answers, mistakes of clients, clients that leave, and its end. Nothing here is timed.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { noGrad, tensor } from 'evenkeel';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { PointNet } from '../../examples/pointnet/model.js';
import { CHECKPOINT } from '../../examples/server/arguments.js';
import { Batcher, Overloaded } from '../../examples/server/batcher.js';
import { loadModel } from '../../examples/server/predict.js';
import type { Answer, Metrics } from '../../examples/server/service.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const children = new Set<ChildProcess>();

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

interface Running {
  readonly url: string;
  readonly child: ChildProcess;
  readonly exited: Promise<[number | null, NodeJS.Signals | null]>;
}

/** Starts one that listens on a free port. */
async function start(...args: string[]): Promise<Running> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'examples/server.ts', '--port', '0', ...args],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  children.add(child);
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const url = /^listening on (http:\S+)$/.exec(line)?.[1];
  expect(line).toContain('listening');
  return { url: url!, child, exited };
}

const post = (url: string, body: string | Uint8Array): Promise<Response> =>
  fetch(`${url}/digits`, { method: 'POST', body: body as string });
const metricsOf = async (url: string): Promise<Metrics> =>
  (await (await fetch(`${url}/metrics`)).json()) as Metrics;

/** A request of its own connection, sent; its answer is for `response`. */
function send(url: string, body: string): ClientRequest {
  const sent = request(`${url}/digits`, { method: 'POST', agent: false });
  sent.on('error', () => undefined);
  sent.end(body);
  return sent;
}

async function answerOf(sent: ClientRequest): Promise<[IncomingMessage, string]> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  return [response, text];
}

async function untilWaiting(url: string, count: number): Promise<void> {
  while ((await metricsOf(url)).waiting !== count) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Points on a circle, fewer or more of them. */
const circle = (count: number): [number, number][] =>
  Array.from({ length: count }, (_, i) => [Math.cos(i) * 0.7, Math.sin(i) * 0.7]);
const bodyOf = (points: unknown): string => JSON.stringify({ points });

describe('the server', () => {
  let model: PointNet;
  beforeAll(async () => {
    model = await loadModel(CHECKPOINT);
  });

  /** What model.forward says of one set of points. */
  function expected(points: readonly (readonly number[])[]): Answer {
    const values = Float32Array.from([...points.map(([x]) => x!), ...points.map(([, y]) => y!)]);
    const output = noGrad(() => model.forward(tensor(values, [1, 2, points.length])));
    const scores = Array.from(output.data as Float32Array);
    return { digit: scores.indexOf(Math.max(...scores)), scores };
  }

  it('answers as model.forward does, bit for bit, whoever shares the batch', async () => {
    const { url } = await start('--max-wait', '20');
    const sets = [96, 96, 1, 40, 256, 7, 96, 150].map(circle);
    const answers = await Promise.all(
      sets.map(async (points) => (await post(url, bodyOf(points))).json()),
    );
    expect(answers).toEqual(sets.map(expected));
    const { requests, batches, inputs } = await metricsOf(url);
    expect({ requests, inputs }).toEqual({ requests: sets.length, inputs: sets.length });
    expect(batches).toBeLessThan(sets.length);
  });

  it('is healthy, and says where it is not at home', async () => {
    const { url } = await start();
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
    expect((await fetch(`${url}/__proto__`)).status).toBe(404);
    expect((await fetch(`${url}/digits`)).status).toBe(405);
  });

  it('tells a client its mistake, and goes on', async () => {
    const { url } = await start();
    const tooMany = 'a'.repeat(65 * 1024);
    const cases: [body: string, status: number, sentence: RegExp][] = [
      ['{"points": [[1, 2]', 400, /^expected JSON/],
      ['', 400, /^expected JSON/],
      ['null', 400, /^expected an object with "points"/],
      ['[]', 400, /^expected an object with "points"/],
      ['{"point": [[1, 2]]}', 400, /^expected an object with "points"/],
      ['{"points": [[1, 2]], "more": 1}', 400, /got "more" too/],
      [bodyOf([]), 400, /^expected 1 to 256 points, got 0/],
      [bodyOf(circle(257)), 400, /got 257/],
      [bodyOf('points'), 400, /got string/],
      [bodyOf([[1, 2], [3]]), 400, /^expected points\[1\] to be two finite numbers/],
      [bodyOf([[1, 2, 3]]), 400, /^expected points\[0\]/],
      [bodyOf([[1, '2']]), 400, /^expected points\[0\]/],
      ['{"points": [[1, 1e39]]}', 400, /^expected points\[0\]/],
      [tooMany, 413, /^expected at most 65536 bytes/],
    ];
    for (const [body, status, sentence] of cases) {
      const response = await post(url, body);
      const { error } = (await response.json()) as { error: string };
      expect({ body, status: response.status }).toEqual({ body, status });
      expect(error).toMatch(sentence);
    }
    expect(await (await post(url, bodyOf(circle(96)))).json()).toEqual(expected(circle(96)));
  });

  it('stops reading a body that does not end, and goes on', async () => {
    const { url } = await start();
    const sent = request(`${url}/digits`, { method: 'POST', agent: false }); // chunked: no length
    const ended = Promise.race([
      once(sent, 'error').then(() => 'closed'),
      once(sent, 'response').then(([response]) => (response as IncomingMessage).statusCode),
    ]).catch(() => 'closed');
    for (let i = 0; i < 32; i++) sent.write('x'.repeat(64 * 1024));
    expect(['closed', 413]).toContain(await ended);
    sent.on('error', () => undefined);
    sent.destroy();
    expect(await (await post(url, bodyOf(circle(3)))).json()).toEqual(expected(circle(3)));
  });

  it('takes a request out of the batch when its client leaves', async () => {
    const { url } = await start('--max-wait', '1000');
    const stays = send(url, bodyOf(circle(96)));
    await untilWaiting(url, 1);
    const leaves = send(url, bodyOf(circle(50)));
    await untilWaiting(url, 2);
    leaves.destroy();
    await untilWaiting(url, 1);
    const [response, text] = await answerOf(stays);
    expect(response.statusCode).toBe(200);
    expect(JSON.parse(text)).toEqual(expected(circle(96)));
    const { aborted, inputs } = await metricsOf(url);
    expect({ aborted, inputs }).toEqual({ aborted: 1, inputs: 1 });
  });

  it('refuses what it cannot queue, with 503', async () => {
    const { url } = await start('--max-wait', '1000', '--max-queue', '1');
    const first = send(url, bodyOf(circle(96)));
    await untilWaiting(url, 1);
    const refused = await post(url, bodyOf(circle(96)));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    const [response] = await answerOf(first);
    expect(response.statusCode).toBe(200);
  });

  it('answers what is in flight at SIGTERM, accepts nothing more, and exits with 0', async () => {
    const { url, child, exited } = await start('--max-wait', '1000', '--grace', '60');
    const sent = send(url, bodyOf(circle(96)));
    await untilWaiting(url, 1);
    child.kill('SIGTERM');
    const [response, text] = await answerOf(sent);
    expect(response.headers.connection).toBe('close');
    expect(JSON.parse(text)).toEqual(expected(circle(96)));
    expect(await exited).toEqual([0, null]);
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  it('says that the checkpoint is missing, and ends with 1', async () => {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', 'examples/server.ts', '--port', '0', '--checkpoint', 'nowhere.pt'],
      { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    children.add(child);
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => (text += part));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(text).toContain('nowhere.pt');
  });
});

describe('the batcher', () => {
  const options = { maxBatch: 2, maxWait: 0, maxQueue: 3 };
  const never = new AbortController().signal;

  it('puts what comes while a batch runs into the next ones, in their order', async () => {
    const seen: (readonly number[])[] = [];
    const batcher = new Batcher<number, number>((inputs) => {
      seen.push(inputs);
      return Promise.resolve(inputs.map((each) => 10 * each));
    }, options);
    const outputs = await Promise.all([1, 2, 3, 4, 5].map((each) => batcher.submit(each, never)));
    expect(outputs).toEqual([10, 20, 30, 40, 50]);
    expect(seen).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('aborts a running batch only when nobody waits for it any more', async () => {
    let running: AbortSignal | undefined;
    let finish: (() => void) | undefined;
    const batcher = new Batcher<number, number>((inputs, signal) => {
      running = signal;
      return new Promise((resolve) => (finish = () => resolve([...inputs])));
    }, options);
    const leaving = [new AbortController(), new AbortController()] as const;
    const outputs = leaving.map(({ signal }, i) => batcher.submit(i, signal));
    const settled = Promise.allSettled(outputs);
    leaving[0].abort(new Error('left'));
    expect(running?.aborted).toBe(false);
    leaving[1].abort(new Error('left too'));
    expect(running?.aborted).toBe(true);
    finish!();
    expect(await settled).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  });

  it('rejects a whole batch that fails, and runs the next one', async () => {
    const batcher = new Batcher<number, number>(
      (inputs) => (inputs.includes(1) ? Promise.reject(new Error('broken')) : Promise.resolve([7])),
      options,
    );
    const failed = await Promise.allSettled([1, 2].map((each) => batcher.submit(each, never)));
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await batcher.submit(3, never)).toBe(7);
  });

  it('refuses more than it may queue', async () => {
    const batcher = new Batcher<number, number>((inputs) => Promise.resolve([...inputs]), {
      ...options,
      maxBatch: 10,
    });
    const outputs = [1, 2, 3].map((each) => batcher.submit(each, never));
    await expect(batcher.submit(4, never)).rejects.toBeInstanceOf(Overloaded);
    expect(await Promise.all(outputs)).toEqual([1, 2, 3]);
  });
});
