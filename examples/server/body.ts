// The body of a request: so many bytes at most, then JSON, then what the model takes. Every mistake is a sentence.
import type { IncomingMessage } from 'node:http';

/** A mistake of the client: the status and the sentence that it is told. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const MOST_BYTES = 64 * 1024;
const MOST_READ = 1024 * 1024;
const MOST_POINTS = 256;

/** x and y of each point. */
export type Points = Float32Array;

/**
 * What is past `MOST_BYTES` is read, so that the client reads its answer, but not kept; past `MOST_READ` it is not read.
 *
 * @throws {Refused} 413.
 */
export function readBody(request: IncomingMessage): Promise<string> {
  const tooLarge = new Refused(413, `expected at most ${MOST_BYTES} bytes, got more.`);
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > MOST_READ) throw tooLarge;
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MOST_BYTES) chunks.push(chunk);
      if (bytes <= MOST_READ) return;
      request.pause();
      reject(tooLarge);
    });
    request.on('end', () => {
      if (bytes > MOST_BYTES) reject(tooLarge);
      else resolve(Buffer.concat(chunks).toString('utf8'));
    });
    request.on('error', reject);
  });
}

/**
 * `{"points": [[x, y], …]}`: 1 to 256 pairs of finite numbers, and nothing else.
 *
 * @throws {Refused} 400.
 */
export function parsePoints(body: string): Points {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new Refused(400, 'expected JSON, got something else.');
  }
  if (typeof value !== 'object' || value === null || !('points' in value)) {
    throw new Refused(400, 'expected an object with "points", got none.');
  }
  const { points, ...others } = value;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw new Refused(400, `expected "points" alone, got "${other.slice(0, 40)}" too.`);
  }
  if (!Array.isArray(points) || points.length === 0 || points.length > MOST_POINTS) {
    const got = Array.isArray(points) ? String(points.length) : typeof points;
    throw new Refused(400, `expected 1 to ${MOST_POINTS} points, got ${got}.`);
  }
  const coordinates = new Float32Array(2 * points.length);
  points.forEach((point: unknown, i) => {
    if (!Array.isArray(point) || point.length !== 2 || !point.every(isFiniteFloat)) {
      throw new Refused(400, `expected points[${i}] to be two finite numbers, got something else.`);
    }
    coordinates.set(point as number[], 2 * i);
  });
  return coordinates;
}

/** Finite as float32, too. */
const isFiniteFloat = (value: unknown): boolean =>
  typeof value === 'number' && Number.isFinite(Math.fround(value));
