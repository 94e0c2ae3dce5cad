// The Workers, as the main thread sees them.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { Shared } from './shared.js';
import type { Ready } from './worker.js';

export interface Team {
  /** Of all Workers, in memory of their own. */
  readonly ownBytes: number;
  /** The first `count` of them evaluate until `total` batches are taken. */
  evaluate(count: number, total: number): Promise<void>;
  end(): Promise<void>;
}

/** Starts so many at once, and waits until the last is ready. An error of one rejects. */
export async function startTeam(count: number, shared: Shared): Promise<Team> {
  const workers = Array.from({ length: count }, () => start(shared));
  const ready = (await Promise.all(workers.map((each) => once(each, 'message')))) as [Ready][];
  return {
    ownBytes: ready.reduce((sum, [{ ownBytes }]) => sum + ownBytes, 0),
    async evaluate(count, total) {
      const answers = workers.slice(0, count).map((worker) => {
        worker.postMessage(total);
        return once(worker, 'message');
      });
      await Promise.all(answers);
    },
    async end() {
      const ended = workers.map((worker) => once(worker, 'exit'));
      for (const worker of workers) worker.postMessage('end');
      await Promise.all(ended);
    },
  };
}

/**
 * In JavaScript: `new Worker(new URL('./worker.js', import.meta.url), { workerData })`. On Node 20 a Worker
 * does not have the hooks of tsx, which these examples run by, unless it asks for them.
 */
function start(workerData: Shared): Worker {
  const [file, from] = [new URL('./worker.ts', import.meta.url).href, import.meta.url];
  const program = `import('tsx/esm/api').then(({ tsImport }) => tsImport('${file}', '${from}'));`;
  return new Worker(program, { eval: true, workerData });
}
