import { rms } from '../distribution.js';
import { eventsOf, short, type Rule } from '../examined.js';
import { isInitial } from './initial.js';
import { LARGE_DRIFT } from './stale-statistics.js';

export const statisticsDrift: Rule = {
  id: 'statistics-drift',
  severity: 'warning',
  mendedBy: 'code',
  what: 'The data are distributed otherwise than those that the statistics were collected from.',
  why: 'Every channel is shifted and scaled as the old data asked for. In training, batches that differ from one another (sorted by class, one file after another) leave the statistics of the last of them.',
  how: 'Scale the data as in training; shuffle the training data; adapt the statistics to the new data where that is meant.',
  detect(examined) {
    const seen = eventsOf(examined, this.id).map(({ layer, step, numbers }) => ({
      layer,
      step,
      effect: numbers['meanShift'] ?? 0,
      evidence: `Batch means have been ${short(numbers['meanShift'] ?? 0)} standard deviations from the running means for ${short(numbers['steps'] ?? 0)} steps (noise would be ${short(numbers['expected'] ?? 0)}).`,
      cause:
        'The batches come from different distributions: the training data are probably not shuffled.',
      mend: 'new data.DataLoader(dataset, { batchSize, shuffle: true });',
      measured: numbers,
    }));
    const { measured } = examined;
    if (measured === null) return seen;
    const drifted = examined.layers.filter(
      ({ report: { name, drift, ...report } }) =>
        drift !== null &&
        drift.driftedChannels.length > 0 &&
        drift.size >= LARGE_DRIFT &&
        !isInitial({ name, drift, ...report }) &&
        (measured.agreesWithReference?.has(name) ?? measured.onData.has(name)),
    );
    return [
      ...seen,
      ...drifted.map(({ report: { name, drift, numFeatures } }) => ({
        layer: name,
        effect: drift!.size,
        evidence: `${drift!.driftedChannels.length} of ${numFeatures} channels are off by more than noise: means by ${short(rms(drift!.meanShift.value))} standard deviations (root mean square).`,
        cause:
          measured.agreesWithReference === null
            ? 'The layer’s input are the data themselves, and its running statistics are of others: scaled otherwise, or of another origin.'
            : 'The statistics agree with the reference data, and these data do not.',
        mend: 'recalibrate(model, newLoader); // or scale the data as in training',
        measured: { size: drift!.size, driftedChannels: drift!.driftedChannels },
      })),
    ];
  },
};
