// The control of a load test: a Node process that does nothing but watch its own event loop. What it waits is what the
// machine (other processes, the client among them) makes any loop wait, whatever it runs.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { Delay } from '../server/delay.js';

export interface Idle {
  /** Its figures start anew. */
  reset(): Promise<void>;
  delay(): Promise<Delay>;
  kill(): void;
}

export function startIdle(): Idle {
  const child = fork(fileURLToPath(new URL('idle-process.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
  });
  const ask = async (question: 'reset' | 'delay'): Promise<Delay> => {
    const answered = once(child, 'message') as Promise<[Delay]>;
    child.send(question);
    return (await answered)[0];
  };
  return {
    reset: async () => {
      await ask('reset');
    },
    delay: () => ask('delay'),
    kill: () => {
      child.kill('SIGKILL');
    },
  };
}
