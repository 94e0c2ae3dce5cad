import { accessOf, eventsOf, plural, type Rule } from '../examined.js';

export const frozenButMoving: Rule = {
  id: 'frozen-but-moving',
  severity: 'warning',
  mendedBy: 'code',
  what: 'The layer’s part of the model is frozen, and its running statistics move all the same.',
  why: 'requiresGrad = false stops the optimizer, not the statistics, which move in forward: the frozen backbone becomes another one, and its old head no longer fits it.',
  how: 'freeze() the layer: it normalises by its statistics and leaves them, whatever train() says.',
  detect(examined) {
    const steps = new Map(eventsOf(examined, this.id).map(({ layer, step }) => [layer, step]));
    return examined.layers
      .filter(
        ({ report, inFrozenPart }) =>
          inFrozenPart &&
          ((report.statisticsMove === true && examined.source !== 'training') ||
            steps.has(report.name)),
      )
      .map(({ report: { name } }) => ({
        layer: name,
        ...(steps.has(name) ? { step: steps.get(name)! } : {}),
        effect: 1,
        evidence:
          'Neither its weight and bias nor what makes its input is learned, and a forward moves its running statistics' +
          (steps.has(name) ? `: seen after ${plural(steps.get(name)!, 'training step')}.` : '.'),
        cause: 'requiresGrad is false, and the layer is in training mode.',
        mend: `${accessOf(name)}.freeze();`,
      }));
  },
};
