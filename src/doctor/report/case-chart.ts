// Charts of the whole model: accuracy in the four cases, and how far each layer's statistics are off.
import type { Chart } from '../../report/chart.js';
import { bars, type Bar } from '../../report/charts/bars.js';
import { percent, short } from '../../report/numbers.js';
import type { CaseReport, ReportData } from '../report-types.js';
import { nameOf } from './sentences.js';

/** A bar a case and batch size; the line is evaluation by running statistics, which is what users expect. */
export function caseChart(cases: readonly CaseReport[]): Chart {
  const shown = cases.filter(({ accuracy }) => accuracy !== null);
  const right = shown.find(({ training, trackRunningStats }) => !training && trackRunningStats);
  return bars({
    title: 'Accuracy in the four cases of training × trackRunningStats',
    summary:
      'The same weights on the same data; the line marks evaluation by running statistics. ' +
      'Batch statistics cost more, the smaller the batch.',
    axis: { title: 'accuracy', scale: 'linear', tick: whole, min: 0, max: 1, interval: 0.25 },
    ...(right === undefined ? {} : { aim: right.accuracy! }),
    bars: shown.map(caseBar),
    table: {
      columns: ['training', 'trackRunningStats', 'normalises by', 'batch size', 'accuracy'],
      rows: cases.map((each) => ({
        cells: [
          String(each.training),
          String(each.trackRunningStats),
          each.normalizesBy,
          String(each.batchSize),
          each.accuracy === null ? 'none' : percent(each.accuracy),
        ],
      })),
    },
  });
}

function caseBar({
  training,
  trackRunningStats,
  normalizesBy,
  batchSize,
  accuracy,
}: CaseReport): Bar {
  const name = `${training ? 'train' : 'eval'}, ${trackRunningStats ? '' : 'un'}tracked`;
  return {
    name,
    small: `${normalizesBy}, N = ${String(batchSize)}`,
    value: accuracy!,
    colour: normalizesBy === 'running' ? 'blue' : 'orange',
    label: percent(accuracy!),
    hint: `${name}, by ${normalizesBy} statistics, batches of ${String(batchSize)}: ${percent(accuracy!)}`,
  };
}

/** Undefined where fewer than two layers have drift. */
export function driftChart({ layers }: ReportData): Chart | undefined {
  const drifted = layers.filter(({ drift }) => drift !== null && Number.isFinite(drift.size));
  if (drifted.length < 2) return undefined;
  return bars({
    title: 'How far the statistics of each layer are off',
    summary:
      'Standardised error of the output that the running statistics make, root mean square over the ' +
      'channels; orange where it is more than noise.',
    axis: { title: 'standard deviations of the output', scale: 'linear', tick: short, min: 0 },
    bars: drifted.map((layer) => {
      const { size, driftedChannels } = layer.drift!;
      const channels = `${String(driftedChannels.length)} of ${String(layer.numFeatures)} channels`;
      return {
        name: nameOf(layer),
        small: channels,
        value: size,
        colour: driftedChannels.length === 0 ? 'blue' : 'orange',
        label: short(size),
        hint: `${nameOf(layer)}: ${short(size)}, ${channels} by more than noise`,
      };
    }),
  });
}

function whole(fraction: number): string {
  return `${String(Math.round(100 * fraction))} %`;
}
