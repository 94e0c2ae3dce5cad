import { accessOf, eventsOf, type Rule } from '../examined.js';

export const thawedByTrain: Rule = {
  id: 'thawed-by-train',
  severity: 'warning',
  mendedBy: 'code',
  what: 'A layer that was held in evaluation mode was set back to training by train() of the model.',
  why: 'train() reaches every layer. From the next epoch on the statistics that were to stay are those of the new data, often of small batches.',
  how: 'freeze() holds through train(); or call eval() of the layer after each train().',
  detect(examined) {
    return eventsOf(examined, this.id).map(({ layer, step, numbers }) => ({
      layer,
      step,
      effect: 1,
      evidence: `It was in evaluation mode within a model in training; at step ${step} its statistics began to move.`,
      cause: 'train() of the model sets every layer, also those that were set to eval() by hand.',
      mend: `${accessOf(layer)}.freeze({ affine: false });`,
      measured: numbers,
    }));
  },
};
