// The report shown: text of 80 columns, JSON by its schema, a page that holds against hostile names.
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { Validator, type Schema } from '@cfworker/json-schema';
import { describe, expect, it } from 'vitest';

import { textOf } from '../../src/doctor/report/text.js';
import { reportFrom } from '../../src/doctor/report/shown.js';
import type { LayerReport, ReportData } from '../../src/doctor/report-types.js';

const read = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const example = read('../doctor/data/example-report.json') as ReportData;
const schema = read('../../src/doctor/report/report.schema.json') as Schema;

const HOSTILE = '"><script>alert(1)</script>\u001b[31m\u202e{name|x}';

/** The example with a name that nobody should believe, in every place that text can come from. */
function hostile(): ReportData {
  const layers = example.layers.map((layer) => ({ ...layer, name: HOSTILE, kind: HOSTILE }));
  const findings = example.findings.map((finding) => ({
    ...finding,
    ...{ layer: HOSTILE, alsoIn: [HOSTILE], evidence: HOSTILE, cause: HOSTILE, mend: HOSTILE },
  }));
  return { ...example, subject: HOSTILE, findings, layers };
}

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

describe('text', () => {
  it('names each finding, where it is, what was measured and what mends it', () => {
    const text = String(reportFrom(example));
    expect(text).toMatch(
      /^Sequential, 2 BatchNorm layers, 1,000 samples in 8 batches\n1 error, 1 warning, 1 note\.\n/,
    );
    expect(text).toMatch(/\nerror {4}stale-statistics +layer 1\n {2}found {2}The running/);
    expect(text).toContain(
      '\n  mend   recalibrate(model, trainLoader);\n         // or move Dropout behind the last BatchNorm\n',
    );
    expect(text).toContain(
      '\n  false     true               running              71.3 %      71.3 %\n',
    );
    expect(text).toContain('Accuracy 71.3 % as found, 88.9 % recalibrated.');
  });

  it('has at most 80 columns, and no colours unless asked', () => {
    const long = { ...example, layers: many(60) };
    for (const report of [example, hostile(), long]) {
      expect(widest(textOf(report))).toBeLessThanOrEqual(80);
      expect(textOf(report)).not.toMatch(/[^\P{C}\n]/u);
    }
    expect(textOf(long)).toContain('\n  and 48 more\n');
  });

  it('says the same with colours', () => {
    // eslint-disable-next-line no-control-regex
    const plain = textOf(example, true).replaceAll(/\u001b\[\d+m/g, '');
    expect(plain).toBe(textOf(example));
    expect(inspect(reportFrom(example))).toBe(textOf(example));
    expect(inspect(reportFrom(example), { colors: true })).toBe(textOf(example, true));
    expect(textOf(example, true)).not.toBe(plain);
  });

  it('calls a report without findings healthy, and one with notes too', () => {
    const healthy = { ...example, healthy: true, findings: [] };
    expect(textOf(healthy)).toContain('\nHealthy: nothing found.\n');
    const note = { ...healthy, findings: example.findings.slice(2) };
    expect(textOf(note)).toContain('\nHealthy, with 1 note.\n');
  });
});

describe('JSON', () => {
  const validator = new Validator(schema, '2020-12', false);
  const errorsOf = (value: unknown): string[] =>
    validator
      .validate(value)
      .errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
  const again = (data: ReportData): Record<string, unknown> =>
    JSON.parse(JSON.stringify(reportFrom(data))) as Record<string, unknown>;

  it('is what the schema says', () => {
    expect(errorsOf(again(example))).toEqual([]);
    expect(errorsOf(again(hostile()))).toEqual([]);
    expect(again(example)).toEqual(read('../doctor/data/example-report.json'));
  });

  it('has NaN and infinities as strings', () => {
    const layer: LayerReport = {
      ...example.layers[0]!,
      runningVar: [NaN, -Infinity, 1],
      memoryInBatches: Infinity,
    };
    const json = again({ ...example, layers: [layer] });
    expect(json).toMatchObject({
      layers: [{ runningVar: ['NaN', '-Infinity', 1], memoryInBatches: 'Infinity' }],
    });
    expect(errorsOf(json)).toEqual([]);
  });

  it.each([
    ['version', 2],
    ['healthy', 'yes'],
    ['findings', [{ id: 'no-such-finding' }]],
    ['another', 1],
    ['layers', [{ name: 'bn' }]],
  ])('with another %s is refused by the schema', (key, value) => {
    expect(errorsOf({ ...again(example), [key]: value })).not.toEqual([]);
  });
});

describe('page', () => {
  it('escapes whatever a file can say', () => {
    const html = reportFrom(hostile()).toHTML();
    expect(html).not.toContain('<script');
    for (const each of ['\u001b', '\u202e']) expect(html).not.toContain(each);
    expect(html).toContain('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u{1b}[31m\\u{202e}');
  });

  it('needs nothing from anywhere, and is the same text each time', () => {
    const html = reportFrom(example).toHTML();
    expect(html).not.toMatch(/https?:|src=|href=|url\((?!#)|@import|<script/);
    expect(html).not.toMatch(/NaN|undefined|Infinity|\[object/);
    expect(reportFrom(example).toHTML()).toBe(html);
  });

  it('has a title, a sentence for each picture and the figures as tables', () => {
    const html = reportFrom(example).toHTML();
    expect(html).toContain('<title>Sequential: 1 error, 1 warning, 1 note.</title>');
    const pictures = html.match(/<svg class="chart[^>]*>/g)!;
    expect(pictures.length).toBeGreaterThanOrEqual(8);
    for (const picture of pictures) expect(picture).toMatch(/role="img" aria-label="[^"]{40,}"/);
    expect(html.match(/These figures as a table/g)!.length).toBeGreaterThanOrEqual(3);
    expect(html).toContain('<title>channel 0: running mean -0.651, of the data -1.2</title>');
  });

  it('draws what is finite, and says what is not', () => {
    const sick = {
      ...example.layers[0]!,
      runningVar: [0, -1, NaN, Infinity, 1, 2],
      batchVar: null,
    };
    const html = reportFrom({
      ...example,
      layers: [{ ...sick, gain: [NaN, 1, 2, 0, 0, 0] }],
    }).toHTML();
    expect(html).toContain('median 2. 4 more are 0, negative or not finite.');
    expect(html).not.toMatch(/d="[^"]*NaN/);
  });

  it('draws the layers with findings first where there are too many', () => {
    const html = reportFrom({ ...example, layers: many(100) }).toHTML();
    expect(html.match(/<details(?: open)?><summary><strong>/g)).toHaveLength(64);
    expect(html).toContain('36 more layers have no findings, and no charts here.');
  });
});

function many(count: number): LayerReport[] {
  return Array.from({ length: count }, (_, i) => ({
    ...example.layers[1]!,
    name: `backbone.layer${String(i)}.0.downsample.a.rather.long.path.of.modules.bn1`,
  }));
}
