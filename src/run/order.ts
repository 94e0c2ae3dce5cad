// A queue for each owner, first in, first out: the statistics of a module move in the order of its calls,
// whichever of them is computed first.

interface Queue {
  /** Settles when all its entries have left. */
  tail: Promise<void>;
  inside: number;
}

const queues = new WeakMap<object, Queue>();

/** @internal An entry of a queue. */
export interface QueueEntry {
  /** Settles when all entries before it have left; null where there were none. */
  readonly before: Promise<void> | null;
  /** To be called once, whatever has happened. */
  leave(): void;
}

/** @internal */
export function enterQueue(owner: object): QueueEntry {
  let opened = (): void => undefined;
  const left = new Promise<void>((resolve) => (opened = resolve));
  const queue = queues.get(owner) ?? { tail: Promise.resolve(), inside: 0 };
  const before = queue.inside === 0 ? null : queue.tail;
  queue.tail = before === null ? left : before.then(() => left);
  queue.inside++;
  queues.set(owner, queue);
  return {
    before,
    leave() {
      opened();
      if (--queue.inside === 0) queues.delete(owner);
    },
  };
}
