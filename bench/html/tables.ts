// The page's tables: the targets, and every figure of the run.
import { table, type Cell, type Markup, type Row } from '#report';

import { caseTitle } from '../cases.js';
import { US } from '../contenders.js';
import { bytesText, errorText, micros, percent } from '../format.js';
import type { CaseResult, Entry, Target } from '../result.js';

export function targetTable(targets: readonly Target[]): Markup {
  const rows = targets.map(({ name, wanted, value, met, detail }): Row => {
    const sign = wanted.replace('>=', '≥').replace('<=', '≤');
    const judged: Cell =
      met === true ? { text: 'met', tone: 'good' } : { text: 'missed', tone: 'bad' };
    const verdict = met === null ? 'not measured' : judged;
    return { cells: [name, sign, value?.toFixed(2) ?? '–', verdict, met === null ? '' : detail] };
  });
  return table({ columns: ['target', 'wanted', 'is', 'verdict', 'decided by'], rows });
}

export function caseTable(cases: readonly CaseResult[]): Markup {
  const columns = ['contender', 'µs', '10th–90th', 'GB/s', 'of limit', 'error', 'turns × calls'];
  const rows = cases.flatMap((each): Row[] => [
    { cells: [caseName(each)], kind: 'group' },
    ...each.entries.map(entryRow),
  ]);
  return table({ columns, rows });
}

function caseName(result: CaseResult): string {
  const { dtype, layout, bytes, passes } = result;
  const kind = [dtype === 'float32' ? '' : dtype, layout === 'NCL' ? '' : layout];
  const limit = passes.length === 0 ? '' : `limit: ${passes.join(', ')}`;
  return [caseTitle(result), ...kind, bytesText(bytes), limit]
    .filter((text) => text !== '')
    .join(' · ');
}

function entryRow(entry: Entry): Row {
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
  return who === US ? { cells, kind: 'strong' } : { cells };
}
