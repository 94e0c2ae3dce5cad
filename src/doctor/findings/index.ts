// Every finding, in the order of the documentation.
import type { Rule } from '../examined.js';
import { accumulationMomentum } from './accumulation-momentum.js';
import { batchOfOne } from './batch-of-one.js';
import { counterMissing } from './counter-missing.js';
import { deadChannel } from './dead-channel.js';
import { decayedBatchNorm } from './decayed-batchnorm.js';
import { doubleUpdate } from './double-update.js';
import { dropoutBeforeBatchNorm } from './dropout-before-batchnorm.js';
import { evaluatedInTrainingMode } from './evaluated-in-training-mode.js';
import { explodingGain } from './exploding-gain.js';
import { frozenButMoving } from './frozen-but-moving.js';
import { momentumConvention } from './momentum-convention.js';
import { movedInEvaluation } from './moved-in-evaluation.js';
import { negativeVariance } from './negative-variance.js';
import { neverTracked } from './never-tracked.js';
import { nonFiniteStatistics } from './non-finite-statistics.js';
import { raggedBatch } from './ragged-batch.js';
import { smallBatchStatistics } from './small-batch-statistics.js';
import { staleStatistics } from './stale-statistics.js';
import { statisticsDrift } from './statistics-drift.js';
import { thawedByTrain } from './thawed-by-train.js';
import { unusedLayer } from './unused-layer.js';

export const RULES: readonly Rule[] = [
  evaluatedInTrainingMode,
  neverTracked,
  smallBatchStatistics,
  momentumConvention,
  movedInEvaluation,
  staleStatistics,
  statisticsDrift,
  frozenButMoving,
  thawedByTrain,
  nonFiniteStatistics,
  negativeVariance,
  deadChannel,
  explodingGain,
  batchOfOne,
  raggedBatch,
  doubleUpdate,
  accumulationMomentum,
  dropoutBeforeBatchNorm,
  decayedBatchNorm,
  counterMissing,
  unusedLayer,
];
