import { eventsOf, short, type Rule } from '../examined.js';

export const raggedBatch: Rule = {
  id: 'ragged-batch',
  severity: 'warning',
  mendedBy: 'code',
  what: 'A last batch is so small that its noise outweighs all other batches’ in the running statistics.',
  why: 'Every batch has the weight momentum, however few samples it has, and evaluation comes right after the last one. Its noise exceeds that of all others below momentum · (2 - momentum) of their size: 19 % at 0.1.',
  how: 'Leave the last batch out (`dropLast: true`), or let the batches be of one size.',
  detect(examined) {
    const make = (layer: string, last: number, usual: number, step?: number) => ({
      layer,
      ...(step === undefined ? {} : { step }),
      effect: usual / last,
      evidence: `The last batch has ${last} values per channel, the others ${short(usual)}.`,
      cause: 'The number of samples is no multiple of the batch size.',
      mend: 'new data.DataLoader(dataset, { batchSize, shuffle: true, dropLast: true });',
      measured: { last, usual },
    });
    const seen = eventsOf(examined, this.id).map(({ layer, step, numbers }) =>
      make(layer, numbers['last'] ?? 0, numbers['usual'] ?? 0, step),
    );
    const { measured, layers } = examined;
    if (measured?.areTrainingBatches !== true) return seen;
    return [
      ...seen,
      ...layers
        .filter(({ report }) => report.frozen === false && report.hasRunningStatistics)
        .filter(({ report: { momentum, valuesPerChannel } }) => {
          if (typeof momentum !== 'number' || valuesPerChannel === null) return false;
          return isRagged(valuesPerChannel.smallest, valuesPerChannel.largest, momentum);
        })
        .map(({ report: { name, valuesPerChannel } }) =>
          make(name, valuesPerChannel!.smallest, valuesPerChannel!.largest),
        ),
    ];
  },
};

/**
 * Variance of the running mean, σ² the variance of a value: momentum² σ² / last from the last batch,
 * momentum / (2 - momentum) σ² / usual from all others.
 */
export function isRagged(last: number, usual: number, momentum: number): boolean {
  return last > 1 && momentum > 0 && last < momentum * (2 - momentum) * usual;
}
