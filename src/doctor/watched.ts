// What `watch` keeps of one layer from forward to forward, and what it concludes from the next one. A forward costs
// a few comparisons and one pass over the channels.
import type { BatchNorm } from '../nn/batchnorm/layer.js';
import type { SeenForward } from '../nn/batchnorm/sink.js';
import { floats } from '../tensor/tensor.js';
import type { TrainingEvent } from './examined.js';
import { isRagged } from './findings/ragged-batch.js';
import { History } from './history.js';

/** What the model is doing when a forward of a layer is seen. */
export interface Moment {
  /** Training steps so far. */
  readonly step: number;
  /** Times that gradients have been added up since that step. */
  readonly backwards: number;
  readonly gradients: boolean;
  /** The mode of the model itself. */
  readonly modelTraining: boolean;
}

type Numbers = TrainingEvent['numbers'];

/** A model that learns in evaluation mode does so for an epoch; by mistake it is seen after so many steps. */
const LEARNING_BY_RUNNING = 10;
/** So many forwards with gradients, and none without, make a loop that trains: one without is then an evaluation. */
const TRAINS = 8;
/** Two backwards a step are those of a GAN, on real and made up data. */
const MICRO_BATCHES = 3;
const STEPS_IN_A_ROW = 3;
const COMPARED = 16;

export class WatchedLayer {
  forwards = 0;
  /** The step whose batch was not finite: told when the next forward finds that nobody has taken it back. */
  private poisonedAt = -1;
  readonly history = new History();
  private fingerprint = NaN;
  private fingerprintStep = -1;
  private times = 1;
  private withGradients = 0;
  private held: boolean;
  private byRunningAt = -1;
  private byRunning = 0;
  private backwardsStep = -1;
  private backwardsInStep = 0;
  private accumulating = 0;
  private usual = 0;
  private usualTimes = 0;

  constructor(
    readonly layer: BatchNorm,
    readonly name: string,
    modelTraining: boolean,
    private readonly tell: (
      id: TrainingEvent['id'],
      layer: string,
      numbers: Numbers,
      step?: number,
    ) => void,
  ) {
    this.held = modelTraining && !layer.training && !layer.frozen;
  }

  see(seen: SeenForward<BatchNorm>, moment: Moment): void {
    this.forwards++;
    this.tellOfPoison();
    this.learnedByRunning(seen, moment);
    if (seen.moved) this.moved(seen, moment);
    else if (seen.normalizedBy === 'running' && moment.gradients && moment.modelTraining) {
      this.held ||= !seen.training && !this.layer.frozen;
    }
    if (moment.gradients) this.withGradients++;
  }

  /** A rollback may have taken the batch out again. */
  tellOfPoison(): void {
    if (this.poisonedAt < 0) return;
    const { runningMean, runningVar } = this.layer;
    const isFinite = [runningMean, runningVar].every(
      (each) => each === null || floats(each).every(Number.isFinite),
    );
    if (!isFinite) this.tell('non-finite-statistics', this.name, {}, this.poisonedAt);
    this.poisonedAt = -1;
  }

  private say(id: TrainingEvent['id'], numbers: Numbers = {}): void {
    this.tell(id, this.name, numbers);
  }

  /** The running statistics have moved. */
  private moved(seen: SeenForward<BatchNorm>, moment: Moment): void {
    const { moments, count } = seen;
    if (moments === null) return;
    if (seen.nonFinite !== null && this.poisonedAt < 0) this.poisonedAt = moment.step;
    if (this.held) this.say('thawed-by-train');
    this.held = false;
    this.inEvaluation(seen, moment);
    if (moment.gradients) this.sizes(count);
    this.twice(moments.rows, moment.step);
    this.accumulation(moment);
    const { runningMean, runningVar, momentum, eps } = this.layer;
    if (runningMean === null || runningVar === null || !moment.gradients) return;
    const lasting = this.history.add(moment.step + 1, {
      rows: moments.rows,
      count,
      runningMean: floats(runningMean),
      runningVar: floats(runningVar),
      momentum: momentum ?? 1 / Math.max(1, this.layer.numBatchesTracked),
      eps,
    });
    if (lasting !== null) this.say('statistics-drift', lasting);
  }

  private inEvaluation({ count }: SeenForward<BatchNorm>, moment: Moment): void {
    const modelTraining = Number(moment.modelTraining);
    if (!moment.modelTraining) this.say('moved-in-evaluation', { modelTraining, count });
    if (moment.gradients) return;
    if (this.withGradients >= TRAINS && moment.modelTraining) {
      this.say('evaluated-in-training-mode', { count });
      this.say('moved-in-evaluation', { modelTraining, count });
    }
    this.withGradients = 0;
  }

  /** The same moments again before the weights have moved: the same batch. */
  private twice(rows: Float64Array, step: number): void {
    // Mean and variance of the first channels: two batches do not have them in common by chance.
    const channels = rows.length / 4;
    let sum = 0;
    for (let c = 0; c < Math.min(channels, COMPARED); c++) {
      sum += (1 + c) * (rows[c]! + rows[3 * channels + c]!);
    }
    const again = sum === this.fingerprint && step === this.fingerprintStep && sum !== 0;
    this.times = again ? this.times + 1 : 1;
    this.fingerprint = sum;
    this.fingerprintStep = step;
    if (again) this.say('double-update', { times: this.times });
  }

  private accumulation({ step, backwards }: Moment): void {
    if (step !== this.backwardsStep) {
      // The last backward of a step is before step(), and seen by nobody.
      const whole = this.backwardsInStep + 1;
      this.accumulating = whole >= MICRO_BATCHES ? this.accumulating + 1 : 0;
      if (this.accumulating >= STEPS_IN_A_ROW) {
        this.say('accumulation-momentum', {
          backwards: whole,
          momentum: this.layer.momentum ?? 0,
        });
      }
      this.backwardsStep = step;
    }
    this.backwardsInStep = backwards;
  }

  private sizes(count: number): void {
    const { momentum } = this.layer;
    if (count === this.usual) this.usualTimes++;
    if (count === 1 && this.usual > 1) this.say('batch-of-one', { usual: this.usual });
    const ragged = momentum !== null && isRagged(count, this.usual, momentum);
    if (ragged && this.usualTimes >= STEPS_IN_A_ROW) {
      this.say('ragged-batch', { last: count, usual: this.usual });
    }
    if (count <= this.usual) return;
    this.usual = count;
    this.usualTimes = 0;
  }

  /** Steps whose forward went by running statistics, although the layer learns and the model was not told to train. */
  private learnedByRunning(seen: SeenForward<BatchNorm>, moment: Moment): void {
    if (this.byRunningAt >= 0 && moment.step > this.byRunningAt) this.byRunning++;
    this.byRunningAt = -1;
    if (seen.moved) this.byRunning = 0;
    if (seen.normalizedBy !== 'running' || !moment.gradients || moment.modelTraining) return;
    const { weight, frozen } = this.layer;
    if (frozen || weight?.requiresGrad === false) return;
    this.byRunningAt = moment.step;
    if (this.byRunning >= LEARNING_BY_RUNNING) {
      this.say('stale-statistics', { steps: this.byRunning });
    }
  }
}
