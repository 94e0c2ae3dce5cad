// Two facts that several findings ask for.
import type { Examined } from '../examined.js';
import type { LayerReport } from '../report-types.js';

/** Whether the running statistics are those that a layer is made with. */
export function isInitial({ kind, runningMean, runningVar }: LayerReport): boolean {
  if (runningMean === null || runningVar === null || kind === 'FrozenBatchNorm1d') return false;
  return runningMean.every((each) => each === 0) && runningVar.every((each) => each === 1);
}

/** Whether no data has reached it, though it has reached others. */
export function isUnused(report: LayerReport, { layers, source }: Examined): boolean {
  const others = layers.map((each) => each.report);
  if (source === 'checkpoint') {
    return (
      isInitial(report) &&
      report.numBatchesTracked === 0 &&
      others.some((each) => (each.numBatchesTracked ?? 0) > 0)
    );
  }
  return report.forwards === 0 && others.some((each) => (each.forwards ?? 0) > 0);
}
