// Hearing of a signal's abort: one listener for each signal, however many calls share it. With one for each call Node
// warns of a leak from the eleventh on.
import { addAbortListener } from 'node:events';

/** What is called once a signal is aborted. A Map by an object of each call: one function may come twice. */
interface Heard {
  readonly bodies: Map<object, () => void>;
  readonly listener: () => void;
}

const heard = new WeakMap<AbortSignal, Heard>();

/**
 * @internal Calls `body` when `signal`, which is not aborted yet, is; also where a listener of the caller's stops the
 * event before it comes here.
 *
 * @returns Ends that.
 */
export function onAbort(signal: AbortSignal, body: () => void): () => void {
  const { bodies, listener } = heard.get(signal) ?? listenTo(signal);
  const key = {};
  bodies.set(key, body);
  return () => {
    if (!bodies.delete(key) || bodies.size > 0 || heard.get(signal)?.bodies !== bodies) return;
    heard.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}

function listenTo(signal: AbortSignal): Heard {
  const bodies = new Map<object, () => void>();
  const listener = (): void => {
    heard.delete(signal);
    signal.removeEventListener('abort', listener); // another library's signal may know no `once`
    for (const body of [...bodies.values()]) body();
  };
  addAbortListener(signal, listener);
  const made = { bodies, listener };
  heard.set(signal, made);
  return made;
}
