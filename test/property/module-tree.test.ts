// Random sequences of registering, assigning, deleting, sharing and cloning modules, parameters and buffers: after
// each, stateDict, namedParameters, namedBuffers, namedModules, the repr, train and what forward runs are those of
// a model of the tree. TREE_RUNS says how many sequences; the default is for every day.
import { nn, tensor, type Tensor } from 'evenkeel';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { runs as countOf } from '../helpers/runs.js';

const RUNS = Number(process.env['TREE_RUNS'] ?? countOf(300));

// ---- The product: modules that write down that they ran -------------------------------------------

let ran: number[] = [];
let made = 0;

class Leaf extends nn.Module {
  readonly weight: nn.Parameter;
  constructor(readonly id: number) {
    super();
    this.weight = new nn.Parameter(tensor([id]));
  }
  forward(x: Tensor): Tensor {
    ran.push(this.id);
    return x;
  }
  override extraRepr(): string {
    return String(this.id);
  }
}

const NAMES = ['a', 'b', '1', '0'];

/** Runs what its properties hold, by name. */
class Holder extends nn.Module {
  [name: string]: unknown;
  forward(x: Tensor): Tensor {
    return ['0', '1', 'a', 'b'].reduce((y, name) => {
      const child = this[name];
      return child instanceof nn.Module ? run(child, y) : y;
    }, x);
  }
}

function run(module: nn.Module, x: Tensor): Tensor {
  const all = (list: Iterable<nn.Module>): Tensor => {
    let y = x;
    for (const each of list) y = run(each, y);
    return y;
  };
  if (module instanceof nn.ModuleList) return all(module as nn.ModuleList);
  if (module instanceof nn.ModuleDict) return all((module as nn.ModuleDict).values());
  return (module as nn.Layer).forward(x);
}

type Kind = 'Leaf' | 'Holder' | 'Sequential' | 'ModuleList' | 'ModuleDict';
const MAKE: Record<Kind, (id: number) => nn.Module> = {
  Leaf: (id) => new Leaf(id),
  Holder: () => new Holder(),
  Sequential: () => new nn.Sequential(),
  ModuleList: () => new nn.ModuleList(),
  ModuleDict: () => new nn.ModuleDict(),
};

const childOf = (module: nn.Module, name: string): nn.Module =>
  (module instanceof nn.ModuleDict
    ? module.get(name)
    : (module as unknown as Record<string, unknown>)[name]) as nn.Module;

// ---- The model ---------------------------------------------------------------------------------------

/** A number is a parameter of that value, a list of one a buffer. */
type Slot = Model | number | [number | null] | null;
interface Model {
  kind: Kind;
  training: boolean;
  slots: Map<string, Slot>;
}
const isModel = (slot: Slot | undefined): slot is Model =>
  typeof slot === 'object' && slot !== null && !Array.isArray(slot);
const isIndex = (name: string): boolean => /^\d+$/.test(name);

/** Whole numbers first, but in a ModuleDict. */
function slotsOf({ kind, slots }: Model): [string, Slot][] {
  const all = [...slots];
  if (kind === 'ModuleDict') return all;
  const numbers = all.filter(([name]) => isIndex(name)).sort(([a], [b]) => Number(a) - Number(b));
  return [...numbers, ...all.filter(([name]) => !isIndex(name))];
}
const childrenOf = (model: Model): [string, Model][] =>
  slotsOf(model).filter((entry): entry is [string, Model] => isModel(entry[1]));
const has = (model: Model, other: Model): boolean =>
  model === other || childrenOf(model).some(([, child]) => has(child, other));
