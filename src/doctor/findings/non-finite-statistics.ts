import { channelList, eventsOf, type Rule } from '../examined.js';

export const nonFiniteStatistics: Rule = {
  id: 'non-finite-statistics',
  severity: 'error',
  mendedBy: 'data',
  what: 'A running mean or variance is NaN or infinite.',
  why: 'Evaluation gives NaN for every sample, while training, which goes by the batch, looks healthy. One bad batch is enough: NaN stays in an average for ever, and skipping the step after forward is too late.',
  how: 'Recompute the statistics from clean data; keep bad batches out by `nonFinite` or `nn.transaction`.',
  detect(examined) {
    const seen = eventsOf(examined, this.id);
    const steps = new Map(seen.map(({ layer, step }) => [layer, step]));
    return examined.layers.flatMap(({ report: { name, runningMean, runningVar, numFeatures } }) => {
      const channels = Array.from({ length: numFeatures }, (_, c) => c).filter(
        (c) => !Number.isFinite(runningMean?.[c] ?? 0) || !Number.isFinite(runningVar?.[c] ?? 0),
      );
      const step = steps.get(name);
      if (channels.length === 0 && step === undefined) return [];
      return [
        {
          layer: name,
          ...(step === undefined ? {} : { step }),
          effect: channels.length / numFeatures,
          evidence:
            (channels.length === 0
              ? 'A batch with NaN or infinite statistics has moved the running ones'
              : `Running statistics that are NaN or infinite in ${channels.length} of ${numFeatures} channels: ${channelList(channels)}`) +
            (step === undefined ? '.' : `, at step ${step}.`),
          cause:
            'A batch with NaN, infinite or far too large values went through it in training mode.',
          mend: 'recalibrate(model, trainLoader); // and { nonFinite: "skip" } in the layer',
          measured: { channels },
        },
      ];
    });
  },
};
