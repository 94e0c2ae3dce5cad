// One word, one meaning: docs/words.json lists words that had several, and words of our own that stood for standard ones.
// The pattern of an entry (`find`) may stand below `in`, or outside of `out`, or `within` a phrase, and nowhere else.
// Names are looked at as words: kLanes is "k Lanes", enter_lane is "enter lane".
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

interface Entry {
  readonly word: string;
  readonly meaning: string;
  readonly not: readonly string[];
  readonly find: string;
  readonly isCase?: boolean;
  /** Looks at names alone, not at comments and texts. */
  readonly isName?: boolean;
  readonly in?: readonly string[];
  readonly out?: readonly string[];
  readonly within?: readonly string[];
}

interface Text {
  readonly path: string;
  readonly lines: readonly string[];
  readonly words: readonly string[];
  readonly names: readonly string[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const entries = JSON.parse(readFileSync(join(root, 'docs', 'words.json'), 'utf8')) as Entry[];
const FOLDERS = ['src', 'binding', 'native', 'bench', 'examples', 'scripts', 'test', 'docs'];
const READ = /\.(ts|mts|mjs|js|cc|h|inc|c|py|md|txt)$|^docs\/compatibility\.json$/;
/** Data, what `npm run bench:peers` installs, and this list. */
const LEFT_OUT = /\/(data|results|\.packages)\/|^docs\/words\.json$|^test\/unit\/words\.test\.ts$/;
/** Comments and texts: each ends in its line, so that what reads wrongly costs a line. */
const NOT_NAMES = /\/\/.*|^ *(\/?\*|#).*|'[^'\n]*'|"[^"\n]*"|`[^`\n]*`/gm;

const files = [
  ...readdirSync(root),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      join(folder, name).replaceAll('\\', '/'),
    ),
  ),
].filter((path) => READ.test(path) && !LEFT_OUT.test(path));

function textOf(path: string, text: string): Text {
  const words = spaced(text);
  const names = path.endsWith('.md') ? '' : words.replace(NOT_NAMES, '');
  return { path, lines: text.split('\n'), words: words.split('\n'), names: names.split('\n') };
}

function spaced(text: string): string {
  return text.replace(/([a-z0-9])(?=[A-Z])/g, '$1 ').replaceAll('_', ' ');
}

/** `path:line: text` of each place where the pattern of an entry stands for something else. */
function found(entry: Entry, { path, lines, words, names }: Text): string[] {
  if (entry.in?.some((place) => path.startsWith(place)) === true) return [];
  if (entry.out?.some((place) => path.startsWith(place)) === false) return [];
  const flags = entry.isCase === true ? '' : 'i';
  const pattern = new RegExp(`(?<![A-Za-z])(?:${entry.find})(?![A-Za-z])`, flags);
  return (entry.isName === true ? names : words).flatMap((line, i) =>
    pattern.test(without(line, entry.within ?? []))
      ? [`${path}:${i + 1}: ${lines[i]!.trim().slice(0, 120)}`]
      : [],
  );
}

function without(line: string, phrases: readonly string[]): string {
  const lower = line.toLowerCase();
  const phrase = phrases.find((each) => lower.includes(each));
  if (phrase === undefined) return line;
  const at = lower.indexOf(phrase);
  return without(`${line.slice(0, at)} ${line.slice(at + phrase.length)}`, phrases);
}

describe('docs/words.json', () => {
  const texts = files.map((path) => textOf(path, readFileSync(join(root, path), 'utf8')));

  test('is of the whole tree', () => {
    expect(files.length).toBeGreaterThan(500);
    for (const folder of FOLDERS) expect(files.some((path) => path.startsWith(folder))).toBe(true);
  });

  test.each(entries)('$word: 0 with another meaning', (entry) => {
    expect(texts.flatMap((text) => found(entry, text))).toEqual([]);
  });

  test.each([
    ['borrow', 'src/run/a.ts', '// a loan of memory'],
    ['chunk', 'native/a.cc', 'struct Stretch {'],
    ['coefficient', 'native/a.cc', "// the channel's terms"],
    ['detached, disposed', 'src/a.ts', 'this.#gone = true;'],
    ['gradient', 'src/autograd/a.ts', 'readonly upstreamSlope: Tensor;'],
    ['instruction set', 'CMakeLists.txt', 'set(family avx2)'],
    ['lane', 'src/run/order.ts', 'enterLane(owner);'],
    ['limit', 'src/a.ts', 'import { constants as limits }'],
    ['moments', 'src/optim/adam.ts', 'const firstMoments = 1;'],
    ['owner, caller, user', 'docs/a.md', 'A user has it in his hands.'],
    ['pass', 'src/nn/a.ts', 'class Pass {'],
    ['ready', 'src/a.ts', 'await this.ready;'],
    ['sentence', 'src/a.ts', '/** Whether it has said so. */'],
    ['share', 'native/runtime/a.cc', 'const size_t share = n / threads;'],
    ['statistics', 'src/memory/slab.ts', 'export function statisticsOf(c) {'],
  ])('%s: a new one is found', (word, path, line) => {
    const entry = entries.find((each) => each.word === word)!;
    expect(found(entry, textOf(path, `\n${line}\n`))).toEqual([`${path}:2: ${line}`]);
  });

  test('what it permits is needed', () => {
    for (const entry of entries) {
      const { in: places = [], within = [], ...bare } = entry;
      const all = texts
        .flatMap((text) => found(bare, text))
        .map((each) => spaced(each).toLowerCase());
      for (const place of places) {
        expect(
          all.some((each) => each.startsWith(place.toLowerCase())),
          place,
        ).toBe(true);
      }
      const lines = texts.flatMap(({ words }) => words);
      for (const phrase of within) {
        expect(
          lines.some((line) => line.toLowerCase().includes(phrase)),
          phrase,
        ).toBe(true);
      }
    }
  });
});
