import type { Rule } from '../examined.js';
import { isInitial, isUnused } from './initial.js';

export const neverTracked: Rule = {
  id: 'never-tracked',
  severity: 'error',
  mendedBy: 'data',
  what: 'Evaluation would go by running statistics that no batch has ever moved: mean 0 and variance 1.',
  why: 'The layer then normalises nothing. A trained network behind it gets inputs of another scale than it has learned, and often says one class for everything.',
  how: 'Recompute the statistics from training data. If only parameters were copied (an average of weights, a target network), copy the buffers too.',
  detect(examined) {
    const evaluates = examined.purpose === 'evaluation' && examined.measured !== null;
    return examined.layers
      .filter(({ report }) => isInitial(report) && !isUnused(report, examined))
      .filter(
        ({ report }) =>
          evaluates || examined.source === 'checkpoint' || report.normalizesBy === 'running',
      )
      .map(({ report: { name, numBatchesTracked, momentum, numFeatures } }) => ({
        layer: name,
        effect: 1,
        evidence: `The running mean of all ${numFeatures} channels is 0 and the variance 1; batches tracked: ${numBatchesTracked ?? 'not known'}.`,
        cause:
          momentum === 0
            ? 'momentum is 0: no batch has any weight.'
            : 'The layer has not been trained in training mode, was reset, or its buffers were not loaded or copied.',
        mend: 'recalibrate(model, trainLoader);',
        measured: numBatchesTracked === null ? {} : { numBatchesTracked },
      }));
  },
};
