// Pages of text that nobody vouches for: escaping, and what cannot be seen.
import { describe, expect, it } from 'vitest';

import { escape, markup, visible } from '../../src/report/markup.js';
import { page, table } from '../../src/report/page.js';

describe('markup', () => {
  it('escapes values and keeps markup', () => {
    const inner = markup`<b>${'<i>'}</b>`;
    expect(markup`<p title="${'"\'&'}">${inner}${[inner, 7, 'x']}</p>`.text).toBe(
      '<p title="&quot;&#39;&amp;"><b>&lt;i&gt;</b><b>&lt;i&gt;</b>7x</p>',
    );
  });

  it('leaves out the layout of the source, and not that of a value', () => {
    expect(
      markup`<p>
      ${'a\n  b'}
    </p>`.text,
    ).toBe('<p>a\\u{a}  b</p>');
  });

  it('takes an object that looks like markup for what it is not', () => {
    const forged = { text: '<script>alert(1)</script>' } as unknown as string;
    expect(() => markup`${forged}`).toThrow(TypeError);
  });

  it('writes out what cannot be seen, or turns the text around', () => {
    expect(visible('a\u001b[31m\u202eb\u0000\ud800\u2028')).toBe(
      'a\\u{1b}[31m\\u{202e}b\\u{0}\\u{d800}\\u{2028}',
    );
    expect(escape('\u202e<')).toBe('\\u{202e}&lt;');
    expect(visible('layer4.0.bn1 Größe 層')).toBe('layer4.0.bn1 Größe 層');
  });
});

describe('page', () => {
  it('has a language, a width for phones and nothing from elsewhere', () => {
    const text = page('a <title>', markup`<p>b</p>`);
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(text).toContain('name="viewport"');
    expect(text).toContain('<title>a &lt;title&gt;</title>');
    expect(text).toContain("default-src 'none'");
    expect(text).not.toMatch(/https?:|<script|<link|@import|url\(/);
  });
});

describe('table', () => {
  it('has heads of columns and rows', () => {
    const rows = [
      { cells: ['a', { text: '1', tone: 'bad' as const }] },
      { cells: ['of b'], kind: 'group' as const },
    ];
    const { text } = table({ columns: ['name', 'value'], rows });
    expect(text).toContain('<th scope="col">value</th>');
    expect(text).toContain('<tr><th scope="row">a</th><td><span class="bad">1</span></td></tr>');
    expect(text).toContain('<th scope="rowgroup" colspan="2">of b</th>');
  });
});
