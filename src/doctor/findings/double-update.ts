import { eventsOf, plural, short, type Rule } from '../examined.js';

export const doubleUpdate: Rule = {
  id: 'double-update',
  severity: 'warning',
  mendedBy: 'code',
  what: 'One batch moves the running statistics twice in a step, or one layer serves two places of the network.',
  why: 'The second forward of the same batch gives it nearly twice the weight: momentum 0.1 acts as 0.19. A layer in two places keeps a mixture of two inputs, that fits neither: evaluation normalises both wrongly.',
  how: 'Use the output that is there, or set `updateStatistics = false` for the second forward; give each place a layer of its own.',
  detect(examined) {
    const seen = eventsOf(examined, this.id).map(({ layer, step, numbers }) => ({
      layer,
      step,
      effect: 1,
      evidence: `At step ${step} the same batch moved its statistics ${plural(numbers['times'] ?? 2, 'time')}.`,
      cause:
        'The model is called again on the batch of the step, for a second loss, an accuracy or recomputing.',
      mend: 'const output = model.forward(x); // once a step: use output for the loss and for the accuracy',
      measured: numbers,
    }));
    const shared = [...(examined.measured?.shared ?? [])];
    return [
      ...seen,
      ...shared.map(([layer, { calls, apart }]) => ({
        layer,
        effect: apart,
        evidence: `One forward of the model calls it ${calls} times, on inputs that are ${short(apart)} standard deviations apart.`,
        cause: 'One layer stands in several places of the network.',
        mend: `this.bn1 = new nn.BatchNorm1d(c); this.bn2 = new nn.BatchNorm1d(c); // one for each place`,
        measured: { calls, apart },
      })),
    ];
  },
};
