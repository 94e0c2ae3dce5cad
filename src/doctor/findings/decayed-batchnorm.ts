import { short, type Rule } from '../examined.js';

export const decayedBatchNorm: Rule = {
  id: 'decayed-batchnorm',
  severity: 'note',
  mendedBy: 'code',
  what: 'The optimizer decays weight and bias of a BatchNorm.',
  why: 'Decay draws the gain to 0, which no data asks for: the layers before it do not become simpler by it, since BatchNorm undoes their scale. Most recipes leave it out.',
  how: 'Put weight and bias of BatchNorm into a group of their own without weight decay.',
  detect({ decayed }) {
    return [...decayed].map(([layer, weightDecay]) => ({
      layer,
      effect: weightDecay,
      evidence: `weightDecay ${short(weightDecay)} acts on its weight or bias.`,
      cause: 'All parameters are in one group of the optimizer.',
      mend: 'const bn = [...model.modules()].filter((m) => m instanceof nn.BatchNorm).flatMap((m) => [...m.parameters()]); // { params: bn, weightDecay: 0 }',
      measured: { weightDecay },
    }));
  },
};
