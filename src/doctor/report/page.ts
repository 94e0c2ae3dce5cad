// The report as one page: what was found, the four cases, and each layer with its charts.
import { figure, smallFigure } from '../../report/chart.js';
import { markup, type Markup } from '../../report/markup.js';
import { short } from '../../report/numbers.js';
import { details, page, section, table, type Row } from '../../report/page.js';
import type { CaseReport, Finding, LayerReport, ReportData, Severity } from '../report-types.js';
import { caseChart, driftChart } from './case-chart.js';
import { layerCharts } from './layer-charts.js';
import {
  accuracyLine,
  differenceLine,
  missingCases,
  modeOf,
  nameOf,
  place,
  scope,
  troubled,
  verdict,
} from './sentences.js';

/** Layers with charts: those with findings first. A file may have thousands. */
const MOST_CHARTED = 64;

export function pageOf(report: ReportData): string {
  const chart = driftChart(report);
  const body = [
    header(report),
    section('Findings', '', markup`${report.findings.map(findingOf)}`),
    casesOf(report.cases ?? []),
    section(
      'Layers',
      '',
      markup`${chart === undefined ? '' : figure(chart)}${layerTable(report)}${layersOf(report)}`,
    ),
  ];
  const subject = report.subject === '' ? 'BatchNorm' : report.subject;
  return page(`${subject}: ${verdict(report)}`, body);
}

/** A chart of what there is, and a sentence about what there is not. */
function casesOf(cases: readonly CaseReport[]): Markup {
  const missing = missingCases(cases);
  const hasAny = cases.some(({ accuracy }) => accuracy !== null);
  const note = missing === undefined ? '' : markup`<p>${missing}</p>`;
  return section('The four cases', '', markup`${hasAny ? figure(caseChart(cases)) : ''}${note}`);
}

function header(report: ReportData): Markup {
  const lines = [scope(report), accuracyLine(report), differenceLine(report)];
  const tone = report.healthy ? 'good' : 'bad';
  return markup`<header>
    <h1>The BatchNorm doctor</h1>
    <p><strong class="${tone}">${verdict(report)}</strong></p>
    ${lines.filter((line) => line !== undefined).map((line) => markup`<p>${line}</p>`)}
  </header>`;
}

const TONES: Readonly<Record<Severity, string>> = { error: 'bad', warning: 'warn', note: 'strong' };

/** Names of other layers beyond these are counted. */
const MOST_NAMES = 20;

function findingOf(finding: Finding): Markup {
  const { id, severity, evidence, cause, mend } = finding;
  const where = whereOf(finding);
  return markup`<article>
    <h3><span class="${TONES[severity]}">${severity}</span> ${id}</h3>
    ${where === '' ? '' : markup`<p>${where}</p>`}
    <p class="found">${evidence}</p>
    <p>${cause}</p>
    <pre tabindex="0"><code>${mend}</code></pre>
  </article>`;
}

function whereOf(finding: Finding): string {
  const { alsoIn, step } = finding;
  const first = place({ ...finding, alsoIn: [] });
  const left = alsoIn.length - MOST_NAMES;
  const others =
    alsoIn.slice(0, MOST_NAMES).join(', ') + (left > 0 ? ` and ${String(left)} more` : '');
  const words = [
    first === '' ? '' : `In ${first}`,
    others === '' ? '' : `also in ${others}`,
    step === null ? '' : `at step ${String(step)}`,
  ].filter((text) => text !== '');
  return words.length === 0 ? '' : `${words.join(', ')}.`;
}

function layerTable({ layers }: ReportData): Markup {
  const columns = [
    'layer',
    'kind',
    'channels',
    'mode',
    'normalises by',
    'batches tracked',
    'momentum',
    'remembers',
    'drift',
  ];
  const rows = layers.map((layer): Row => {
    const { drift, numBatchesTracked, memoryInBatches, momentum } = layer;
    const size = drift === null ? '–' : short(drift.size);
    const isDrifted = drift !== null && drift.driftedChannels.length > 0;
    return {
      cells: [
        nameOf(layer),
        layer.kind,
        String(layer.numFeatures),
        modeOf(layer) ?? 'not known',
        layer.normalizesBy ?? 'not known',
        numBatchesTracked === null ? '–' : String(numBatchesTracked),
        momentum === null ? '–' : String(momentum),
        memoryInBatches === null ? '–' : `${short(memoryInBatches)} batches`,
        isDrifted ? { text: size, tone: 'warn' } : size,
      ],
    };
  });
  return table({ columns, rows });
}

function layersOf(report: ReportData): Markup {
  const sick = troubled(report);
  const first = report.layers.filter(({ name }) => sick.has(name));
  const others = report.layers.filter(({ name }) => !sick.has(name));
  const charted = new Set([...first, ...others].slice(0, MOST_CHARTED));
  const left = report.layers.length - charted.size;
  const parts = report.layers
    .filter((layer) => charted.has(layer))
    .map((layer) => layerOf(layer, sick.has(layer.name) || report.layers.length <= 4));
  const note =
    left === 0
      ? ''
      : markup`<p>${String(left)} more layers have no findings, and no charts here.</p>`;
  return markup`${parts}${note}`;
}

function layerOf(layer: LayerReport, isOpen: boolean): Markup {
  const charts = layerCharts(layer);
  if (charts.length === 0) return markup``;
  const content = markup`<div class="pair">${charts.map(smallFigure)}</div>${channelTable(layer)}`;
  const summary = markup`<strong>${nameOf(layer)}</strong>, ${layer.kind} of ${String(layer.numFeatures)} channels`;
  return details(summary, content, isOpen);
}

/** Rows beyond these are in the JSON only. */
const MOST_ROWS = 512;

/** What the charts show, as numbers. */
function channelTable(layer: LayerReport): Markup {
  const { numFeatures, runningMean, batchMean, runningVar, batchVar, gain, drift } = layer;
  const lists = [
    { title: 'running mean', values: runningMean },
    { title: 'mean of the data', values: batchMean },
    { title: 'running variance', values: runningVar },
    { title: 'variance of the data', values: batchVar },
    { title: 'gain', values: gain },
    { title: 'shift of the mean', values: drift?.meanShift.value ?? null },
  ].flatMap(({ title, values }) => (values === null ? [] : [{ title, values }]));
  const rows = Array.from({ length: Math.min(numFeatures, MOST_ROWS) }, (_, channel): Row => ({
    cells: [String(channel), ...lists.map(({ values }) => short(values[channel] ?? NaN))],
  }));
  const left = numFeatures - rows.length;
  const more =
    left > 0 ? ` (the first ${String(rows.length)} of ${String(numFeatures)} channels)` : '';
  const columns = ['channel', ...lists.map(({ title }) => title)];
  return details(`These figures as a table${more}`, table({ columns, rows }));
}
