// diagnose: a model as it is, with data or without.
import * as check from '../check/index.js';
import type { Module } from '../nn/module/module.js';
import { batchNormsOf } from '../nn/batchnorm/virtual-batch.js';
import type { Parameter } from '../tensor/tensor.js';
import {
  BATCH_OPTIONS,
  checkBatchOptions,
  isAsync,
  readBatches,
  readBatchesLater,
  type BatchOptions,
  type GivenBatch,
} from './batches.js';
import type { Examined } from './examined.js';
import { leavingNoTrace } from './kept.js';
import { measure } from './measure.js';
import { findingsOf, isHealthy, reportFrom } from './report.js';
import type { Report } from './report-types.js';
import { surveyOf, type ExaminedLayer } from './survey.js';

/** What the doctor asks of an optimizer: those of `optim` have it. */
export interface DecayingOptimizer {
  readonly paramGroups: readonly {
    readonly params: readonly Parameter[];
    readonly weightDecay?: number | undefined;
  }[];
}

export interface DiagnoseOptions<Batch> extends BatchOptions<Batch> {
  /**
   * What the model is about to do: predict ('evaluation', default), where a layer in training mode is a finding, or
   * learn ('training'), where it is not and the batches are judged as those of training.
   */
  purpose?: 'evaluation' | 'training' | undefined;
  /** Batches of the training data: tells data that have changed from weights that have moved on. */
  reference?: Iterable<Batch> | undefined;
  /** Samples in a batch of training: how noisy running statistics are. Default: 16, or the loader's if smaller. */
  trainingBatchSize?: number | undefined;
  /** Looked at for weight decay. */
  optimizer?: DecayingOptimizer | undefined;
}

const WHO = 'diagnose';

/**
 * Examines every BatchNorm below `model`: mode, what normalises, whether statistics move, and, with data, how far the
 * running statistics are from those of the data, what the two modes make of them, and, with labels, the accuracy of
 * the four cases. The data go through the model six to nine times, without gradients. Afterwards the model is what it was to the
 * bit: modes, buffers, gradients, hooks; the random stream too. Also when something throws.
 *
 * @param loader - Batches: Tensors, what `Tensor.from` takes, or arrays `[x, labels, …]`. Where they arrive
 * asynchronously the result is a promise. Without it only the state is examined.
 * @throws {TypeError | RangeError} for a model, loader or option of another kind, and whatever the model throws.
 * @example
 * ```ts
 * const model = new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2)).eval();
 * const report = diagnose(model);
 * report.healthy; // => false
 * report.findings[0]?.id; // => 'never-tracked'
 * ```
 */
export function diagnose<Batch>(
  model: Module,
  loader?: Iterable<Batch>,
  options?: DiagnoseOptions<Batch>,
): Report;
export function diagnose<Batch>(
  model: Module,
  loader: AsyncIterable<Batch>,
  options?: DiagnoseOptions<Batch>,
): Promise<Report>;
export function diagnose<Batch>(
  model: Module,
  loader?: Iterable<Batch> | AsyncIterable<Batch>,
  options: DiagnoseOptions<Batch> = {},
): Report | Promise<Report> {
  checkOptions(options);
  batchNormsOf(WHO, model);
  if (loader === undefined) return conclude(model, surveyOf(model), null, options);
  if (isAsync<Batch>(loader)) {
    return readBatchesLater(WHO, loader, options).then((batches) =>
      examine(model, () => batches, options),
    );
  }
  return examine(model, () => readBatches(WHO, loader, options), options);
}

function checkOptions<Batch>(options: DiagnoseOptions<Batch>): void {
  check.options(WHO, options, [
    ...BATCH_OPTIONS,
    'purpose',
    'reference',
    'trainingBatchSize',
    'optimizer',
  ]);
  checkBatchOptions(WHO, options);
  if (options.purpose !== undefined) {
    check.oneOf(WHO, 'purpose', options.purpose, ['evaluation', 'training']);
  }
  if (options.trainingBatchSize !== undefined) {
    check.wholeNumber(WHO, 'trainingBatchSize', options.trainingBatchSize, 1);
  }
  checkOptimizer(WHO, options.optimizer);
}

export function checkOptimizer(who: string, optimizer: unknown): void {
  if (optimizer === undefined) return;
  const groups: unknown =
    typeof optimizer === 'object' && optimizer !== null && 'paramGroups' in optimizer
      ? optimizer.paramGroups
      : undefined;
  if (!Array.isArray(groups)) throw check.wrongKind(who, 'an optimizer', optimizer);
}

function examine<Batch>(
  model: Module,
  read: () => readonly GivenBatch[],
  options: DiagnoseOptions<Batch>,
): Report {
  const survey = surveyOf(model);
  const { reference } = options;
  const { measured, layers, batches } = leavingNoTrace(model, () => {
    const given = read();
    const measurement = measure({
      model,
      layers: survey,
      batches: given,
      reference: reference === undefined ? null : readBatches(WHO, reference, options),
      trainingBatch: options.trainingBatchSize ?? null,
      areTrainingBatches: options.purpose === 'training',
    });
    return { ...measurement, batches: given };
  });
  return conclude(model, layers, { measured, batches }, options);
}

function conclude<Batch>(
  model: Module,
  layers: readonly ExaminedLayer[],
  data: { measured: Examined['measured']; batches: readonly GivenBatch[] } | null,
  options: DiagnoseOptions<Batch>,
): Report {
  const measured = data?.measured ?? null;
  const findings = findingsOf({
    source: 'model',
    purpose: options.purpose ?? 'evaluation',
    layers,
    training: model.training,
    measured,
    events: [],
    decayed: decayedOf(layers, options.optimizer),
  });
  return reportFrom({
    version: 1,
    source: 'model',
    subject: model.constructor.name,
    healthy: isHealthy(findings),
    findings,
    layers: layers.map(({ report }) => report),
    data:
      data === null
        ? null
        : {
            samples: data.batches.reduce((sum, { samples }) => sum + samples, 0),
            batches: data.batches.length,
          },
    outputDifference: measured?.outputDifference ?? null,
    cases: measured?.cases ?? null,
    accuracy:
      measured === null || measured.cases === null
        ? null
        : { asFound: measured.accuracy.asFound, recalibrated: measured.accuracy.recalibrated },
    steps: null,
  });
}

/** Weight decay on weight or bias, by layer. */
export function decayedOf(
  layers: readonly ExaminedLayer[],
  optimizer: DecayingOptimizer | undefined,
): Map<string, number> {
  const decayed = new Map<string, number>();
  for (const { params, weightDecay = 0 } of optimizer?.paramGroups ?? []) {
    if (weightDecay === 0) continue;
    for (const { module, report } of layers) {
      const own: unknown[] = [module?.weight, module?.bias];
      if (params.some((each) => each.requiresGrad && own.includes(each))) {
        decayed.set(report.name, weightDecay);
      }
    }
  }
  return decayed;
}
