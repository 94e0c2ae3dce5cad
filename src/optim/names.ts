// Names that no step reads. `optimizer.lr = 0.1` and `group.weight_decay = 0` would make properties, and the run would go
// on as before: both are an error that says where the value goes. Prototypes refuse them, so no step looks for them.
import { pythonName, SCHEDULED } from './state.js';

const RATES = ['learningRate', 'learning_rate'];

function define(prototype: object, name: string, refuse: (self: object) => void): void {
  Object.defineProperty(prototype, name, {
    configurable: true,
    get: () => undefined,
    set(this: object, value: unknown) {
      refuse(this);
      const property = { value, writable: true, enumerable: true, configurable: true };
      Object.defineProperty(this, name, property);
    },
  });
}

/** Has the instances of an optimiser, but not those of a class that extends it, refuse what belongs into a group. */
export function refuseHyperparameters(
  { name: who, prototype }: { readonly name: string; readonly prototype: object },
  names: readonly string[],
): void {
  const all = names.flatMap(
    (name) =>
      [
        [name, name],
        [pythonName(name), name],
      ] as const,
  );
  for (const [name, meant] of new Map([...all, ...RATES.map((rate) => [rate, 'lr'] as const)])) {
    define(prototype, name, (self) => {
      if (Object.getPrototypeOf(self) !== prototype) return;
      throw new TypeError(
        `${who}: expected optimizer.paramGroups[0].${meant}, which a step reads, to be set, got optimizer.${name}.`,
      );
    });
  }
}

const prototypes = new Map<string, object>();

/** What groups with such hyperparameters inherit: it refuses other spellings of them. */
export function groupPrototype(who: string, names: readonly string[]): object {
  const key = [who, ...names].join();
  const known = prototypes.get(key);
  if (known !== undefined) return known;
  const prototype = {};
  const spelled = [...names, ...SCHEDULED].map((name) => [pythonName(name), name] as const);
  for (const [name, meant] of [...spelled, ...RATES.map((rate) => [rate, 'lr'] as const)]) {
    if (name === meant) continue;
    define(prototype, name, () => {
      throw new TypeError(`${who}: expected group.${meant}, got group.${name}.`);
    });
  }
  prototypes.set(key, prototype);
  return prototype;
}