function* pathsOf(model: Model, path: string[] = []): Generator<[string[], Model]> {
  yield [path, model];
  for (const [name, child] of childrenOf(model)) yield* pathsOf(child, [...path, name]);
}
function state(model: Model): [string, number][] {
  return [...pathsOf(model)].flatMap(([path, each]) => {
    const own = slotsOf(each);
    const at = (name: string): string => [...path, name].join('.');
    // Buffers have an order of their own, that of registering.
    const buffers = [...each.slots].flatMap(([name, slot]): [string, number][] =>
      Array.isArray(slot) && slot[0] !== null ? [[at(name), slot[0]]] : [],
    );
    const parameters = own.filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number',
    );
    return [...parameters.map(([name, v]): [string, number] => [at(name), v]), ...buffers];
  });
}
/** The leaves in the order of the tree, or in that of a Holder's forward. */
function leaves(model: Model, running: boolean): number[] {
  if (model.kind === 'Leaf') return [model.slots.get('weight') as number];
  const children = childrenOf(model);
  if (running && model.kind === 'Holder') children.sort(([a], [b]) => (a < b ? -1 : 1));
  return children.flatMap(([, child]) => leaves(child, running));
}

/** A Sequential cannot run what has no forward. */
const runs = (model: Model): boolean =>
  [...pathsOf(model)].every(
    ([, each]) =>
      each.kind !== 'Sequential' ||
      childrenOf(each).every(([, { kind }]) => kind !== 'ModuleList' && kind !== 'ModuleDict'),
  );

// ---- Both compared -------------------------------------------------------------------------------------

function compare(root: nn.Module, model: Model): void {
  const expected = state(model);
  expect([...root.stateDict()].map(([key, value]) => [key, value.item()])).toEqual(expected);
  const seen = new Set<Model>();
  const once = [...pathsOf(model)].filter(([, each]) => !seen.has(each) && seen.add(each));
  const modules = [...root.namedModules()];
  expect(modules.map(([path, { training }]) => [path, training])).toEqual(
    once.map(([path, { training }]) => [path.join('.'), training]),
  );
  // What is shared comes once, under its first path.
  const paths = new Set(once.map(([path]) => path.join('.')));
  const first = expected.filter(([key]) => paths.has(key.split('.').slice(0, -1).join('.')));
  const listed = [...root.namedParameters(), ...root.namedBuffers()];
  expect(listed.map(([key, value]) => [key, value.item()]).sort()).toEqual(first.sort());
  const lines = root.toString().match(/Leaf\(\d+\)/g) ?? [];
  const counted = root.toString().includes(' x '); // ModuleList counts what reads the same
  if (!counted) expect(lines).toEqual(leaves(model, false).map((id) => `Leaf(${id})`));
  if (!runs(model)) return;
  ran = [];
  run(root, tensor([0]));
  expect(ran).toEqual(leaves(model, true));
}

type Step = readonly [op: number, target: number, name: number, kind: number, other: number];

