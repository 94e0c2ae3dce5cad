// The HTTP service: which request gets which answer, and how it ends.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { native } from 'evenkeel';

import type { PointNet } from '../pointnet/model.js';
import { Batcher, Overloaded, type BatcherOptions } from './batcher.js';
import { parsePoints, readBody, Refused, type Points } from './body.js';
import { delayOf, watchDelay, type Delay } from './delay.js';
import { predict, type Scores } from './predict.js';

export interface Answer {
  /** The digit with the largest score. */
  readonly digit: number;
  readonly scores: Scores;
}

/** Since the process started, or since `POST /metrics/reset`. */
export interface Metrics {
  readonly requests: number;
  readonly aborted: number;
  readonly batches: number;
  readonly inputs: number;
  /** Requests that wait for a batch. */
  readonly waiting: number;
  readonly eventLoopDelay: Delay;
  /** Bytes. */
  readonly memory: { readonly rss: number; readonly heap: number; readonly tensors: number };
}

export interface Service {
  readonly server: Server;
  /** Accepts nothing more; fulfilled when all that came has been answered. */
  close(): Promise<void>;
}

const ROUTES: Readonly<Record<string, string>> = {
  '/digits': 'POST',
  '/health': 'GET',
  '/metrics': 'GET',
  '/metrics/reset': 'POST',
};

export function createService(model: PointNet, options: BatcherOptions): Service {
  const batcher = new Batcher<Points, Scores>(
    (sets, signal) => predict(model, sets, signal),
    options,
  );
  const delay = watchDelay();
  let isClosing = false;
  let [requests, aborted] = [0, 0];
  let before = batcher.counts;

  const server = createServer((request, response) => {
    void answer(request, response);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const leaving = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) leaving.abort();
    });
    try {
      const body = await respond(request, leaving.signal);
      send(response, isClosing && body === HEALTHY ? 503 : 200, body);
    } catch (error) {
      if (leaving.signal.aborted || response.destroyed) {
        aborted++;
        return;
      }
      const { status, message } = refusalOf(error);
      if (status === 503) response.setHeader('retry-after', '1');
      // What has not been read of the body cannot be skipped: the connection ends with the answer.
      if (!request.complete) response.setHeader('connection', 'close');
      send(response, status, { error: message });
    }
  }

  async function respond(request: IncomingMessage, signal: AbortSignal): Promise<object> {
    const path = (request.url ?? '').split('?', 1)[0]!;
    const method = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
    if (method === undefined) throw new Refused(404, `expected ${Object.keys(ROUTES).join(', ')}.`);
    if (request.method !== method) throw new Refused(405, `expected ${method}.`);
    if (path === '/health') return HEALTHY;
    if (path === '/metrics') return metrics();
    if (path === '/metrics/reset') return reset();
    const points = parsePoints(await readBody(request));
    const scores = await batcher.submit(points, signal);
    requests++;
    return { digit: scores.indexOf(Math.max(...scores)), scores } satisfies Answer;
  }

  function send(response: ServerResponse, status: number, body: object): void {
    const text = JSON.stringify(body);
    if (isClosing) response.setHeader('connection', 'close');
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  }

  function metrics(): Metrics {
    const { batches, inputs, waiting } = batcher.counts;
    const { rss, heapUsed } = process.memoryUsage();
    return {
      requests,
      aborted,
      batches: batches - before.batches,
      inputs: inputs - before.inputs,
      waiting,
      eventLoopDelay: delayOf(delay),
      memory: { rss, heap: heapUsed, tensors: native.memory.inUse + native.memory.pooled },
    };
  }

  function reset(): object {
    delay.reset();
    [requests, aborted] = [0, 0];
    before = batcher.counts;
    return {};
  }

  return {
    server,
    close: () =>
      new Promise((resolve) => {
        isClosing = true;
        server.close(() => {
          delay.disable();
          resolve();
        });
        server.closeIdleConnections();
        batcher.flush();
      }),
  };
}

const HEALTHY = { status: 'ok' };

function refusalOf(error: unknown): { status: number; message: string } {
  if (error instanceof Refused) return error;
  if (error instanceof Overloaded) return { status: 503, message: `${error.message}.` };
  console.error(error);
  return { status: 500, message: 'the server has made a mistake.' };
}
