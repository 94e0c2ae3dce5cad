import {
  eventsOf,
  percent,
  plural,
  short,
  type Examined,
  type FoundIn,
  type Rule,
} from '../examined.js';
import { rms } from '../distribution.js';
import { isInitial } from './initial.js';
import type { ExaminedLayer } from '../survey.js';

/** Size of a layer's drift, in standard deviations of its output: measured in decision 0010. */
export const LARGE_DRIFT = 0.5;
/** Where labels show that it costs nothing, only what is twice as large is worth a word. */
const HARMLESS = 2;
/** Accuracy that recalibrating wins back, and how surely (a standard score). */
const ACCURACY = 0.02;
const SURE = 3;

export const staleStatistics: Rule = {
  id: 'stale-statistics',
  severity: 'warning',
  mendedBy: 'data',
  what: 'The running statistics are not those that the layer’s inputs have now.',
  why: 'Evaluation shifts and scales every channel by numbers of the past. A PointNet on digits tests at 15 % after its first epoch, and at 88 % with the same weights and statistics recomputed.',
  how: 'Recompute the statistics after training; copy buffers with parameters; do not learn in evaluation mode.',
  detect(examined) {
    const learning = eventsOf(examined, this.id).map(({ layer, step, numbers }) => ({
      layer,
      step,
      severity: 'error' as const,
      effect: 1,
      evidence: `The last ${plural(numbers['steps'] ?? 0, 'training step')} learned from running statistics that stayed, while the weights moved on.`,
      cause: 'The model learns in evaluation mode: train() was not called again after eval().',
      mend: 'model.train(); // at the start of every epoch',
      measured: numbers,
    }));
    return [...learning, ...staleLayers(examined)];
  },
};

function staleLayers(examined: Examined): FoundIn[] {
  const { measured, layers } = examined;
  if (measured === null) return [];
  const { asFound, evaluated, recalibrated } = measured.accuracy;
  const before = evaluated ?? asFound;
  const gain = before === null || recalibrated === null ? null : recalibrated - before;
  const wins = gain !== null && gain >= ACCURACY && (measured.improvement ?? 0) > SURE;
  const drifted = layers.filter(
    ({ report }) =>
      (report.drift?.driftedChannels.length ?? 0) > 0 &&
      !isInitial(report) &&
      !measured.onData.has(report.name) &&
      measured.agreesWithReference?.has(report.name) !== true,
  );
  const enough = gain === null || wins ? LARGE_DRIFT : HARMLESS * LARGE_DRIFT;
  const large = drifted.filter(({ report }) => report.drift!.size >= enough);
  const most = [...drifted].sort((a, b) => b.report.drift!.size - a.report.drift!.size).slice(0, 1);
  return (large.length > 0 ? large : wins ? most : []).map((layer) => ({
    ...describe(layer),
    ...(wins ? { severity: 'error' as const } : {}),
    evidence:
      describe(layer).evidence +
      (before === null || recalibrated === null
        ? ''
        : ` Accuracy ${percent(before)}, recalibrated ${percent(recalibrated)}.`),
    measured: {
      ...describe(layer).measured,
      ...(before === null ? {} : { accuracy: before }),
      ...(recalibrated === null ? {} : { accuracyRecalibrated: recalibrated }),
    },
  }));
}

function describe({
  report: { name, drift, numFeatures, memoryInBatches },
}: ExaminedLayer): FoundIn {
  const { meanShift, logVarianceRatio, driftedChannels, size } = drift!;
  const shift = rms(meanShift.value);
  const ratio = Math.exp(rms(logVarianceRatio.value));
  return {
    layer: name,
    effect: size,
    evidence:
      `${driftedChannels.length} of ${numFeatures} channels are off by more than noise: means by ` +
      `${short(shift)} standard deviations, variances by a factor of ${short(ratio)} (root mean square).`,
    cause:
      'The weights have moved on since the statistics were collected' +
      (memoryInBatches === null ? '' : ` (they remember ${short(memoryInBatches)} batches)`) +
      ', or the data are others than those of training: give { reference: trainLoader } to tell them apart.',
    mend: 'recalibrate(model, trainLoader);',
    measured: { size, meanShift: shift, varianceFactor: ratio, driftedChannels },
  };
}
