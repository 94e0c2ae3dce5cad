// What the findings are made from: facts of the model, of the passes over the data, and of training.
import type { VarianceShift } from './dropout.js';
import type {
  CaseReport,
  Finding,
  FindingId,
  MendedBy,
  OutputDifference,
  Severity,
} from './report-types.js';
import type { ExaminedLayer } from './survey.js';

/** Something that `watch` has seen in one layer, by the id of the finding that it is. */
export interface TrainingEvent {
  readonly id: FindingId;
  readonly layer: string;
  readonly step: number;
  readonly numbers: Readonly<Record<string, number>>;
}

/** What the passes over the data have measured. */
export interface Measured {
  /** Samples of each batch, in order. */
  readonly batchSizes: readonly number[];
  /** Whether these are the batches of training. */
  readonly areTrainingBatches: boolean;
  readonly outputDifference: OutputDifference | null;
  readonly cases: readonly CaseReport[] | null;
  readonly accuracy: {
    readonly asFound: number | null;
    readonly evaluated: number | null;
    readonly recalibrated: number | null;
  };
  /** How surely recalibrating makes the model right more often: a standard score; null without labels. */
  readonly improvement: number | null;
  readonly shifts: ReadonlyMap<string, VarianceShift>;
  /** Layers whose input is the data themselves. */
  readonly onData: ReadonlySet<string>;
  /** Layers that are called more than once in a forward of the model, and how far apart the calls' inputs are. */
  readonly shared: ReadonlyMap<string, { readonly calls: number; readonly apart: number }>;
  /** Layers whose statistics are those of the training data that was given beside: what drifts is the data. */
  readonly agreesWithReference: ReadonlySet<string> | null;
}

export interface Examined {
  readonly source: 'model' | 'checkpoint' | 'training';
  /** What the model is about to do: predict, or learn. */
  readonly purpose: 'evaluation' | 'training';
  readonly layers: readonly ExaminedLayer[];
  /** The mode of the model itself. */
  readonly training: boolean | null;
  readonly measured: Measured | null;
  readonly events: readonly TrainingEvent[];
  /** Weight decay above 0 on weight or bias of these layers. */
  readonly decayed: ReadonlyMap<string, number>;
}

/** One kind of finding: how it is detected, and the words for its page. */
export interface Rule {
  readonly id: FindingId;
  /** The usual severity. */
  readonly severity: Severity;
  readonly mendedBy: MendedBy;
  /** What it is, in one sentence. */
  readonly what: string;
  /** Why it hurts, with numbers. */
  readonly why: string;
  /** How it is mended, in one or two sentences. */
  readonly how: string;
  detect(examined: Examined): FoundIn[];
}

/** A finding in one layer, before those with the same words are put together. */
export interface FoundIn {
  readonly layer: string | null;
  readonly severity?: Severity;
  readonly evidence: string;
  readonly cause: string;
  readonly mend: string;
  readonly measured?: Finding['measured'];
  readonly step?: number;
  /** The larger, the further up among findings of one severity. */
  readonly effect: number;
}

/** The events of one id. */
export function eventsOf({ events }: Examined, id: FindingId): readonly TrainingEvent[] {
  return events.filter((event) => event.id === id);
}

/** `model` or `model.getModule('1.bn')`-like: an expression for a layer in a line of code. */
export function accessOf(layer: string): string {
  return layer
    .split('.')
    .filter((name) => name !== '')
    .reduce((path, name) => path + (/^\d+$/.test(name) ? `.at(${name})` : `.${name}`), 'model');
}

export function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

/** Three significant digits. */
export function short(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : String(value);
}

/** `3, 17, 40 and 5 more`. */
export function channelList(channels: readonly number[]): string {
  const shown = channels.slice(0, 6).join(', ');
  return channels.length > 6 ? `${shown} and ${channels.length - 6} more` : shown;
}

export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : word.endsWith('ch') ? 'es' : 's'}`;
}
