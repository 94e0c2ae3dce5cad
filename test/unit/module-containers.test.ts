// ModuleList, ModuleDict, ParameterList, ParameterDict: PyTorch's keys, order and repr.
import { describe, expect, expectTypeOf, test } from 'vitest';

import { functional, nn, optim, tensor, type Tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const linear = (outputs: number): nn.Linear => new nn.Linear(1, outputs, { bias: false });
const widths = (list: Iterable<nn.Linear>): number[] =>
  [...list].map(({ outFeatures }) => outFeatures);
const parameter = (value: number): nn.Parameter => new nn.Parameter(tensor([value]));
const keys = (module: nn.Module): string[] => [...module.stateDict().keys()];

describe('ModuleList', () => {
  const list = (): nn.ModuleList<nn.Linear> => new nn.ModuleList([1, 2, 3].map(linear));

  test.each<[string, (each: nn.ModuleList<nn.Linear>) => unknown, number[]]>([
    ['push', (each) => each.push(linear(8), linear(9)), [1, 2, 3, 8, 9]],
    ['extend', (each) => each.extend(new Set([linear(8)])), [1, 2, 3, 8]],
    ['extend by itself', (each) => each.extend(each), [1, 2, 3, 1, 2, 3]],
    ['insert before the first', (each) => each.insert(0, linear(8)), [8, 1, 2, 3]],
    ['insert before the last', (each) => each.insert(-1, linear(8)), [1, 2, 8, 3]],
    ['insert at the end', (each) => each.insert(3, linear(8)), [1, 2, 3, 8]],
    ['set', (each) => each.set(1, linear(8)), [1, 8, 3]],
    ['set the last', (each) => each.set(-1, linear(8)), [1, 2, 8]],
    ['pop', (each) => expect(each.pop().outFeatures).toBe(3), [1, 2]],
    ['pop the first', (each) => expect(each.pop(0).outFeatures).toBe(1), [2, 3]],
    ['delete', (each) => each.delete(1), [1, 3]],
    ['registerModule', (each) => each.registerModule('1', linear(8)), [1, 8, 3]],
    ['an index', (each) => (each[1] = linear(8)), [1, 8, 3]],
  ])('%s', (_, change, expected) => {
    const changed = list();
    change(changed);
    expect(widths(changed)).toEqual(expected);
    expect(changed.length).toBe(expected.length);
    expect(keys(changed)).toEqual(expected.map((__, i) => `${i}.weight`));
    expect(changed[0]).toBe(changed.at(0));
    expect([changed.at(0)?.outFeatures, changed.at(-1)?.outFeatures, changed.at(99)]).toEqual([
      expected[0],
      expected.at(-1),
      undefined,
    ]);
    expect(widths(changed.clone())).toEqual(expected);
  });

  test('eleven of them are in order', () => {
    const many = new nn.ModuleList(Array.from({ length: 11 }, (_, i) => linear(i + 1)));
    expect(keys(many).at(-1)).toBe('10.weight');
    expect(widths(many)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test.each<[string, (each: nn.ModuleList<nn.Linear>) => unknown, string]>([
    [
      'pop of none',
      () => new nn.ModuleList().pop(),
      'RangeError: ModuleList.pop: expected an index from 0 to -1',
    ],
    [
      'set past the end',
      (each) => each.set(3, linear(1)),
      'RangeError: ModuleList.set: expected an index from -3 to 2 (index out of range), got 3.',
    ],
    [
      'insert past the end',
      (each) => each.insert(4, linear(1)),
      'RangeError: ModuleList.insert: expected an index from -3 to 3',
    ],
    [
      'a fraction',
      (each) => each.delete(0.5),
      'RangeError: ModuleList.pop: expected an index from -3 to 2',
    ],
    [
      'no index',
      (each) => each.set('0' as never, linear(1)),
      "TypeError: ModuleList.set: expected an index, got '0'.",
    ],
    [
      'no module',
      (each) => each.push(linear(1), functional.relu as never),
      'TypeError: ModuleList.extend: expected a Module, got function relu.',
    ],
    [
      'no list',
      (each) => each.extend(5 as never),
      'TypeError: ModuleList.extend: expected items to be iterable, got 5.',
    ],
    [
      'a parameter',
      (each) => each.push(parameter(1) as never),
      'TypeError: ModuleList.extend: expected a Module, got an instance of Parameter.',
    ],
  ])('%s is refused', (_, change, message) => {
    const unchanged = list();
    expect(thrownBy(() => change(unchanged))).toContain(message);
    expect(widths(unchanged)).toEqual([1, 2, 3]);
  });

  test('has no forward, and is trained, saved, evaluated with the module that it is in', () => {
    class Net extends nn.Module {
      blocks = new nn.ModuleList([new nn.Linear(2, 2), new nn.BatchNorm1d(2)]);
      forward(x: Tensor): Tensor {
        let y = x;
        for (const block of this.blocks) y = block.forward(y);
        return y;
      }
    }
    const net = new Net();
    expect(thrownBy(() => net.blocks.forward())).toBe(
      'Error: ModuleList.forward: Module [ModuleList] is missing the required "forward" function: call what is in it.',
    );
    functional
      .sum(
        net.forward(
          tensor([
            [1, 2],
            [3, 5],
          ]),
        ),
      )
      .backward();
    const before = net.blocks.at(0)!.stateDict().get('bias')!.clone();
    new optim.SGD(net.parameters(), { lr: 1 }).step();
    expect([...net.parameters()]).toHaveLength(4);
    expect(net.eval().blocks.at(1)!.training).toBe(false);
    const copy = new Net();
    copy.loadStateDict(net.stateDict());
    expect(before.toArray()).toHaveLength(2);
    expect(String(copy.stateDict().get('blocks.1.running_mean')!.toArray())).toBe(
      String(net.stateDict().get('blocks.1.running_mean')!.toArray()),
    );
  });

  test("PyTorch's repr counts what stands in a row", () => {
    const same = (): nn.Linear => new nn.Linear(1, 2);
    expect(String(new nn.ModuleList([same(), same(), new nn.ReLU(), same()]))).toBe(
      'ModuleList(\n' +
        '  (0-1): 2 x Linear(in_features=1, out_features=2, bias=True)\n' +
        '  (2): ReLU()\n' +
        '  (3): Linear(in_features=1, out_features=2, bias=True)\n)',
    );
    expect(String(new nn.ModuleList())).toBe('ModuleList()');
    const nested = new nn.ModuleList([0, 1].map(() => new nn.Sequential(new nn.ReLU())));
    expect(String(nested)).toBe('ModuleList(\n  (0-1): 2 x Sequential(\n    (0): ReLU()\n  )\n)');
  });

  test('types: what is in it', () => {
    expectTypeOf(list().at(0)).toEqualTypeOf<nn.Linear | undefined>();
    expectTypeOf<nn.ModuleList<nn.Linear>[0]>().toEqualTypeOf<nn.Linear>();
    expectTypeOf<nn.Sequential[0]>().toEqualTypeOf<nn.Layer>();
    expectTypeOf<nn.ParameterList[0]>().toEqualTypeOf<nn.Parameter>();
    expectTypeOf([...list()]).toEqualTypeOf<nn.Linear[]>();
    expectTypeOf(new nn.ModuleList([new nn.ReLU()])).toEqualTypeOf<nn.ModuleList<nn.ReLU>>();
  });
});

describe('ModuleDict', () => {
  const dict = (): nn.ModuleDict<Record<string, nn.Linear>> =>
    new nn.ModuleDict<Record<string, nn.Linear>>({ b: linear(1), a: linear(2) });

  test('names in the order in which they came, whole numbers too', () => {
    const each = new nn.ModuleDict(
      new Map([
        ['10', linear(1)],
        ['2', linear(2)],
        ['x', linear(3)],
      ]),
    );
    expect(keys(each)).toEqual(['10.weight', '2.weight', 'x.weight']);
    expect(keys(each.clone())).toEqual(keys(each));
    each.set('10', linear(9));
    expect([...each.keys()]).toEqual(['10', '2', 'x']);
    each.delete('10');
    each.set('10', linear(9));
    expect([...each].map(([name]) => name)).toEqual(['2', 'x', '10']);
  });

  test('reads like a Map', () => {
    const each = dict();
    expect([each.size, each.has('a'), each.has('c'), each.get('c')]).toEqual([
      2,
      true,
      false,
      undefined,
    ]);
    expect([...each.values()]).toEqual([each.get('b'), each.get('a')]);
    expect([...each.entries()]).toEqual([...each]);
    expect(each.pop('b').outFeatures).toBe(1);
    expect([each.delete('b'), each.delete('a'), each.size]).toEqual([false, true, 0]);
    each.update({ q: linear(1) }).update([['r', linear(2)]]);
    expect(keys(each)).toEqual(['q.weight', 'r.weight']);
    each.registerModule('q', linear(7));
    expect(each.get('q')!.outFeatures).toBe(7);
    each.clear();
    expect([keys(each), String(each)]).toEqual([[], 'ModuleDict()']);
  });

  test.each([
    'keys',
    'get',
    'size',
    'training',
    'forward',
    'stateDict',
    'constructor',
    '__proto__',
    '0',
  ])("a name is the user's: %s", (name) => {
    const each = dict().set(name, linear(5));
    expect(keys(each)).toEqual(['b.weight', 'a.weight', `${name}.weight`]);
    expect(each.get(name)!.outFeatures).toBe(5);
    expect(each.clone().eval().get(name)!.training).toBe(false);
    expect([...each.namedModules()].map(([path]) => path)).toEqual(['', 'b', 'a', name]);
    expect(String(each)).toContain(`  (${name}): Linear(`);
    each.loadStateDict(each.clone().stateDict());
  });

  test('a subclass may have children of its own; one name is one child', () => {
    class Heads extends nn.ModuleDict {
      shared = linear(3);
    }
    const heads = new Heads({ a: linear(1) });
    expect(keys(heads)).toEqual(['a.weight', 'shared.weight']);
    expect(thrownBy(() => heads.set('shared', linear(1)))).toBe(
      "RangeError: Heads.set: expected a new name, got 'shared' (attribute 'shared' already exists).",
    );
    Object.assign(heads, { a: linear(2) });
    expect(thrownBy(() => heads.stateDict())).toBe(
      "Error: Heads: expected one thing named 'a', got two: an entry and a property.",
    );
  });

  test.each<[string, (each: nn.ModuleDict) => unknown, string]>([
    [
      'a dot',
      (each) => each.set('a.b', linear(1)),
      "RangeError: ModuleDict.set: expected a name that is not empty and has no dot, got 'a.b'.",
    ],
    [
      'an empty name',
      (each) => each.set('', linear(1)),
      "RangeError: ModuleDict.set: expected a name that is not empty and has no dot, got ''.",
    ],
    [
      'no module',
      (each) => each.set('c', 5 as never),
      "TypeError: ModuleDict.set: expected a Module for 'c', got 5.",
    ],
    [
      'one of several',
      (each) => each.update({ c: linear(1), d: null as never }),
      "TypeError: ModuleDict.update: expected a Module for 'd', got null.",
    ],
    [
      'modules without names',
      (each) => each.update([linear(1)] as never),
      'TypeError: ModuleDict.update: expected pairs of a name and a value, got an instance of Linear.',
    ],
    [
      'pop of none',
      (each) => each.pop('c'),
      "RangeError: ModuleDict.pop: expected the name of an entry, got 'c'.",
    ],
    [
      'a buffer under the name of an entry',
      (each) => each.registerBuffer('a', tensor([1])),
      "attribute 'a' already exists",
    ],
    ['a call', (each) => each.forward(), 'missing the required "forward" function'],
  ])('%s is refused', (_, change, message) => {
    const unchanged = dict() as unknown as nn.ModuleDict;
    expect(thrownBy(() => change(unchanged))).toContain(message);
    expect(keys(unchanged)).toEqual(['b.weight', 'a.weight']);
  });

  test('types: which module a name stands for', () => {
    const heads = new nn.ModuleDict({ fc: linear(1), act: new nn.ReLU() });
    expectTypeOf(heads.get('fc')).toEqualTypeOf<nn.Linear>();
    expectTypeOf(heads.get('act')).toEqualTypeOf<nn.ReLU>();
    // @ts-expect-error -- no such name
    expect(heads.get('none')).toBeUndefined();
    expectTypeOf(dict().get('any')).toEqualTypeOf<nn.Linear | undefined>();
    expectTypeOf(new nn.ModuleDict().get('any')).toEqualTypeOf<nn.Module | undefined>();
    expectTypeOf([...heads.keys()]).toEqualTypeOf<('fc' | 'act')[]>();
  });
});

describe('ParameterList and ParameterDict', () => {
  test('keys, parameters, repr', () => {
    const list = new nn.ParameterList([1, 2].map(parameter)).push(parameter(3));
    expect([keys(list), list.length, list.at(-1)!.item()]).toEqual([['0', '1', '2'], 3, 3]);
    expect([...list.clone()].map((each) => each.item())).toEqual([1, 2, 3]);
    expect([...list.parameters()]).toEqual([...list]);
    list.delete(0);
    expect([keys(list), String(list)]).toEqual([
      ['0', '1'],
      'ParameterList(\n    (0): Parameter containing: [torch.float32 of size 1]\n' +
        '    (1): Parameter containing: [torch.float32 of size 1]\n)',
    ]);
    const dict = new nn.ParameterDict({ left: parameter(1) })
      .set('10', parameter(2))
      .set('2', parameter(3));
    expect([keys(dict), dict.size]).toEqual([['left', '10', '2'], 3]);
    expect(dict.clone().get('10')!.item()).toBe(2);
    expect(String(new nn.ParameterDict({ w: parameter(1) }))).toBe(
      'ParameterDict(  (w): Parameter containing: [torch.FloatTensor of size 1])',
    );
    expect(() => list.push(tensor([1]) as never)).toThrow(
      'expected a Parameter, got an instance of Tensor',
    );
    expect(() => dict.set('m', new nn.ReLU() as never)).toThrow("expected a Parameter for 'm'");
    expect(() => dict.registerParameter('left', parameter(9))).not.toThrow();
    expect(() => list.forward()).toThrow('forward');
    expect(() => dict.forward()).toThrow('forward');
  });
});
