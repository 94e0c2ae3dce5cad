import { accessOf, type Rule } from '../examined.js';

export const counterMissing: Rule = {
  id: 'counter-missing',
  severity: 'note',
  mendedBy: 'file',
  what: 'The layer has running statistics and no num_batches_tracked.',
  why: 'Files of PyTorch before 0.4.1 and converted ones lack it. With a momentum nothing depends on it. With momentum null the average of all batches cannot go on: the statistics stay where they are.',
  how: 'Register the counter; a strict load asks for it.',
  detect({ layers, source }) {
    return layers
      .filter(
        ({ report }) =>
          report.hasRunningStatistics &&
          report.numBatchesTracked === null &&
          report.kind !== 'FrozenBatchNorm1d',
      )
      .map(({ report: { name, momentum } }) => ({
        layer: name,
        severity: momentum === 'cumulative' ? ('error' as const) : ('note' as const),
        effect: 1,
        evidence:
          'There is no num_batches_tracked beside running_mean and running_var.' +
          (momentum === 'cumulative' ? ' momentum is null: training does not move them.' : ''),
        cause:
          source === 'checkpoint'
            ? 'The file is of PyTorch before 0.4.1, or was converted.'
            : 'The buffer was removed.',
        mend:
          source === 'checkpoint'
            ? 'model.loadStateDict(state, { strict: false }); // the counter starts at 0'
            : `${accessOf(name)}.registerBuffer('num_batches_tracked', tensor([0], { dtype: 'int64' }));`,
      }));
  },
};
