// Runs an example as a user does: a child process on the built package.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface ExampleEnded {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param file - In `examples/`. */
export function runExample(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ExampleEnded> {
  const child = spawn(process.execPath, ['--import', 'tsx', `examples/${file}`, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => (text[name] += part));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => resolve({ code, ...text }));
  });
}
