import { channelList, type Rule } from '../examined.js';

export const negativeVariance: Rule = {
  id: 'negative-variance',
  severity: 'error',
  mendedBy: 'data',
  what: 'A running variance is below 0.',
  why: 'The square root of variance + eps is NaN, or, close to 0, an enormous gain. No training makes it: the file was converted, averaged or quantised wrongly.',
  how: 'Recompute the statistics, or convert the checkpoint again.',
  detect({ layers }) {
    return layers.flatMap(({ report: { name, runningVar } }) => {
      const channels = (runningVar ?? []).flatMap((each, c) => (each < 0 ? [c] : []));
      if (channels.length === 0) return [];
      const least = Math.min(...channels.map((c) => runningVar![c]!));
      return [
        {
          layer: name,
          effect: channels.length,
          evidence: `The running variance is below 0 in ${channels.length} of ${runningVar!.length} channels (least ${String(least)}): ${channelList(channels)}.`,
          cause: 'No training makes such a value: weights were averaged, converted or edited.',
          mend: 'recalibrate(model, trainLoader);',
          measured: { channels, least },
        },
      ];
    });
  },
};
