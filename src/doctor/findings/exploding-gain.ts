import { median } from '../distribution.js';
import { channelList, short, type Rule } from '../examined.js';
import type { LayerReport } from '../report-types.js';

/** A gain that is large beside those of the layer's other channels, where eps and not the variance makes it. */
const TIMES_THE_MEDIAN = 10;
const LARGE_GAIN = 20;
const USUAL_EPS = 1e-5;
/** With data: so many times the deviation that the layer should give. */
const TOO_WIDE = 10;

export const explodingGain: Rule = {
  id: 'exploding-gain',
  severity: 'error',
  mendedBy: 'data',
  what: 'weight / √(running variance + eps) of a channel is so large that it drowns the others.',
  why: 'A variance that has been lost (quantised to 0, averaged away) makes evaluation multiply by weight / √eps, up to 316 times the weight, where training had multiplied by weight / √variance.',
  how: 'Recompute the statistics from data; store variances unquantised.',
  detect({ layers }) {
    return layers.flatMap(({ report }) => {
      const { name, gain, batchVar, numFeatures } = report;
      if (gain === null) return [];
      const channels = batchVar === null ? withoutData(report) : withData(report, batchVar);
      if (channels.length === 0) return [];
      const largest = Math.max(...channels.map((c) => Math.abs(gain[c]!)));
      return [
        {
          layer: name,
          severity: batchVar === null ? ('warning' as const) : ('error' as const),
          effect: largest,
          evidence:
            `${channels.length} of ${numFeatures} channels are multiplied by up to ${short(largest)}` +
            ` (median of the layer ${short(median(gain.map(Math.abs)))}): ${channelList(channels)}.`,
          cause:
            batchVar === null
              ? 'Their running variance is less than eps: it was lost, as in a quantised file, or the channel was constant in training.'
              : 'Their running variance is far below that of the data.',
          mend: 'recalibrate(model, trainLoader);',
          measured: { channels, largest },
        },
      ];
    });
  },
};

function withoutData({ gain, runningVar, eps }: LayerReport): number[] {
  const usual = median(gain!.map(Math.abs));
  return gain!.flatMap((each, c) =>
    runningVar![c]! >= 0 &&
    runningVar![c]! < (eps ?? USUAL_EPS) &&
    Math.abs(each) > Math.max(LARGE_GAIN, TIMES_THE_MEDIAN * usual)
      ? [c]
      : [],
  );
}

/** What evaluation makes of the channel, against the deviation |weight| that it should have. */
function withData(
  { weight, gain, runningVar }: LayerReport,
  batchVar: readonly number[],
): number[] {
  return gain!.flatMap((each, c) => {
    const made = Math.abs(each) * Math.sqrt(batchVar[c]!);
    const meant = Math.abs(weight?.[c] ?? 1);
    return runningVar![c]! >= 0 && meant > 0 && made > TOO_WIDE * meant && made > 1 ? [c] : [];
  });
}
