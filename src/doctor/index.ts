// The doctor's door: `evenkeel/doctor`.
export { diagnose, type DecayingOptimizer, type DiagnoseOptions } from './diagnose.js';
export {
  diagnoseCheckpoint,
  type CheckpointSource,
  type DiagnoseCheckpointOptions,
} from './checkpoint.js';
export { watch, type Watch, type WatchOptions } from './watch.js';
export { recalibrate, type RecalibrateOptions } from './recalibrate.js';
export { mendCheckpoint, type MendOptions, type MendResult } from './mend.js';
export { FINDINGS, type FindingText } from './texts.js';
export type { BatchOptions } from './batches.js';
export type {
  CaseReport,
  Drift,
  Estimate,
  Finding,
  FindingId,
  HistoryPoint,
  LayerReport,
  MendedBy,
  OutputDifference,
  PerChannel,
  Report,
  ReportData,
  Severity,
} from './report-types.js';
