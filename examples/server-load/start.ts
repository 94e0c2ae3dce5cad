// The server in a process of its own, and what it says of itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { Metrics } from '../server/service.js';

export interface Started {
  readonly url: string;
  metrics(): Promise<Metrics>;
  /** Its figures start anew. */
  reset(): Promise<void>;
  /** By SIGTERM. @returns The exit code. */
  stop(): Promise<number | null>;
  kill(): void;
}

export async function startServer(): Promise<Started> {
  const program = fileURLToPath(new URL('../server.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const listening = once(lines, 'line') as Promise<[string]>;
  const [line] = await Promise.race([listening, exited]);
  const url = /^listening on (\S+)$/.exec(String(line))?.[1];
  if (url === undefined) throw new Error(`expected a server that listens, got ${line}.`);
  return {
    url,
    metrics: async () => (await (await fetch(`${url}/metrics`)).json()) as Metrics,
    reset: async () => {
      await (await fetch(`${url}/metrics/reset`, { method: 'POST' })).text();
    },
    stop: async () => {
      child.kill('SIGTERM');
      return (await exited)[0];
    },
    kill: () => {
      child.kill('SIGKILL');
    },
  };
}
