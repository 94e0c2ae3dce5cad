import { eventsOf, short, type Rule } from '../examined.js';

export const accumulationMomentum: Rule = {
  id: 'accumulation-momentum',
  severity: 'warning',
  mendedBy: 'code',
  what: 'Gradients are accumulated over several micro-batches, and each of them moves the running statistics.',
  why: 'k micro-batches a step give momentum 1 - (1 - momentum)^k: 0.1 acts as 0.34 at 4, and the statistics remember 2.4 steps. Normalising goes by the micro-batch all the same.',
  how: 'Collect the statistics of a step in `nn.virtualBatch(model)`, or divide momentum by k.',
  detect(examined) {
    return eventsOf(examined, this.id).map(({ layer, step, numbers }) => {
      const { backwards = 1, momentum = 0.1 } = numbers;
      const acting = 1 - (1 - momentum) ** backwards;
      return {
        layer,
        step,
        effect: acting,
        evidence: `${backwards} micro-batches a step move its statistics: momentum ${short(momentum)} acts as ${short(acting)}, a memory of ${short(1 / acting)} steps.`,
        cause: 'Statistics move in forward, gradients only in step().',
        mend: `const virtual = nn.virtualBatch(model); /* forward and backward of the ${backwards} micro-batches */ virtual.commit();`,
        measured: { ...numbers, actingMomentum: acting },
      };
    });
  },
};
