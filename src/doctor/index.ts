// The doctor's door: `evenkeel/doctor`.
export { diagnose, type DecayingOptimizer, type DiagnoseOptions } from './diagnose.js';
export type { BatchOptions } from './batches.js';
export type {
  CaseReport,
  Drift,
  Estimate,
  Finding,
  FindingId,
  HistoryPoint,
  LayerReport,
  OutputDifference,
  PerChannel,
  Report,
  ReportData,
  Severity,
} from './report-types.js';
