// The page's tables: the targets, and every figure of the run.
import { shapeText } from '../cases.js';
import { US } from '../contenders.js';
import { bytesText, errorText, micros, percent } from '../format.js';
import type { CaseResult, Entry, Target } from '../result.js';
import { escape, tag } from './svg.js';

export function targetTable(targets: readonly Target[]): string {
  const rows = targets.map(({ name, wanted, value, met, detail }) => {
    const verdict = met === null ? 'not measured' : met ? 'met' : 'missed';
    const sign = wanted.replace('>=', '≥').replace('<=', '≤');
    const cells = [name, sign, value?.toFixed(2) ?? '–', verdict, met === null ? '' : detail];
    return tag(
      'tr',
      {},
      cells
        .map((cell, i) =>
          tag('td', i === 3 ? { class: met === null ? '' : verdict } : {}, escape(cell)),
        )
        .join(''),
    );
  });
  return table(['target', 'wanted', 'is', '', 'decided by'], rows);
}

export function caseTable(cases: readonly CaseResult[]): string {
  const titles = ['', 'µs', '10th–90th', 'GB/s', 'of limit', 'error', 'turns × calls'];
  const rows = cases.flatMap((each) => [
    tag('tr', { class: 'case' }, tag('th', { colspan: titles.length }, escape(caseName(each)))),
    ...each.entries.map(entryRow),
  ]);
  return table(titles, rows);
}

function caseName({ shape, dtype, layout, bytes, passes }: CaseResult): string {
  const kind = [dtype === 'float32' ? '' : dtype, layout === 'NCL' ? '' : layout];
  const limit = passes.length === 0 ? '' : `limit: ${passes.join(', ')}`;
  return [shapeText(shape), ...kind, bytesText(bytes), limit]
    .filter((text) => text !== '')
    .join(' · ');
}

function entryRow(entry: Entry): string {
  const { who, how, median, p10, p90, gigabytesPerSecond, shareOfLimit, error, turns, calls } =
    entry;
  const cells = [
    who === 'limit' ? who : [who, how].filter((part) => part !== '').join(', '),
    micros(median),
    `${micros(p10)}–${micros(p90)}`,
    gigabytesPerSecond?.toFixed(1) ?? '',
    shareOfLimit === null ? '' : percent(shareOfLimit),
    errorText(error),
    `${turns} × ${calls}`,
  ];
  const row = cells.map((cell) => tag('td', {}, escape(cell))).join('');
  return tag('tr', who === US ? { class: 'ours' } : {}, row);
}

function table(titles: readonly string[], rows: readonly string[]): string {
  const head = tag('tr', {}, titles.map((title) => tag('th', {}, escape(title))).join(''));
  return tag('div', { class: 'scroll' }, tag('table', {}, `${head}${rows.join('')}`));
}