/** One command on both; what the model refuses, the product has to refuse, unchanged. */
function take(root: nn.Module, model: Model, [op, target, name, kind, other]: Step): nn.Module {
  const everywhere = [...pathsOf(model)].filter(([, { kind: of }]) => of !== 'Leaf');
  const [path, at] = everywhere[target % everywhere.length]!;
  const real = path.reduce(childOf, root) as nn.Module & Record<string, unknown>;
  const id = made++;
  const key = NAMES[name % NAMES.length]!;
  const before = at.slots.get(key);
  const dict = at.kind === 'ModuleDict';
  const list = at.kind === 'ModuleList' || at.kind === 'Sequential';

  // A new module, or one that is somewhere in the tree.
  const all = [...pathsOf(model)];
  const shared = other % 3 === 0 ? all[(other >> 2) % all.length]! : null;
  const kinds = Object.keys(MAKE) as Kind[];
  const of = other % 2 === 0 ? 'Leaf' : kinds[kind % kinds.length]!;
  const slots = new Map<string, Slot>(of === 'Leaf' ? [['weight', id]] : []);
  const child = shared?.[1] ?? { kind: of, training: true, slots };
  const module = shared === null ? MAKE[of](id) : shared[0].reduce(childOf, root);
  const cyclic = has(child, at);
  const refused = (call: () => unknown): void => expect(call).toThrow();
  const numbers = [...at.slots.keys()].filter((each) => isModel(at.slots.get(each)));
  const remove = (each: string): boolean => Reflect.deleteProperty(real, each);
  const put = (value: Slot): void => void at.slots.set(key, value);

  switch (op % 12) {
    case 0: // registerModule
      if (cyclic || typeof before === 'number' || Array.isArray(before)) {
        refused(() => real.registerModule(key, module));
      } else {
        real.registerModule(key, module);
        put(child);
      }
      break;
    case 1: // assigning a module
      if (dict || cyclic) break;
      if (Array.isArray(before)) refused(() => (real[key] = module));
      else {
        real[key] = module;
        put(child);
      }
      break;
    case 2: // assigning null
      if (dict) break;
      real[key] = null;
      put(Array.isArray(before) ? [null] : null);
      break;
    case 3: // deleting
      if (dict) (real as unknown as nn.ModuleDict).delete(key);
      else if (Array.isArray(before)) {
        expect(remove(key)).toBe(false); // `delete` would throw
        return root;
      } else remove(key);
      at.slots.delete(key);
      break;
    case 4: // a parameter, registered
      if (list || dict) break;
      if (isModel(before) || Array.isArray(before)) {
        refused(() => real.registerParameter(key, new nn.Parameter(tensor([id]))));
      } else {
        real.registerParameter(key, new nn.Parameter(tensor([id])));
        put(id);
      }
      break;
    case 5: // a parameter, assigned
      if (list || dict) break;
      if (Array.isArray(before)) refused(() => (real[key] = new nn.Parameter(tensor([id]))));
      else {
        real[key] = new nn.Parameter(tensor([id]));
        put(id);
      }
      break;
    case 6: // a buffer, registered
      if (list || dict) break;
      if (isModel(before) || typeof before === 'number') {
        refused(() => real.registerBuffer(key, tensor([id])));
      } else {
        real.registerBuffer(key, tensor([id]));
        if (before === null) at.slots.delete(key); // buffers have an order of their own
        put([id]);
      }
      break;
    case 7: // a buffer, assigned
      if (!Array.isArray(before)) break;
      real[key] = tensor([id]);
      put([id]);
      break;
    case 8: // push
      if (!list) break;
      if (cyclic) refused(() => (real as unknown as nn.ModuleList<nn.Module>).push(module));
      else {
        const next = Math.max(-1, ...numbers.filter(isIndex).map(Number)) + 1;
        (real as unknown as nn.ModuleList<nn.Module>).push(module);
        at.slots.set(String(next), child);
      }
      break;
    case 9: // pop, which numbers anew
      if (!list || childrenOf(at).length === 0) break;
      if (!numbers.every(isIndex)) refused(() => (real as unknown as nn.ModuleList).pop());
      else {
        const left = childrenOf(at).slice(0, -1);
        (real as unknown as nn.ModuleList).pop();
        for (const each of numbers) at.slots.delete(each);
        left.forEach(([, each], i) => at.slots.set(String(i), each));
      }
      break;
    case 10: // train, eval
      real.train(other % 2 === 0);
      for (const [, each] of pathsOf(at)) each.training = other % 2 === 0;
      break;
    default:
      return root.clone();
  }
  return root;
}

test(`after ${RUNS} random sequences everything that looks at a tree sees the same one`, () => {
  const step = fc.tuple(fc.nat(11), fc.nat(30), fc.nat(3), fc.nat(4), fc.nat(60));
  const property = fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
    let root: nn.Module = new Holder();
    const model: Model = { kind: 'Holder', training: true, slots: new Map() };
    for (const each of steps) {
      // Trees of shared modules have paths without end in sight.
      if ([...pathsOf(model)].length > 60) break;
      root = take(root, model, each);
      compare(root, model);
    }
  });
  fc.assert(property, { numRuns: RUNS });
});
