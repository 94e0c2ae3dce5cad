// Bundled, this is the first part of a program that a child process runs (program.ts). `operations` has a maker for
// each kind of call; sweep() lets each request for memory of one fail in turn.
import { createHash } from 'node:crypto';

import type { Package } from '../operations/row.js';
import { operationsOf } from '../operations/table.js';
import { LATER } from './later.js';
import { NOW } from './now.js';
import { bitsOf, cold, stateOf, type Made, type Maker } from './state.js';

export { bitsOf, cold, FOLDER, numbers, stateOf, unbegun } from './state.js';
export { LATER as later } from './later.js';

/** Of the child's prelude: the package. */
declare const load: () => Package;

/** Every row of the table of operations, on its small inputs. */
function small(): Record<string, Maker> {
  const makers = operationsOf(load()).map(({ name }, i): [string, Maker] => [
    name,
    (evenkeel) => {
      const { inputs, call } = operationsOf(evenkeel)[i]!;
      const given = inputs();
      return {
        kept: given.filter((each) => each instanceof evenkeel.Tensor),
        call: async () => {
          evenkeel.manualSeed(3);
          return [await call(...given)];
        },
      };
    },
  ]);
  return Object.fromEntries(makers);
}

export const operations: Record<string, Maker> = { ...NOW, ...LATER };

interface Sweep {
  /** Lets request number `at` fail, and all later ones too if `forever`. */
  readonly watch: (at: number, forever: boolean) => void;
  /** How many requests there have been. */
  readonly seen: () => number;
  readonly rightly: (error: unknown) => boolean;
  readonly forever: boolean;
  readonly begin?: (evenkeel: Package) => void;
}

/**
 * Every operation again and again, with request 1, 2, ... failing, until none is left to fail. A call
 * that fails must throw what `rightly` says, have changed nothing, and go well the next time.
 *
 * @param names - `all` is also every row of the table of operations.
 */
export async function sweep(
  names: readonly string[] | 'all',
  options: Sweep,
): Promise<{ failures: number }> {
  const { watch, seen, rightly, forever, begin = cold } = options;
  const evenkeel = load();
  const makers: Record<string, Maker> = { ...small(), ...operations };
  const made = async (name: string): Promise<Made> => {
    evenkeel.manualSeed(7);
    const { kept, call } = await makers[name]!(evenkeel);
    begin(evenkeel);
    return { kept, call };
  };
  let failures = 0;
  for (const name of names === 'all' ? Object.keys(makers) : names) {
    const say = (...what: unknown[]): void => console.log(`${name}:`, ...what);
    const first = await made(name);
    const right = bitsOf(await first.call()) + stateOf(first.kept);
    for (let at = 1; ; at++) {
      const { kept, call } = await made(name);
      const before = stateOf(kept);
      let [result, error]: [readonly unknown[], unknown] = [[], null];
      watch(at, forever);
      try {
        result = await call();
      } catch (caught) {
        error = caught;
      }
      const requests = seen();
      if (error === null && requests < at) break;
      failures++;
      if (error !== null) {
        if (!rightly(error)) say('request', at, 'throws', error);
        if (stateOf(kept) !== before)
          say('request', at, 'of', requests, 'failed, and something has changed');
        result = await call();
      }
      if (bitsOf(result) + stateOf(kept) !== right) say('other bits after request', at, 'failed');
      if (at > 1000) {
        say('does not end');
        break;
      }
    }
  }
  return { failures };
}

/** What all operations compute and leave behind, in one hash; `around` runs each call. */
export async function digest(around = (call: Made['call']) => call()): Promise<string> {
  const evenkeel = load();
  const hash = createHash('sha256');
  for (const make of Object.values(operations)) {
    evenkeel.manualSeed(7);
    const { kept, call } = await make(evenkeel);
    hash.update(bitsOf(await around(call))).update(stateOf(kept));
  }
  return hash.digest('hex');
}

const ARRAYS = [
  'Float32Array',
  'Float64Array',
  'Int32Array',
  'Uint32Array',
  'BigInt64Array',
  'ArrayBuffer',
] as const;

/** JavaScript's own arrays and buffers: `watch` and `seen` for sweep(); to be called before load(). */
export function interceptArrays(): Pick<Sweep, 'watch' | 'seen'> {
  let [at, forever, count, watching] = [0, false, 0, false];
  const request = (): void => {
    if (!watching) return;
    count++;
    if (at > 0 && (count === at || (forever && count > at))) {
      throw new RangeError('Array buffer allocation failed');
    }
  };
  for (const name of ARRAYS) {
    const replaced = new Proxy(globalThis[name] as new (...args: unknown[]) => object, {
      construct(target, args: unknown[], newTarget): object {
        const isView = args[0] instanceof ArrayBuffer || args[0] instanceof SharedArrayBuffer;
        if (!isView) request(); // a view of memory that is there asks for none
        return Reflect.construct(target, args, newTarget) as object;
      },
    });
    Object.assign(globalThis, { [name]: replaced });
  }
  const allocate = Buffer.allocUnsafeSlow.bind(Buffer);
  Buffer.allocUnsafeSlow = (bytes) => {
    request();
    return allocate(bytes);
  };
  return {
    watch: (n, ever) => {
      [at, forever, count, watching] = [n, ever, 0, true];
    },
    seen: () => {
      watching = false;
      return count;
    },
  };
}
