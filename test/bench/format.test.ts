// Numbers as people read them, and columns that line up.
import { describe, expect, it } from 'vitest';

import * as format from '../../bench/format.js';
import { duration, progressBar } from '../../src/cli/progress.js';

describe('format', () => {
  it('gives µs about three digits', () => {
    expect([0.256, 9.994, 12.34, 99.94, 123.4, 12345.6].map(format.micros)).toEqual([
      '0.26',
      '9.99',
      '12.3',
      '99.9',
      '123',
      '12,346',
    ]);
  });

  it('says how many times', () => {
    expect([0.234, 1.3, 12.34, 345.6].map(format.times)).toEqual([
      '0.23×',
      '1.30×',
      '12.3×',
      '346×',
    ]);
  });

  it('says sizes, shares and errors', () => {
    expect([8192, 4194304, 33554432].map(format.bytesText)).toEqual(['8 KB', '4.2 MB', '34 MB']);
    expect([49152, 2 ** 21, 2 ** 20 * 1.5].map(format.binaryText)).toEqual([
      '48 KiB',
      '2 MiB',
      '1.5 MiB',
    ]);
    expect(format.percent(0.817)).toBe('82 %');
    expect([null, 0.5, 2.96, 1.2e7, NaN].map(format.errorText)).toEqual([
      '',
      '0.5',
      '3.0',
      '1e+7',
      'NaN',
    ]);
  });

  it('names a file after a CPU', () => {
    expect(format.slug('AMD EPYC 9R14 @ 2.6GHz ')).toBe('amd-epyc-9r14-2-6ghz');
  });

  it('aligns columns, numbers to the right', () => {
    const columns: format.Column[] = [
      { title: 'name', width: 6, align: 'left' },
      { title: 'µs', width: 5, align: 'right' },
      { title: 'error', width: 5, align: 'right' },
    ];
    expect(format.line(columns, ['name', 'µs', 'error'])).toBe('name       µs  error');
    expect(format.line(columns, ['a', '1.25', '0.5'])).toBe('a        1.25    0.5');
    expect(format.line(columns, ['limit', '12,345'])).toBe('limit   12,345');
  });
});

describe('progress', () => {
  it('says how long', () => {
    expect([0.4, 59.4, 61, 600].map(duration)).toEqual(['0 s', '59 s', '1 min 1 s', '10 min 0 s']);
  });

  it('is silent where there is no terminal', () => {
    const written: string[] = [];
    const stream = { isTTY: false, columns: 80, write: (text: string) => written.push(text) };
    const bar = progressBar(stream as unknown as NodeJS.WriteStream);
    bar.show(1, 2, 'forward');
    bar.clear();
    expect(written).toEqual([]);
  });

  it('fits the line on a terminal, and leaves it clean', async () => {
    const written: string[] = [];
    const stream = { isTTY: true, columns: 40, write: (text: string) => written.push(text) };
    const bar = progressBar(stream as unknown as NodeJS.WriteStream);
    bar.show(0, 4, 'forward (32, 64)');
    bar.show(1, 4, 'too soon to be shown');
    await new Promise((resolve) => setTimeout(resolve, 40));
    bar.show(2, 4, 'forward (8192, 1024)');
    bar.clear();
    const clean = '\r\u001b[2K';
    expect(written[0]).toBe(`${clean}${'░'.repeat(30)} 0/4   fo`);
    expect(written[1]).toBe(`${clean}${'█'.repeat(15)}${'░'.repeat(15)} 2/4   0 `);
    expect(written[2]).toBe(clean);
  });
});
