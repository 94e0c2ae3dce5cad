// The addon as the environment configures it: which kernels run, on how many threads.
import { load } from './load.js';
import type { Addon } from './types.js';
import { nameThisCopy } from '../check/copies.js';

/** kMaxThreads in native/runtime/parallel.cc. */
export const MAX_THREADS = 64;

/** @internal */
export function isThreadCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 1 && n <= MAX_THREADS;
}

function threadsFromEnvironment(text: string): number {
  const count = Number(text);
  if (!isThreadCount(count)) {
    throw new RangeError(
      `evenkeel: expected EVENKEEL_THREADS to be a whole number from 1 to ${MAX_THREADS}, got '${text}'.`,
    );
  }
  return count;
}

/**
 * Hands over what the environment variables say: always checked, but applied by the first environment that loads
 * the addon only. What they set is the process's, and a Worker must not undo what was set since.
 */
function configure(loaded: Addon): Addon {
  const { EVENKEEL_ISA: isa = '', EVENKEEL_THREADS: threads = '' } = process.env;
  if (isa !== '' && !loaded.availableIsas().includes(isa)) {
    throw new RangeError(
      `evenkeel: expected EVENKEEL_ISA to be one of ${loaded.availableIsas().join(', ')} ` +
        `(what this CPU supports), got '${isa}'.`,
    );
  }
  loaded.configure(isa, threads === '' ? 0 : threadsFromEnvironment(threads));
  return loaded;
}

const { addon: loaded, version: loadedVersion, folder } = load();
nameThisCopy(loadedVersion, folder);

/** @internal */
export const addon: Addon = configure(loaded);

/** @internal The package's version. */
export const version = loadedVersion;
