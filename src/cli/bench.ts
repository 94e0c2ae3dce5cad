// `evenkeel bench`: runs dist/bench in a process of its own, which has a fresh heap, and a collector
// that can be called between cases.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** @returns The exit code of the benchmark; 1 when a signal ended it, which is said. */
export function bench(args: readonly string[]): Promise<number> {
  const program = join(__dirname, '..', '..', 'bench', 'main.js');
  const child = spawn(process.execPath, ['--expose-gc', program, ...args], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal !== null) {
        const cause =
          signal === 'SIGKILL' ? ': the system kills a process when memory runs out' : '';
        console.error(`evenkeel bench: ended by ${signal}${cause}. Nothing was saved.`);
      }
      resolve(code ?? 1);
    });
  });
}
