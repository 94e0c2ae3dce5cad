// What the doctor's report says: plain data, from which text, JSON, HTML and annotations are made. The code that
// fills it in is beside this file, the code that shows it is in report/. Nothing here has behaviour.

/** What a finding can be called: stable names, one page each in the documentation. */
export type FindingId =
  | 'evaluated-in-training-mode'
  | 'never-tracked'
  | 'small-batch-statistics'
  | 'momentum-convention'
  | 'moved-in-evaluation'
  | 'stale-statistics'
  | 'frozen-but-moving'
  | 'thawed-by-train'
  | 'non-finite-statistics'
  | 'negative-variance'
  | 'dead-channel'
  | 'exploding-gain'
  | 'batch-of-one'
  | 'ragged-batch'
  | 'double-update'
  | 'accumulation-momentum'
  | 'dropout-before-batchnorm'
  | 'decayed-batchnorm'
  | 'counter-missing'
  | 'statistics-drift'
  | 'unused-layer';

/** 'error': results are wrong. 'warning': they are probably worse than they could be. 'note': worth knowing. */
export type Severity = 'error' | 'warning' | 'note';

/**
 * What mends a finding: `'file'`: `mendCheckpoint`, from the file alone; `'data'`: `mendCheckpoint` with the model and
 * training data, which recomputes the statistics; `'code'`: only a change of the program, as its line of code says.
 */
export type MendedBy = 'file' | 'data' | 'code';

/** One thing that is wrong, in one layer or in the whole model. */
export interface Finding {
  readonly id: FindingId;
  readonly severity: Severity;
  /** Path of the layer, as in `namedModules()`; '' is the model itself. Null: the model as a whole. */
  readonly layer: string | null;
  /** Other layers that have the same finding: they are not repeated as findings of their own. */
  readonly alsoIn: readonly string[];
  /** What was measured, with the numbers, in one or two sentences. */
  readonly evidence: string;
  /** Why that is so, in one or two sentences. */
  readonly cause: string;
  /** One line of code that mends it. */
  readonly mend: string;
  /** The measured numbers by name, for programs. Names are stable for an id. */
  readonly measured: Readonly<Record<string, number | string | readonly number[]>>;
  /** The training step at which `watch` saw it, counted from 1; null elsewhere. */
  readonly step: number | null;
}

/** One number per channel. NaN and infinities are possible; JSON has them as strings. */
export type PerChannel = readonly number[];

/** An estimate per channel, and the bounds that hold it with 99 % confidence in all channels of the layer at once. */
export interface Estimate {
  readonly value: PerChannel;
  readonly low: PerChannel;
  readonly high: PerChannel;
}

/** How far the running statistics are from those of the data that was given. */
export interface Drift {
  /** (batch mean - running mean) / sqrt(running var + eps): in standard deviations. 0 is none. */
  readonly meanShift: Estimate;
  /** ln((batch var + eps) / (running var + eps)), the batch's unbiased. 0 is none. */
  readonly logVarianceRatio: Estimate;
  /** Standard score of the mean's shift: the shift divided by its standard error. */
  readonly z: PerChannel;
  /** Channels whose shift or ratio is more than noise, after Holm's correction for the number of channels. */
  readonly driftedChannels: readonly number[];
  /** Root mean square over the channels of the standardised error that drift makes in the output. */
  readonly size: number;
}

/** Drift at one moment of training, as `watch` has seen it. */
export interface HistoryPoint {
  /** Training step, counted from 1. */
  readonly step: number;
  /** Root mean square over channels of (batch mean - running mean) / sqrt(running var + eps). */
  readonly meanShift: number;
  /** Root mean square over channels of ln((batch var + eps) / (running var + eps)). */
  readonly logVarianceRatio: number;
  /** What both would be if nothing but the sampling of batches moved them. */
  readonly expectedMeanShift: number;
  readonly expectedLogVarianceRatio: number;
}

