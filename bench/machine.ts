// The machine and the versions that a figure belongs to. No name of the host, no path.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { join } from 'node:path';

import { native } from 'evenkeel';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly platform: string;
  readonly memoryBytes: number;
  /** Data caches by level, bytes, as one core sees them; empty where the system does not say. */
  readonly caches: readonly { readonly level: number; readonly bytes: number }[];
  readonly isa: string;
  readonly threads: number;
}

/** evenkeel, node, and each peer that takes part. */
export type Versions = Readonly<Record<string, string>>;

export function describeMachine(): Machine {
  return {
    cpu: (cpus()[0]?.model ?? 'unknown CPU')
      .replace(/\((R|TM)\)/g, '')
      .replace(/\s+/g, ' ')
      .trim(),
    cores: availableParallelism(),
    platform: `${platform()} ${arch()}`,
    memoryBytes: totalmem(),
    caches: cachesIn('/sys/devices/system/cpu/cpu0/cache'),
    isa: native.isa,
    threads: native.threads,
  };
}

function cachesIn(folder: string): Machine['caches'] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith('index'))
    .map((name) => {
      const read = (file: string): string => readFileSync(join(folder, name, file), 'utf8').trim();
      return { level: Number(read('level')), bytes: parseSize(read('size')), type: read('type') };
    })
    .filter(({ type }) => type !== 'Instruction')
    .map(({ level, bytes }) => ({ level, bytes }));
}

/** `48K`, `32M` or a number of bytes. */
function parseSize(text: string): number {
  const factor = text.endsWith('K') ? 2 ** 10 : text.endsWith('M') ? 2 ** 20 : 1;
  return parseInt(text, 10) * factor;
}

/** The size of a level's cache; Infinity where nothing is known, so that no target is judged by it. */
export function cacheBytes({ caches }: Pick<Machine, 'caches'>, level: number | 'last'): number {
  const wanted = level === 'last' ? Math.max(...caches.map((each) => each.level)) : level;
  return caches.find((each) => each.level === wanted)?.bytes ?? Infinity;
}

/** The smallest cache level that holds so many bytes; 'memory' when none does. */
export function levelOf({ caches }: Pick<Machine, 'caches'>, bytes: number): string {
  const holding = caches.filter((each) => bytes <= each.bytes).map(({ level }) => level);
  return holding.length === 0 ? 'memory' : `L${Math.min(...holding)}`;
}

/** The commit of the checkout that `folder` is in, marked when files have changed since; or null. */
export function commitOf(folder: string): string | null {
  if (!existsSync(join(folder, '.git'))) return null;
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? ', with changes' : ''}`;
  } catch {
    return null; // no git, or not a repository that it trusts
  }
}
