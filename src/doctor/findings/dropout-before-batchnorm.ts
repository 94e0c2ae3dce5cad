import { short, type Rule } from '../examined.js';

/** Variance in evaluation over that in training, below which it is worth a word: 5 % of the deviation. */
const NOTICEABLE = 0.9;

export const dropoutBeforeBatchNorm: Rule = {
  id: 'dropout-before-batchnorm',
  severity: 'warning',
  mendedBy: 'code',
  what: 'Dropout before a BatchNorm adds variance in training that is not there in evaluation.',
  why: 'The running variance is that with dropout; evaluation divides by it without (Li et al. 2019). With Dropout(0.5) and a Linear before it the variance in evaluation is often 0.6 of that in training, and every layer behind gets a narrower input.',
  how: 'Move Dropout behind the last BatchNorm, or recompute the statistics without dropout.',
  detect({ measured, layers }) {
    return layers.flatMap(({ report: { name, hasRunningStatistics } }) => {
      const shift = measured?.shifts.get(name);
      if (shift === undefined || !hasRunningStatistics) return [];
      const { ratio, dropout, p, ownRatio, predictedRatio } = shift;
      if (ratio > NOTICEABLE && ratio < 1 / NOTICEABLE) return [];
      const predicted =
        predictedRatio === null || ownRatio === null
          ? ''
          : ` Of the Dropout right before it: measured ${short(ownRatio)}, predicted ${short(predictedRatio)}.`;
      return [
        {
          layer: name,
          effect: Math.abs(Math.log(ratio)),
          evidence: `The variance of its input in evaluation is ${short(ratio)} of that in training.${predicted}`,
          cause:
            dropout === null
              ? 'Dropout before it adds variance in training only, and the running statistics keep it.'
              : `Dropout(${String(p)}) '${dropout}' before it adds variance in training only, and the running statistics keep it.`,
          mend: 'recalibrate(model, trainLoader, { dropout: false }); // or move Dropout behind the last BatchNorm',
          measured: {
            ratio,
            ...(p === null ? {} : { p }),
            ...(ownRatio === null ? {} : { ownRatio }),
            ...(predictedRatio === null ? {} : { predictedRatio }),
          },
        },
      ];
    });
  },
};
