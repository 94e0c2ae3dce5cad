// First in, first out, one lane for each owner: the statistics of a module move in the order of its calls,
// whichever of them is computed first.

interface Lane {
  /** Settles when everybody in it has left. */
  tail: Promise<void>;
  inside: number;
}

const lanes = new WeakMap<object, Lane>();

/** @internal A place in a lane. */
export interface Turn {
  /** Settles when all who came before have left; null where nobody did. */
  readonly before: Promise<void> | null;
  /** To be called once, whatever has happened. */
  leave(): void;
}

/** @internal */
export function enterLane(owner: object): Turn {
  let opened = (): void => undefined;
  const left = new Promise<void>((resolve) => (opened = resolve));
  const lane = lanes.get(owner) ?? { tail: Promise.resolve(), inside: 0 };
  const before = lane.inside === 0 ? null : lane.tail;
  lane.tail = before === null ? left : before.then(() => left);
  lane.inside++;
  lanes.set(owner, lane);
  return {
    before,
    leave() {
      opened();
      if (--lane.inside === 0) lanes.delete(owner);
    },
  };
}
