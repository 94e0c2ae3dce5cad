import { accessOf, eventsOf, percent, plural, type Rule } from '../examined.js';

export const evaluatedInTrainingMode: Rule = {
  id: 'evaluated-in-training-mode',
  severity: 'error',
  mendedBy: 'code',
  what: 'The model predicts in training mode: BatchNorm normalises by the batch that happens to be there, not by the running statistics.',
  why: 'What is predicted for a sample depends on the samples beside it: with batches of 2 the digits of `npm start` fall from 96 to below 80 %. Each such forward also moves the running statistics, and Dropout still drops.',
  how: 'Call `model.eval()` before predicting and `model.train()` before the next epoch.',
  detect(examined) {
    const { measured, purpose, layers } = examined;
    const mend = 'model.eval(); // before predicting, and model.train() before the next epoch';
    const seen = eventsOf(examined, this.id).map(({ layer, step, numbers }) => ({
      layer,
      step,
      effect: 1,
      evidence:
        `After ${plural(step, 'training step')} a forward without gradients went through it in training mode` +
        `, by the statistics of its ${plural(numbers['count'] ?? 0, 'value')} per channel.`,
      cause: 'eval() was not called before evaluating.',
      mend,
      measured: numbers,
    }));
    if (measured === null || purpose !== 'evaluation') return seen;
    const { asFound, evaluated } = measured.accuracy;
    const difference = measured.outputDifference;
    const accuracy =
      asFound === null || evaluated === null
        ? ''
        : ` Accuracy as found ${percent(asFound)}, in evaluation mode ${percent(evaluated)}.`;
    const apart =
      difference === null
        ? ''
        : ` The outputs differ by ${percent(difference.relative)} of their standard deviation from those in evaluation mode.`;
    const wrong = layers.filter(
      ({ report }) => report.normalizesBy === 'batch' && report.hasRunningStatistics,
    );
    return [
      ...seen,
      ...wrong.map(({ report: { name, training } }) => ({
        layer: name,
        effect: difference?.relative ?? 0,
        evidence: `It normalises by the batch although it has running statistics.${apart}${accuracy}`,
        cause:
          training === true
            ? 'The layer is in training mode: eval() was not called.'
            : 'normalizeBy is set to the batch.',
        mend: training === true ? mend : `${accessOf(name)}.normalizeBy = 'auto';`,
        measured: {
          ...(asFound === null ? {} : { accuracyAsFound: asFound }),
          ...(evaluated === null ? {} : { accuracyInEvaluation: evaluated }),
          ...(difference === null ? {} : { outputDifference: difference.relative }),
        },
      })),
    ];
  },
};
