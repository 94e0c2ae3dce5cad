// The report of a run: one HTML file that needs nothing else.
import {
  details,
  figure,
  markup,
  page as pageOf,
  section,
  smallFigure,
  type Chart,
  type Markup,
} from '#report';

import { binaryText } from '../format.js';
import { TITLES } from '../report.js';
import type { CaseResult, Run } from '../result.js';
import { shareChart, stepChart, timeChart } from './charts.js';
import { costChart, scalingChart } from './curves.js';
import { caseTable, targetTable } from './tables.js';

export function page(run: Run): string {
  const group = (name: string): CaseResult[] => run.cases.filter((each) => each.group === name);
  const names = [...new Set(run.cases.map((each) => each.group))];
  const charted = names.filter((name) => !/^(threads|cost-.|beyond-cache)$/.test(name));
  const titleOf = (name: string): string => TITLES[name] ?? name;
  const body = [
    header(run),
    section(
      'Targets',
      'Each from the medians of this run; the worst shape decides.',
      targetTable(run.targets),
    ),
    section(
      'How close to the limit',
      'Training forward into memory of the caller, against bare passes over the same buffers: read, read, write for (N, C); read, write for (N, C, L). 100 % is the limit.',
      drawn(shareChart([...group('forward'), ...group('beyond-cache')])),
    ),
    ...charted.map((name) =>
      section(titleOf(name), '', figure(timeChart(titleOf(name), group(name)))),
    ),
    section(
      'Where the time of a training step goes',
      'Steps cut at the edge of every layer, so that each forward and backward is timed in its place (the paler part is the backward); shares of the sum of the medians.',
      drawn(stepChart(group('step'))),
    ),
    section(
      'Cost against size',
      'Training forward into memory of the caller while one dimension grows. A straight line along the limit is the aim; dotted lines are where x and y outgrow a cache.',
      costCharts(run),
    ),
    section('Over threads', '', scaling(group('threads'))),
    section(
      'Every figure',
      '',
      markup`${names.map((name) => details(titleOf(name), caseTable(group(name))))}`,
    ),
  ];
  return pageOf(`evenkeel benchmark, ${run.date.slice(0, 10)}`, body);
}

function header(run: Run): Markup {
  const { date, commit, machine, versions, skippedPeers, settings, seconds, loadBefore } = run;
  const { cpu, cores, caches, memoryBytes, platform, isa, threads } = machine;
  const where = [
    cpu,
    `${cores} cores`,
    ...caches.map(({ level, bytes }) => `L${level} ${binaryText(bytes)}`),
    `${binaryText(memoryBytes)} of memory`,
    platform,
  ];
  const what = [
    `${isa} kernels on ${threads} threads`,
    ...Object.entries(versions).map(([name, version]) => `${name} ${version}`),
    ...(commit === null ? [] : [`commit ${commit}`]),
  ];
  const skipped = skippedPeers.map(({ name }) => name).join(', ');
  const how = `${settings.quick ? 'A quick run' : 'A run'} of ${Math.round(seconds)} s on ${date.slice(0, 16).replace('T', ' ')} UTC, load ${loadBefore.toFixed(1)} before it${skipped === '' ? '' : `, without ${skipped}`}. Contenders took turns within each case; figures are medians.`;
  return markup`<header>
    <h1>evenkeel: batch normalisation, measured</h1>
    <p>${where.join(' · ')}</p>
    <p>${what.join(' · ')}</p>
    <p>${how}</p>
  </header>`;
}

function drawn(chart: Chart | undefined): Markup {
  return chart === undefined ? markup`` : figure(chart);
}

function costCharts({ cases, machine }: Run): Markup {
  const charts = ['N', 'C', 'L'].flatMap((letter) => {
    const own = cases.filter(({ group }) => group === `cost-${letter.toLowerCase()}`);
    return own.length < 2 ? [] : [smallFigure(costChart(letter, own, machine))];
  });
  return charts.length === 0 ? markup`` : markup`<div class="pair">${charts}</div>`;
}

function scaling(cases: readonly CaseResult[]): Markup {
  const chart = scalingChart(cases);
  return chart === undefined ? markup`` : markup`<div class="pair">${smallFigure(chart)}</div>`;
}
