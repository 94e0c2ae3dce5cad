// Charts of one layer: running against batch statistics channel by channel, gain, and drift over the training.
import type { Chart } from '../../report/chart.js';
import { logBounds, type Axis } from '../../report/charts/axes.js';
import { lines, type Line, type Point } from '../../report/charts/lines.js';
import { scatter, type Spot } from '../../report/charts/scatter.js';
import type { Mark } from '../../report/marks.js';
import { count, short } from '../../report/numbers.js';
import type { HistoryPoint, LayerReport, PerChannel } from '../report-types.js';

const SAME: Mark = { name: 'within noise', colour: 'blue', form: 'circle' };
const DRIFTED: Mark = { name: 'more than noise', colour: 'red', form: 'diamond' };

/** Marks beyond these are not drawn: drifted channels first, then every n-th of the others. */
const MOST_SPOTS = 300;

export function layerCharts(layer: LayerReport): Chart[] {
  const { runningMean, runningVar, batchMean, batchVar, gain, history } = layer;
  return [
    ...(runningMean === null || batchMean === null
      ? []
      : [meanChart(layer, runningMean, batchMean)]),
    ...(runningVar === null
      ? []
      : [
          batchVar === null
            ? rankedChart('Running variance by channel', 'running variance', runningVar)
            : varianceChart(layer, runningVar, batchVar),
        ]),
    ...(gain === null ? [] : [rankedChart('Gain by channel', 'gain', gain.map(Math.abs))]),
    ...(history === null || history.length < 2 ? [] : [historyChart(history)]),
  ].filter((chart) => chart !== undefined);
}

function meanChart(layer: LayerReport, running: PerChannel, batch: PerChannel): Chart | undefined {
  const spots = spotsOf(layer, running, batch, 'mean', Number.isFinite);
  if (spots.length === 0) return undefined;
  const [low, high] = boundsOf(spots);
  const axis = { scale: 'linear', tick: short, min: low, max: high } as const;
  return scatter({
    title: 'Mean by channel',
    summary: `A mark a channel${thinned(layer, spots)}. On the line the running mean is that of the data.`,
    x: { title: 'running mean', ...axis },
    y: { title: 'mean of the data', ...axis },
    ...{ spots, marks: [SAME, DRIFTED] },
    guide: [
      [low, low],
      [high, high],
    ],
  });
}

function varianceChart(
  layer: LayerReport,
  running: PerChannel,
  batch: PerChannel,
): Chart | undefined {
  const spots = spotsOf(
    layer,
    running,
    batch,
    'variance',
    (value) => value > 0 && value < Infinity,
  );
  if (spots.length === 0) return undefined;
  const [low, high] = logBounds(
    spots.flatMap(({ x, y }) => [x, y]),
    true,
  );
  const axis = { scale: 'logarithmic', tick: short, min: low, max: high } as const;
  return scatter({
    title: 'Variance by channel',
    summary: `A mark a channel${thinned(layer, spots)}, both axes logarithmic. On the line both are the same.`,
    x: { title: 'running variance', ...axis },
    y: { title: 'variance of the data', ...axis },
    ...{ spots, marks: [SAME, DRIFTED] },
    guide: [
      [low, low],
      [high, high],
    ],
  });
}

function spotsOf(
  { drift }: LayerReport,
  running: PerChannel,
  batch: PerChannel,
  what: string,
  fits: (value: number) => boolean,
): Spot[] {
  const drifted = new Set(drift?.driftedChannels);
  const all = running.flatMap((x, channel): Spot[] => {
    const y = batch[channel]!;
    if (!fits(x) || !fits(y)) return [];
    const hint = `channel ${String(channel)}: running ${what} ${short(x)}, of the data ${short(y)}`;
    return [{ x, y, mark: drifted.has(channel) ? DRIFTED : SAME, hint }];
  });
  if (all.length <= MOST_SPOTS) return all;
  const first = evenly(
    all.filter(({ mark }) => mark === DRIFTED),
    MOST_SPOTS,
  );
  return [
    ...first,
    ...evenly(
      all.filter(({ mark }) => mark === SAME),
      MOST_SPOTS - first.length,
    ),
  ];
}

function thinned({ numFeatures }: LayerReport, spots: readonly Spot[]): string {
  return spots.length === numFeatures
    ? ''
    : ` (${count(spots.length)} of ${count(numFeatures)} channels drawn)`;
}

/** At most `most` of the values, spread over all of them. */
function evenly<Value>(values: readonly Value[], most: number): Value[] {
  const step = Math.max(1, values.length / Math.max(most, 1));
  return most === 0
    ? []
    : values.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}

/** Around all spots, a twentieth wider. */
function boundsOf(spots: readonly Spot[]): [low: number, high: number] {
  const low = spots.reduce((least, { x, y }) => Math.min(least, x, y), Infinity);
  const high = spots.reduce((most, { x, y }) => Math.max(most, x, y), -Infinity);
  const room = 0.05 * (high - low || Math.abs(high) || 1);
  return [Number((low - room).toPrecision(2)), Number((high + room).toPrecision(2))];
}

/** All channels by size: what is dead or out of line is at an end. */
function rankedChart(title: string, what: string, values: PerChannel): Chart | undefined {
  const positive = values.filter((value) => value > 0 && value < Infinity).sort((a, b) => a - b);
  if (positive.length < 2) return undefined;
  const left = values.length - positive.length;
  const points = evenly(
    positive.map((y, i): Point => ({ x: i + 1, y, hint: `${what} ${short(y)}` })),
    200,
  );
  const [min, max] = logBounds(positive, true);
  const middle = positive[Math.floor(positive.length / 2)]!;
  return lines({
    title,
    summary:
      `Channels from the smallest to the largest, logarithmic: ${short(positive[0]!)} to ` +
      `${short(positive.at(-1)!)}, median ${short(middle)}.` +
      (left === 0 ? '' : ` ${count(left)} more are 0, negative or not finite.`),
    x: { title: 'channels', scale: 'linear', tick: whole, min: 0, max: positive.length },
    y: { title: what, scale: 'logarithmic', tick: short, min, max },
    lines: [{ name: '', colour: 'blue', marked: false, points }],
  });
}

function historyChart(history: readonly HistoryPoint[]): Chart {
  const line = (
    name: string,
    key: keyof HistoryPoint,
    rest: Pick<Line, 'colour' | 'dashed'>,
  ): Line => ({
    name,
    ...rest,
    marked: false,
    points: history
      .filter((point) => Number.isFinite(point[key]))
      .map((point) => ({
        x: point.step,
        y: point[key],
        hint: `step ${String(point.step)}: ${short(point[key])}`,
      })),
  });
  const steps: Axis = {
    title: 'training step',
    scale: 'linear',
    tick: whole,
    min: history[0]!.step,
    max: history.at(-1)!.step,
  };
  return lines({
    title: 'Drift over the training',
    summary:
      'How far the statistics of each batch are from the running ones, root mean square over the channels; ' +
      'dashed: what drawing batches alone would make.',
    x: steps,
    y: { title: 'drift', scale: 'linear', tick: short, min: 0 },
    lines: [
      line('mean', 'meanShift', { colour: 'blue' }),
      line('variance', 'logVarianceRatio', { colour: 'red' }),
      line('', 'expectedMeanShift', { colour: 'blue', dashed: true }),
      line('', 'expectedLogVarianceRatio', { colour: 'red', dashed: true }),
    ].filter(({ points }) => points.length > 0),
  });
}

function whole(value: number): string {
  return Number.isInteger(value) ? count(value) : '';
}
