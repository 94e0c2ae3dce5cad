// docs/doctor: a page for each finding, in the finding's own words; none is missing, none is stale.
import { readdirSync, readFileSync } from 'node:fs';
import { FINDINGS } from 'evenkeel/doctor';
import { describe, expect, it } from 'vitest';

const docs = new URL('../../docs/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, docs), 'utf8');

/** As text: Prettier writes *emphasis* its own way and escapes what Markdown would take for a mark. */
const plain = (text: string): string => text.replaceAll(/[\\*_|]/g, '').replaceAll(/\s+/g, ' ');

describe.each(FINDINGS)('docs/doctor/$id.md', ({ id, severity, what, why, how }) => {
  const page = read(`doctor/${id}.md`);

  it('says what the finding says', () => {
    expect(page).toMatch(new RegExp(`^# ${id}\\n\\nUsually an? \\*\\*${severity}\\*\\*\\. `));
    for (const words of [what, why, how]) expect(plain(page)).toContain(plain(words));
  });

  it('shows the mistake and the mended code, and is in the index', () => {
    expect(page).toMatch(/\nWhat makes it:\n\n```ts\n[^]+\n```\n\nMended:\n\n```(ts|sh)\n/);
    const row = read('doctor.md')
      .split('\n')
      .find((line) => line.startsWith(`| [${id}](doctor/${id}.md)`));
    expect(row).toBeDefined();
    expect(plain(row!)).toContain(plain(what));
  });
});

it.each(['file', 'data', 'code'] as const)('what --mend mends: %s', (kind) => {
  const row = read('doctor.md')
    .split('\n')
    .find((line) => line.startsWith(`| \`${kind}\` `));
  const named = [...(row ?? '').matchAll(/\[([\w-]+)\]\(doctor\/\1\.md\)/g)].map(([, id]) => id);
  const ids = FINDINGS.filter(({ mendedBy }) => mendedBy === kind).map(({ id }) => id);
  expect(named).toEqual(ids);
});

it('there is no page of another name', () => {
  const names = readdirSync(new URL('doctor/', docs)).map((name) => name.replace(/\.md$/, ''));
  expect(names.sort()).toEqual(FINDINGS.map(({ id }) => id).sort());
});
