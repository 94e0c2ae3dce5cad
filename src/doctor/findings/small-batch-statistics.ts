import { short, type Rule } from '../examined.js';

/** Below this the batch's mean is off by more than 18 % of a standard deviation, two times in three less. */
const ENOUGH = 32;

export const smallBatchStatistics: Rule = {
  id: 'small-batch-statistics',
  severity: 'warning',
  mendedBy: 'code',
  what: 'The layer has no running statistics, and evaluation normalises by small batches.',
  why: 'With m values per channel the mean is off by 1 / √m standard deviations and the variance by √(2 / m) of itself: 35 % and 50 % at 8. The output of a sample depends on its neighbours.',
  how: 'Track running statistics, or evaluate in batches of at least 32 values per channel.',
  detect({ layers, purpose, training, measured }) {
    return layers
      .filter(({ report }) => !report.hasRunningStatistics && report.normalizesBy === 'batch')
      .filter(({ report: { valuesPerChannel } }) =>
        measured === null
          ? training === false
          : purpose === 'evaluation' && (valuesPerChannel?.largest ?? 0) < ENOUGH,
      )
      .map(({ report: { name, valuesPerChannel } }) => {
        const m = valuesPerChannel?.largest ?? null;
        return {
          layer: name,
          ...(m === null ? { severity: 'note' as const } : {}),
          effect: m === null ? 0 : 1 / Math.sqrt(m),
          evidence:
            m === null
              ? 'It has no running statistics, so that evaluation goes by whatever batch there is.'
              : `Its batches have at most ${m} values per channel: the mean is off by about ${short(1 / Math.sqrt(m))} standard deviations.`,
          cause: 'The layer was made with trackRunningStats: false.',
          mend: 'new nn.BatchNorm1d(numFeatures, { trackRunningStats: true }); // then recalibrate(model, trainLoader)',
          measured: m === null ? {} : { valuesPerChannel: m },
        };
      });
  },
};
