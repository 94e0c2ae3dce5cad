// Asks V8 for a collection. Only --expose-gc gives a context the function that does; the flag is on for as long as it
// takes to make one context, and nothing of the program's sees it.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { addon } from '../addon/control.js';

type Kind = 'minor' | 'major';
type Collect = (options?: { readonly type: 'minor' }) => void;

/** Null: not to be had. Undefined: nobody has asked. */
let collect: Collect | null | undefined;
/** How long a minor collection takes, in milliseconds: the mean of some 8, where one that another program held up counts double at most. */
let price = 0.1;
let ended = -Infinity;

/**
 * Whether this is a Node whose flags may change after it has started. One that froze them ends the process when they
 * do; other runtimes have another collector.
 */
function mayAsk(): boolean {
  const { versions, execArgv } = process;
  if ('electron' in versions || 'bun' in versions || 'deno' in versions) return false;
  const all = [...execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ').replaceAll('_', '-');
  return !/(^|\s)--freeze-flags-after-init/.test(all);
}

function find(): Collect | null {
  if (!mayAsk()) return null;
  try {
    const gc = () => runInNewContext('typeof gc === "function" ? gc : null') as Collect | null;
    const there = gc();
    if (there !== null) return there; // the program was started with the flag
    setFlagsFromString('--expose-gc');
    try {
      return gc();
    } finally {
      setFlagsFromString('--no-expose-gc');
    }
  } catch {
    return null;
  }
}

/**
 * From here on a minor collection is a matter of this thread alone: where several processes share the cores, V8's other
 * threads take them from the other processes, and come late themselves.
 */
export function collectInThisThread(): void {
  if (mayAsk()) setFlagsFromString('--no-parallel-scavenge');
}

/** Runs a collection now; false where none can be had. */
export function collectNow(kind: Kind): boolean {
  if (collect === undefined) collect = find();
  if (collect === null) return false;
  const start = performance.now();
  try {
    if (kind === 'minor') {
      // Our own threads would go to sleep meanwhile, and waking them takes the next call 30 us.
      addon.holdThreads(Math.ceil(2000 * price));
      collect({ type: 'minor' });
    } else collect(); // Node 20 takes { type: 'major' } for a minor one
  } catch {
    collect = null;
    return false;
  }
  ended = performance.now();
  if (kind === 'minor') price += (Math.min(ended - start, 2 * price) - price) / 8;
  return true;
}

/** Milliseconds that a minor collection takes. */
export function minorPrice(): number {
  return price;
}

/** Milliseconds since the last collection that was asked for. */
export function sinceCollection(): number {
  return performance.now() - ended;
}
