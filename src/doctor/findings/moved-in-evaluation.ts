import { accessOf, eventsOf, plural, type Rule } from '../examined.js';

export const movedInEvaluation: Rule = {
  id: 'moved-in-evaluation',
  severity: 'error',
  mendedBy: 'code',
  what: 'Running statistics move while the model is evaluated.',
  why: 'What is evaluated changes what is evaluated: the statistics take in validation data, the second result is another than the first, and after ten batches two thirds of what training had left are gone (momentum 0.1).',
  how: 'Evaluate in `eval()`; switch modes by `train()` and `eval()`, which reach every layer, not by setting `training` of the model.',
  detect(examined) {
    const seen = eventsOf(examined, this.id).map(({ layer, step, numbers }) => ({
      layer,
      step,
      effect: 1,
      evidence: `After ${plural(step, 'training step')} a forward without gradients has moved its running statistics.`,
      cause:
        numbers['modelTraining'] === 0
          ? 'The model is in evaluation mode, and this layer is not.'
          : 'The model was evaluated in training mode.',
      mend: 'model.eval(); // reaches every layer',
      measured: numbers,
    }));
    if (examined.training !== false) return seen;
    const moving = examined.layers.filter(({ report }) => report.statisticsMove === true);
    return [
      ...seen,
      ...moving.map(({ report: { name, training } }) => ({
        layer: name,
        effect: 1,
        evidence: 'The model is in evaluation mode, and a forward moves this layer’s statistics.',
        cause:
          training === true
            ? '`training` of the model was set, which does not reach its layers.'
            : 'updateStatistics is true.',
        mend: training === true ? 'model.eval();' : `${accessOf(name)}.updateStatistics = 'auto';`,
      })),
    ];
  },
};
