import * as check from '../../check/index.js';
import { cosPi } from './cosine.js';
import { forEach, isByBeta, setMomentum, type Cycled } from './cycled.js';
import {
  BEGIN,
  CHECK,
  KEPT,
  optimizerOf,
  RATES,
  Schedule,
  type Common,
  type Scheduled,
  type SchedulerOptions,
} from './scheduler.js';
import type { Kept } from './state.js';

export interface OneCycleLROptions extends SchedulerOptions {
  /** The largest rate, of all groups or of each. */
  maxLr: number | readonly number[];
  /** Steps of the whole cycle. Or epochs and stepsPerEpoch. */
  totalSteps?: number | undefined;
  epochs?: number | undefined;
  stepsPerEpoch?: number | undefined;
  /** The part of the steps in which the rate rises, from 0 to 1. Default 0.3. */
  pctStart?: number | undefined;
  /** The form of the way. Default 'cos'. */
  annealStrategy?: 'cos' | 'linear' | undefined;
  /** Whether momentum, or the first of betas, moves against the rate. Default true. */
  cycleMomentum?: boolean | undefined;
  /** The least and largest momentum. Default 0.85 and 0.95. */
  baseMomentum?: number | readonly number[] | undefined;
  maxMomentum?: number | readonly number[] | undefined;
  /** The initial rate is maxLr / divFactor. Default 25. */
  divFactor?: number | undefined;
  /** The last rate is the initial one / finalDivFactor. Default 1e4. */
  finalDivFactor?: number | undefined;
  /** Fall as fast as it rose, then go to the last rate. Default false. */
  threePhase?: boolean | undefined;
}

const OPTIONS = [
  ...['maxLr', 'totalSteps', 'epochs', 'stepsPerEpoch', 'pctStart', 'annealStrategy'],
  ...['cycleMomentum', 'baseMomentum', 'maxMomentum', 'divFactor', 'finalDivFactor'],
  ...['threePhase', 'lastEpoch'],
];

interface Phase {
  end_step: number;
  start_lr: string;
  end_lr: string;
  start_momentum: string;
  end_momentum: string;
}

interface Own extends Kept {
  total_steps: number;
  _schedule_phases: Phase[];
  _anneal_func_type: string;
  cycle_momentum: boolean;
}

/** The fields of a group, by PyTorch's names in a phase. */
const FIELDS: Readonly<
  Record<string, 'initialLr' | 'maxLr' | 'minLr' | 'maxMomentum' | 'baseMomentum'>
> = {
  initial_lr: 'initialLr',
  max_lr: 'maxLr',
  min_lr: 'minLr',
  max_momentum: 'maxMomentum',
  base_momentum: 'baseMomentum',
};

/**
 * One cycle (Smith & Topin 2018): the rate rises from maxLr / divFactor to maxLr and falls to the last rate, momentum
 * moves against it. Step it after every batch; step totalSteps + 1 is an error.
 *
 * Bounds are kept in the groups (`maxLr`, `minLr`, `maxMomentum`, `baseMomentum`), as in PyTorch.
 *
 * @throws {RangeError | TypeError} for an option that is none; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.Adam([new nn.Parameter(tensor([1]))]);
 * const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, { maxLr: 0.5, totalSteps: 10 });
 * optimizer.paramGroups[0].lr.toFixed(4); // => '0.0200'
 * optimizer.paramGroups[0].betas; // => [0.95, 0.999]
 * optimizer.step();
 * scheduler.step();
 * optimizer.paramGroups[0].lr.toFixed(2); // => '0.26'
 * ```
 */
export class OneCycleLR extends Schedule<Own> {
  constructor(optimizer: Scheduled, options: OneCycleLROptions) {
    const who = 'OneCycleLR';
    check.requiredOptions(who, options, OPTIONS);
    const { paramGroups } = optimizerOf(who, optimizer);
    const { pctStart = 0.3, annealStrategy = 'cos', cycleMomentum = true } = options;
    const { divFactor = 25, finalDivFactor = 1e4, threePhase = false, lastEpoch = -1 } = options;
    const { baseMomentum = 0.85, maxMomentum = 0.95 } = options;
    const total = stepsOf(who, options);
    check.numberBetween(who, 'pctStart', pctStart, 0, 1);
    check.oneOf(who, 'annealStrategy', annealStrategy, ['cos', 'linear']);
    check.boolean(who, 'cycleMomentum', cycleMomentum);
    check.numberBetween(who, 'divFactor', divFactor, Number.MIN_VALUE, Infinity);
    check.numberBetween(who, 'finalDivFactor', finalDivFactor, Number.MIN_VALUE, Infinity);
    check.boolean(who, 'threePhase', threePhase);
    check.wholeNumber(who, 'lastEpoch', lastEpoch, -1);
    const rates = forEach(who, 'maxLr', options.maxLr, paramGroups.length, Infinity);
    const low = forEach(who, 'baseMomentum', baseMomentum, paramGroups.length, 1 - Number.EPSILON);
    const high = forEach(who, 'maxMomentum', maxMomentum, paramGroups.length, 1 - Number.EPSILON);
    const byBeta = isByBeta(who, paramGroups, cycleMomentum);
    const own: Own = {
      total_steps: total,
      _schedule_phases: phasesOf(pctStart, total, threePhase),
      _anneal_func_type: annealStrategy,
      cycle_momentum: cycleMomentum,
      ...(cycleMomentum ? { use_beta1: byBeta } : {}),
    };
    if (lastEpoch === -1) begin();
    super(who, optimizer, own, lastEpoch);
    this[BEGIN]();

    function begin(): void {
      paramGroups.forEach((group: Cycled, i) => {
        group.initialLr = rates[i]! / divFactor;
        group.maxLr = rates[i]!;
        group.minLr = group.initialLr / finalDivFactor;
        if (!cycleMomentum) return;
        setMomentum(group, byBeta, high[i]!);
        group.maxMomentum = high[i]!;
        group.baseMomentum = low[i]!;
      });
    }
  }

