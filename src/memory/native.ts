// The public `native`: what the process computes with (the addon), and the memory that this thread keeps (the
// pool).
import { addon, isThreadCount, MAX_THREADS, version } from '../addon/control.js';
import * as check from '../check/index.js';
import { pool } from './pool.js';

/**
 * Which kernels run, on how many threads. Both belong to the process: Workers share them. Neither
 * changes a bit of any result.
 *
 * @example
 * ```ts
 * native.setThreads(1);
 * native.threads; // => 1
 * native.availableIsas.at(-1); // => 'scalar'
 * ```
 */
export const native = {
  /** The instruction set in force; `EVENKEEL_ISA` pins another one when the process first loads the package. */
  get isa(): string {
    return addon.isa();
  },
  /** The instruction sets this CPU can run, best first. */
  get availableIsas(): readonly string[] {
    return addon.availableIsas();
  },
  /**
   * Threads a call may use now. Default: the CPUs this process may run on, at most 64, or `EVENKEEL_THREADS`
   * when the process first loads the package. Fewer than were asked for where the system has refused some:
   * they are asked for again, 10 ms later at first, once a second at most.
   */
  get threads(): number {
    return addon.threads();
  },
  /** @throws {RangeError} when `n` is not a whole number from 1 to 64. */
  setThreads(n: number): void {
    if (!isThreadCount(n)) {
      throw new RangeError(
        `native.setThreads: expected a whole number from 1 to ${MAX_THREADS}, got ${check.describe(n)}.`,
      );
    }
    addon.setThreads(n);
  },
  /**
   * The pool: memory of tensors that were disposed of, or that nothing can reach any more (from 4 KB on), kept for
   * the next output of the same size. Each Worker has its own. A process that is quiet for some seconds gives it back.
   */
  memory: {
    /** Bytes in the pool, 256 more for each array. */
    get pooled(): number {
      return pool.pooled;
    },
    /** Bytes of arrays that something still holds, and that the pool takes back when nothing can reach them. */
    get inUse(): number {
      return pool.inUse;
    },
    /**
     * The most of `pooled` and `inUse` together. The sizes used longest ago go first, then arrays in use longest,
     * which are left to the garbage collector. 0: none. Default 512 MiB.
     *
     * @throws {RangeError} when it is set to anything but a number of at least 0.
     */
    get limit(): number {
      return pool.limit;
    },
    set limit(bytes: number) {
      if (typeof (bytes as unknown) !== 'number' || !(bytes >= 0)) {
        throw new RangeError(
          `native.memory.limit: expected a number of bytes of at least 0, got ${check.describe(bytes)}.`,
        );
      }
      pool.limit = bytes;
    },
    /** Empties the pool: the system has the memory now. */
    trim(): void {
      pool.trim();
    },
  },
  /** The package's version. */
  version,
};

// Everybody in the process has this one object.
for (const each of [native, native.memory]) Object.freeze(each);
