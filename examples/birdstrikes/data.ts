// 10,000 strikes of birds on aircraft (npm `vega-datasets`), always split the same way.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { data, manualSeed, tensor, type Tensor } from 'evenkeel';

export const TRAIN_SIZE = 7000;
export const VALIDATION_SIZE = 1000;
export const TEST_SIZE = 2000;

export const LICENCE =
  'Data: FAA Wildlife Strike Database (U.S. Government data), from npm vega-datasets (BSD-3-Clause).';

export const CATEGORIES = [
  'Airport Name',
  'Aircraft Make Model',
  'Aircraft Airline Operator',
  'Origin State',
  'Phase of flight',
  'Wildlife Size',
  'Wildlife Species',
  'Time of day',
] as const;

export const NUMBERS = [
  'speed',
  'speed is missing',
  'year',
  'season (sin)',
  'season (cos)',
] as const;

/** Codes [N, 8] from 1 on, numbers [N, 5] as they are, and 1 where there was damage [N, 1]. */
export type Strikes = data.TensorDataset<[codes: Tensor, numbers: Tensor, damaged: Tensor]>;

export interface StrikeData {
  readonly train: Strikes;
  /** Which epoch is the best one. */
  readonly validation: Strikes;
  readonly test: Strikes;
  /** Codes of each category: one more than its values in the training set, because 0 stands for any other value. */
  readonly sizes: readonly number[];
}

type Row = Readonly<Record<string, string>>;

/**
 * What is known of a strike before anybody has looked at the aircraft: the costs of the repair are left out, which say
 * the answer. Restarts the random stream.
 */
export function loadStrikes(): StrikeData {
  const rows = readRows();
  manualSeed(0); // the split is part of the data: every --seed trains and tests on the same strikes
  const parts = data
    .randomSplit(new data.TensorDataset(Int32Array.from(rows, (_, i) => i)), [
      TRAIN_SIZE,
      VALIDATION_SIZE,
      TEST_SIZE,
    ])
    .map((part) => {
      const [indices] = part.rows(Uint32Array.from({ length: part.length }, (_, i) => i));
      return Array.from(indices.data as Int32Array, (i) => rows[i]!);
    });
  const codes = CATEGORIES.map((name) => codesOf(parts[0]!, name));
  const [train, validation, test] = parts.map((part) => encode(part, codes));
  const sizes = codes.map(({ size }) => size + 1);
  return { train: train!, validation: validation!, test: test!, sizes };
}

function readRows(): Row[] {
  const { resolve } = createRequire(import.meta.url);
  const file = join(dirname(resolve('vega-datasets')), '..', 'data', 'birdstrikes.csv');
  const text = readFileSync(file, 'utf8');
  if (text.includes('"')) throw new Error(`${file}: expected no quoted cells, got some.`);
  const [head = [], ...rows] = text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(','));
  return rows.map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i] ?? ''])));
}

/** A code for each value, in the order of the alphabet. */
function codesOf(rows: readonly Row[], name: string): Map<string, number> {
  const values = [...new Set(rows.map((row) => row[name]!))].sort();
  return new Map(values.map((value, i) => [value, i + 1]));
}

function encode(rows: readonly Row[], codes: readonly ReadonlyMap<string, number>[]): Strikes {
  const coded = rows.flatMap((row) => CATEGORIES.map((name, i) => codes[i]!.get(row[name]!) ?? 0));
  const numbers = rows.flatMap(numbersOf);
  const damaged = rows.map((row) => (row['Effect Amount of damage'] === 'None' ? 0 : 1));
  return new data.TensorDataset(
    tensor(Int32Array.from(coded), [rows.length, CATEGORIES.length]),
    tensor(Float32Array.from(numbers), [rows.length, NUMBERS.length]),
    tensor(Float32Array.from(damaged), [rows.length, 1]),
  );
}

/** Raw, the year as 1990 and the speed in knots: BatchNorm1d in front of the network scales them. */
function numbersOf(row: Row): number[] {
  const [year = 0, month = 0, day = 0] = row['Flight Date']!.split('-').map(Number);
  const season = (2 * Math.PI * (month - 1 + (day - 1) / 31)) / 12;
  const speed = row['Speed IAS in knots'];
  const isMissing = speed === '';
  const usual = 140; // the median, where it is missing
  return [
    isMissing ? usual : Number(speed),
    Number(isMissing),
    year,
    Math.sin(season),
    Math.cos(season),
  ];
}
