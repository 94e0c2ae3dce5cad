import { eventsOf, plural, type Rule } from '../examined.js';

export const batchOfOne: Rule = {
  id: 'batch-of-one',
  severity: 'error',
  mendedBy: 'code',
  what: 'A batch has one value per channel, and is to be normalised by itself.',
  why: 'One value has no variance: forward throws, usually at the last batch of the first epoch.',
  how: 'Leave the last batch out, choose another batch size, or set `singleValue: "running"`.',
  detect(examined) {
    const seen = eventsOf(examined, this.id).map(({ layer, step, numbers }) => ({
      layer,
      step,
      severity: 'warning' as const,
      effect: 1,
      evidence: `After ${plural(step, 'training step')} a batch of one value per channel went through it.`,
      cause: 'The last batch of the loader has one sample.',
      mend: 'new data.DataLoader(dataset, { batchSize, shuffle: true, dropLast: true });',
      measured: numbers,
    }));
    const { measured, purpose, layers } = examined;
    if (measured === null) return seen;
    const learns = measured.areTrainingBatches;
    const ones = layers.filter(
      ({ report, module }) =>
        report.valuesPerChannel?.smallest === 1 &&
        module?.frozen === false &&
        module.singleValue === 'throw' &&
        (learns || (purpose === 'evaluation' && report.normalizesBy === 'batch')),
    );
    const { batchSizes } = measured;
    return [
      ...seen,
      ...ones.map(({ report: { name } }) => ({
        layer: name,
        effect: 1,
        evidence: `${plural(batchSizes.filter((size) => size === 1).length, 'batch')} of ${batchSizes.length} with one value per channel: forward in training mode throws.`,
        cause:
          batchSizes.length > 1 && batchSizes[0] !== 1
            ? 'The number of samples leaves 1 when divided by the batch size.'
            : 'The batch size is 1.',
        mend: 'new data.DataLoader(dataset, { batchSize, shuffle: true, dropLast: true });',
      })),
    ];
  },
};
