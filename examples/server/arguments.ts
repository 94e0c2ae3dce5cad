// The options of the server.
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

import { readOptions } from '../../src/cli/options.js';
import type { BatcherOptions } from './batcher.js';

export interface Settings extends BatcherOptions {
  readonly host: string;
  readonly port: number;
  readonly checkpoint: string;
  readonly threads: number;
  /** Seconds between SIGTERM and the end, at most. */
  readonly grace: number;
}

/** A PointNet that PyTorch has trained on digits (bench/showcases.ts). */
export const CHECKPOINT = fileURLToPath(new URL('pointnet.pt', import.meta.url));
const whole = { type: 'number', whole: true } as const;

/** The settings of this run. Prints help and ends the process with 0, or a mistake and ends it with 2. */
export function readSettings(): Settings {
  const values = readOptions(
    {
      name: 'server',
      program: 'server',
      call: 'npm run example:server --',
      text: `Serves a PointNet that PyTorch has trained: POST /digits with {"points": [[x, y], …]},
GET /health, GET /metrics.`,
      options: {
        host: { type: 'string', help: 'where to listen; 127.0.0.1' },
        port: { ...whole, default: 8080, min: 0, max: 65535, help: '0 takes a free one' },
        checkpoint: { type: 'string', hint: '<file>', help: 'a state dict by torch.save' },
        'max-batch': { ...whole, default: 32, min: 1, max: 4096, help: 'requests in a forward' },
        'max-wait': {
          type: 'number',
          default: 1,
          min: 0,
          max: 1000,
          help: 'ms that a request waits for others',
        },
        'max-queue': {
          ...whole,
          default: 1024,
          min: 1,
          max: 1e6,
          help: 'requests that may wait; others get 503',
        },
        threads: {
          ...whole,
          default: Math.max(1, availableParallelism() - 1),
          min: 1,
          max: 1024,
          help: 'that compute; a core is left to the event loop',
        },
        grace: {
          ...whole,
          default: 10,
          min: 0,
          max: 3600,
          help: 'seconds to end in after SIGTERM',
        },
      },
    },
    process.argv.slice(2),
  );
  if (typeof values === 'number') process.exit(values);
  const { host = '127.0.0.1', checkpoint = CHECKPOINT, ...others } = values;
  return {
    ...others,
    host,
    checkpoint,
    maxBatch: values['max-batch'],
    maxWait: values['max-wait'],
    maxQueue: values['max-queue'],
  } as unknown as Settings;
}