  override [CHECK](who: string, kept: Own & Common): void {
    check.wholeNumber(who, 'totalSteps', kept.total_steps, 1);
    check.oneOf(who, 'annealStrategy', kept._anneal_func_type, ['cos', 'linear']);
    for (const phase of kept._schedule_phases) {
      check.numberBetween(who, 'end_step', phase.end_step, -2, Infinity);
      for (const name of ['start_lr', 'end_lr', 'start_momentum', 'end_momentum'] as const) {
        check.oneOf(who, name, phase[name], Object.keys(FIELDS));
      }
    }
  }

  override [RATES](): number[] {
    const { last_epoch: step, total_steps: total, cycle_momentum, use_beta1 } = this[KEPT];
    const who = 'OneCycleLR.step';
    if (step > total) {
      const most = `at most ${total} steps (Tried to step ${step} times. The specified number of total steps is ${total})`;
      throw check.wrongValue(who, most, String(step));
    }
    const groups = this.optimizer.paramGroups as Cycled[];
    for (const [i, group] of groups.entries()) {
      const names = ['initialLr', 'maxLr', 'minLr'] as const;
      const moved = cycle_momentum ? (['maxMomentum', 'baseMomentum'] as const) : [];
      for (const name of [...names, ...moved]) {
        check.numberBetween(who, `${name} of paramGroups[${i}]`, group[name], 0, Infinity);
      }
    }
    const [phase, part] = this.#place(step);
    const linear = this[KEPT]._anneal_func_type === 'linear';
    if (cycle_momentum) {
      for (const group of groups) {
        const [from, to] = [
          group[FIELDS[phase.start_momentum]!],
          group[FIELDS[phase.end_momentum]!],
        ];
        setMomentum(group, use_beta1 === true, anneal(from!, to!, part, linear));
      }
    }
    return groups.map((group) =>
      anneal(group[FIELDS[phase.start_lr]!]!, group[FIELDS[phase.end_lr]!]!, part, linear),
    );
  }

  /** The phase of a step, and how much of it is behind. */
  #place(step: number): readonly [Phase, number] {
    const phases = this[KEPT]._schedule_phases;
    let start = 0;
    for (const phase of phases.slice(0, -1)) {
      if (step <= phase.end_step) return [phase, partOf(step, start, phase.end_step)];
      start = phase.end_step;
    }
    const last = phases.at(-1)!;
    return [last, partOf(step, start, last.end_step)];
  }
}

/** A phase of no steps is at its end. */
function partOf(step: number, start: number, end: number): number {
  return end === start ? 1 : (step - start) / (end - start);
}

function anneal(start: number, end: number, part: number, linear: boolean): number {
  if (linear) return (end - start) * part + start;
  // Past the last step the wave would rise again; what rounding takes below 0 is 0.
  return Math.max(0, end + ((start - end) / 2) * (cosPi(part) + 1));
}

function phasesOf(pctStart: number, total: number, three: boolean): Phase[] {
  const rise: Phase = {
    end_step: pctStart * total - 1,
    start_lr: 'initial_lr',
    end_lr: 'max_lr',
    start_momentum: 'max_momentum',
    end_momentum: 'base_momentum',
  };
  const fall: Phase = {
    end_step: three ? 2 * pctStart * total - 2 : total - 1,
    start_lr: 'max_lr',
    end_lr: three ? 'initial_lr' : 'min_lr',
    start_momentum: 'base_momentum',
    end_momentum: 'max_momentum',
  };
  const end: Phase = {
    end_step: total - 1,
    start_lr: 'initial_lr',
    end_lr: 'min_lr',
    start_momentum: 'max_momentum',
    end_momentum: 'max_momentum',
  };
  return three ? [rise, fall, end] : [rise, fall];
}

function stepsOf(who: string, { totalSteps, epochs, stepsPerEpoch }: OneCycleLROptions): number {
  if (totalSteps !== undefined) return check.wholeNumber(who, 'totalSteps', totalSteps, 1);
  if (epochs === undefined || stepsPerEpoch === undefined) {
    throw new TypeError(`${who}: expected totalSteps, or epochs and stepsPerEpoch, got neither.`);
  }
  const count = check.wholeNumber(who, 'epochs', epochs, 1);
  return count * check.wholeNumber(who, 'stepsPerEpoch', stepsPerEpoch, 1);
}
