// A file of more than 250 lines says why in its first lines: "Longer than 250 lines because …". Files of tests are
// lists of cases, and need no reason.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['src', 'binding', 'native', 'bench', 'examples', 'scripts', 'test'];
const LOOKED_AT = /\.(ts|mjs|cc|h|inc)$/;
const LEFT_OUT = /\.test\.ts$|(^|\/)(data|results|\.packages|node_modules)\//;
const MOST_LINES = 250;
const FIRST_LINES = 12;

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
    join(folder, name).replaceAll('\\', '/'),
  ),
).filter((path) => LOOKED_AT.test(path) && !LEFT_OUT.test(path));

/** Whether a file is long and does not say why. */
function isTooLong(text: string): boolean {
  const lines = text.trimEnd().split('\n');
  const first = lines.slice(0, FIRST_LINES).join('\n');
  return lines.length > MOST_LINES && !/^\/\/.*\bLonger than 250 lines because \S/m.test(first);
}

describe('long files', () => {
  test('each says why', () => {
    expect(files.length).toBeGreaterThan(500);
    const found = files.filter((path) => isTooLong(readFileSync(join(root, path), 'utf8')));
    expect(found).toEqual([]);
  });

  test('a long file without a reason is found, and a reason must say something', () => {
    const lines = '\n'.repeat(MOST_LINES);
    expect(isTooLong(`// What it does.${lines}x\n`)).toBe(true);
    expect(isTooLong(`// Longer than 250 lines because ${lines}x\n`)).toBe(true);
    expect(isTooLong(`// Longer than 250 lines because it is a list.${lines}x\n`)).toBe(false);
    expect(isTooLong(`// What it does.${lines}`)).toBe(false);
  });
});