/** One BatchNorm layer. What a checkpoint does not say is null. */
export interface LayerReport {
  /** Path as in `namedModules()`; '' where the layer is the model itself. */
  readonly name: string;
  /** Name of the class, such as 'BatchNorm1d'; from a file 'BatchNorm'. */
  readonly kind: string;
  readonly numFeatures: number;
  /** Whether it is in training mode. */
  readonly training: boolean | null;
  /** Whether `freeze()` holds, or it is a FrozenBatchNorm1d. */
  readonly frozen: boolean | null;
  /** Which statistics normalise in the mode that it is in. */
  readonly normalizesBy: 'batch' | 'running' | null;
  /** Whether a forward in the mode that it is in moves the running statistics. */
  readonly statisticsMove: boolean | null;
  /** Whether there are running statistics. */
  readonly hasRunningStatistics: boolean;
  /** num_batches_tracked; null where the counter is missing. */
  readonly numBatchesTracked: number | null;
  /** 0 to 1; 'cumulative' for momentum null; null: not known. */
  readonly momentum: number | 'cumulative' | null;
  /** How many batches the running statistics remember: 1 / momentum, at most the batches tracked. */
  readonly memoryInBatches: number | null;
  readonly eps: number | null;
  /** How often the data that was given went through it. */
  readonly forwards: number | null;
  /** Values per channel of the smallest and the largest batch, N or N · L. */
  readonly valuesPerChannel: { readonly smallest: number; readonly largest: number } | null;
  readonly weight: PerChannel | null;
  readonly bias: PerChannel | null;
  readonly runningMean: PerChannel | null;
  readonly runningVar: PerChannel | null;
  /** Of all the data that was given; variance unbiased. */
  readonly batchMean: PerChannel | null;
  readonly batchVar: PerChannel | null;
  /** weight / sqrt(running var + eps): what evaluation multiplies by. */
  readonly gain: PerChannel | null;
  readonly drift: Drift | null;
  /** From `watch`: at most 500 points, evenly thinned. */
  readonly history: readonly HistoryPoint[] | null;
}

/** How much the outputs of the model differ between its two modes, on the same data. */
export interface OutputDifference {
  /** Largest and root mean square |y(batch statistics) - y(running statistics)|. */
  readonly largest: number;
  readonly rms: number;
  /** The root mean square, in parts of the standard deviation of y(running statistics). */
  readonly relative: number;
  /** Part of the samples whose largest output is another one; null where there are no classes. */
  readonly otherClass: number | null;
}

/** One of the four cases of `training` x `trackRunningStats`, on the same weights and data. */
export interface CaseReport {
  readonly training: boolean;
  readonly trackRunningStats: boolean;
  readonly normalizesBy: 'batch' | 'running';
  readonly batchSize: number;
  /** 0 to 1; null where it could not be had, such as a batch of one by its own statistics. */
  readonly accuracy: number | null;
}

/** What examining has found. */
export interface ReportData {
  /** Version of this form; grows when a field changes its meaning or goes. */
  readonly version: 1;
  readonly source: 'model' | 'checkpoint' | 'training';
  /** The model's class, or the file's name; '' where there is none. */
  readonly subject: string;
  /** Whether there is neither an error nor a warning. Notes do not count. */
  readonly healthy: boolean;
  /** Errors first, then warnings, then notes; layers of one finding by the size of its effect. */
  readonly findings: readonly Finding[];
  readonly layers: readonly LayerReport[];
  /** Samples and batches of the data that was given. */
  readonly data: { readonly samples: number; readonly batches: number } | null;
  readonly outputDifference: OutputDifference | null;
  /** Null without labels. */
  readonly cases: readonly CaseReport[] | null;
  /** The accuracy of the model as it was found, and with its statistics recomputed from the data given. */
  readonly accuracy: {
    readonly asFound: number | null;
    readonly recalibrated: number | null;
  } | null;
  /** Training steps that `watch` has seen. */
  readonly steps: number | null;
}

/** `ReportData`, and the ways to show it. */
export interface Report extends ReportData {
  /** For a terminal: at most 80 columns. */
  toString(): string;
  /** What `JSON.stringify` takes: the data, with NaN and infinities as strings. */
  toJSON(): unknown;
  /** One page with charts that needs nothing else: neither a script nor the network. */
  toHTML(): string;
}
