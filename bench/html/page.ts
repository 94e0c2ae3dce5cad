// The report of a run: one HTML file that needs nothing else, drawn by the files beside this one.
import { shapeText } from '../cases.js';
import { INTO, US } from '../contenders.js';
import { binaryText, bytesText, micros } from '../format.js';
import { LIMIT } from '../limits.js';
import { usOverLimit } from '../ratios.js';
import { TITLES } from '../report.js';
import { entryOf, type CaseResult, type Run } from '../result.js';
import { shareBars, stackedBars } from './bars.js';
import { costPlot, scalingPlot } from './curves.js';
import { dotPlot } from './dots.js';
import { STYLE } from './style.js';
import { escape, tag } from './svg.js';
import { caseTable, targetTable } from './tables.js';

const TIME =
  'time of a call, logarithmic; the line behind a mark runs from the 10th to the 90th percentile';

export function page(run: Run): string {
  const group = (name: string): CaseResult[] => run.cases.filter((each) => each.group === name);
  const names = [...new Set(run.cases.map((each) => each.group))];
  const charted = names.filter((name) => !/^(threads|cost-.|beyond-cache)$/.test(name));
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
      shareChart([...group('forward'), ...group('beyond-cache')]),
    ),
    ...charted.map((name) => section(TITLES[name] ?? name, '', dotPlot(group(name), TIME))),
    section('Where the time of a training step goes', STEP_NOTE, stepChart(group('step'))),
    section(
      'Cost against size',
      'Training forward into memory of the caller while one dimension grows. A straight line along the limit is the aim; dotted lines are where x and y outgrow a cache.',
      costPlots(run),
    ),
    section(
      'Over threads',
      'The time with one thread over the time with n. The dashed line doubles with the threads.',
      scalingPlot(group('threads')),
    ),
    section('Every figure', '', names.map((name) => details(name, group(name))).join('')),
  ];
  const title = tag('title', {}, `evenkeel benchmark, ${run.date.slice(0, 10)}`);
  const meta =
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">';
  return `<!doctype html>\n<html lang="en"><head>${meta}${title}<style>${STYLE}</style></head><body>\n${body.join('\n')}\n</body></html>\n`;
}

const STEP_NOTE =
  'Steps cut at the edge of every layer, so that each forward and backward is timed in its place (the paler part is the backward); shares of the sum of the medians.';

function header(run: Run): string {
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
  const lines = [where.join(' · '), what.join(' · '), how].map((text) =>
    tag('p', {}, escape(text)),
  );
  const title = tag('h1', {}, 'evenkeel: batch normalisation, measured');
  return tag('header', {}, title + lines.join(''));
}

/** A chart with its title; nothing when it has nothing to show. */
function section(title: string, note: string, content: string): string {
  if (content === '') return '';
  const words = note === '' ? '' : tag('p', {}, escape(note));
  return tag('section', {}, tag('h2', {}, escape(title)) + words + content);
}

function shareChart(cases: readonly CaseResult[]): string {
  const bars = cases.flatMap((each) => {
    const ratio = usOverLimit(each);
    const [ours, limit] = [entryOf(each, US, INTO), entryOf(each, LIMIT)];
    if (ratio === undefined || ours === undefined || limit === undefined) return [];
    const names = { name: shapeText(each.shape), small: bytesText(each.bytes) };
    const spread = { low: limit.median / ours.p90, high: limit.median / ours.p10 };
    return [{ ...names, value: 1 / ratio, ...spread }];
  });
  return bars.length === 0
    ? ''
    : shareBars(bars, 'share of the limit; the thin line is the spread of our times');
}

function stepChart(cases: readonly CaseResult[]): string {
  const stacks = cases.flatMap(({ shape, shares, entries }) => {
    if (shares === null) return [];
    const ours = entries.find(({ who }) => who === US);
    const parts = shares.map(({ operation, share }) => ({ name: operation, share }));
    return [{ name: shapeText(shape), small: `${micros(ours?.median ?? 0)} µs a step`, parts }];
  });
  return stacks.length === 0 ? '' : stackedBars(stacks, 'share of a step');
}

function costPlots({ cases, machine }: Run): string {
  const plots = ['N', 'C', 'L'].flatMap((letter) => {
    const own = cases.filter(({ group }) => group === `cost-${letter.toLowerCase()}`);
    if (own.length < 2) return [];
    return [tag('div', {}, tag('h3', {}, `${letter} grows`) + costPlot(own, machine))];
  });
  return plots.length === 0 ? '' : tag('div', { class: 'pair' }, plots.join(''));
}

function details(name: string, cases: readonly CaseResult[]): string {
  return tag('details', {}, tag('summary', {}, escape(TITLES[name] ?? name)) + caseTable(cases));
}
