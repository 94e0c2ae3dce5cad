import { channelList, type Rule } from '../examined.js';

/** In parts of eps: what is smaller is nothing beside it. */
const NOTHING = 1e-3;
const USUAL_EPS = 1e-5;

export const deadChannel: Rule = {
  id: 'dead-channel',
  severity: 'warning',
  mendedBy: 'data',
  what: 'A channel has a running variance of 0: in training it was a constant.',
  why: 'The channel carries nothing, and evaluation divides by √eps alone: whatever differs from the constant is enlarged 316-fold (eps 1e-5). In quantised files small variances have been rounded to 0, and the channel is not dead at all.',
  how: 'Remove the channel, or recompute the statistics; store variances unquantised.',
  detect({ layers }) {
    return layers.flatMap(({ report: { name, runningVar, batchVar, eps, numFeatures, kind } }) => {
      const least = NOTHING * (eps ?? USUAL_EPS);
      const none = (each: number): boolean => each >= 0 && each <= least;
      const channels = (runningVar ?? []).flatMap((each, c) =>
        none(each) && (batchVar === null || none(batchVar[c]!)) ? [c] : [],
      );
      if (channels.length === 0) return [];
      return [
        {
          layer: name,
          // Data that agree: pixels that are always black, units that ReLU has switched off.
          severity: batchVar === null ? ('warning' as const) : ('note' as const),
          effect: channels.length / numFeatures,
          evidence: `The running variance is 0 in ${channels.length} of ${numFeatures} channels: ${channelList(channels)}.`,
          cause:
            batchVar === null
              ? 'The input of these channels was constant in training, or the file was quantised and small variances rounded to 0.'
              : 'The input of these channels is constant, in these data too.',
          mend:
            kind === 'BatchNorm'
              ? 'recalibrate(model, trainLoader); // after loading; or store the variances unquantised'
              : 'recalibrate(model, trainLoader); // if the channel is not constant in all data',
          measured: { channels },
        },
      ];
    });
  },
};
