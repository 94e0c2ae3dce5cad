// Which statistics of a BatchNorm normalise, which move, and what is learned: by `training`, by choice, or frozen.
import * as check from '../../check/index.js';
import type { ModuleRecord } from '../../tensor/state-dict.js';
import { NORMALIZES_BY_RUNNING, MODULE_RECORD, UPDATES, WITH_BIAS } from '../module/internals.js';
import * as internals from '../module/internals.js';
import { pythonBoolean, pythonFloat } from '../module/repr.js';
import type { FreezeOptions } from './options.js';
import { AFFINE_PARAMETERS, BatchNormState, REQUIRE_RUNNING } from './state.js';

// Constants of this file for what each forward reads: the CommonJS build looks an import up at each use.
const WHO: typeof internals.WHO = internals.WHO;
const CHANNELS: typeof internals.CHANNELS = internals.CHANNELS;

const NORMALIZING = Symbol('normalizing');
const UPDATING = Symbol('updating');
const LEARNED = Symbol('learned');

/** BatchNorm1d, 2d and 3d, but for what a forward computes. */
export abstract class BatchNormMode extends BatchNormState {
  private [NORMALIZING]: 'auto' | 'batch' | 'running' = 'auto';
  private [UPDATING]: 'auto' | boolean = 'auto';
  /** Frozen: what freeze() has stopped learning. */
  private [LEARNED]: { readonly weight: boolean; readonly bias: boolean } | null = null;

  /**
   * Which statistics normalise: 'auto' (default), the batch's in training and the running ones in
   * evaluation; 'batch' or 'running', whatever `training` says.
   *
   * @throws {RangeError} for 'running' without running statistics.
   */
  get normalizeBy(): 'auto' | 'batch' | 'running' {
    return this[NORMALIZING];
  }

  set normalizeBy(value: 'auto' | 'batch' | 'running') {
    check.oneOf(this[WHO], 'normalizeBy', value, ['auto', 'batch', 'running']);
    if (value === 'running') this[REQUIRE_RUNNING]('to normalise by');
    this[NORMALIZING] = value;
  }

  /**
   * Whether forward moves the running statistics: 'auto' (default), in training where they are tracked;
   * true or false, whatever `training` says. Where they move and normalise, they normalise first.
   *
   * @throws {RangeError} for true without running statistics.
   */
  get updateStatistics(): 'auto' | boolean {
    return this[UPDATING];
  }

  set updateStatistics(value: 'auto' | boolean) {
    if (value !== 'auto') check.boolean(this[WHO], "updateStatistics (or 'auto')", value);
    if (value === true) this[REQUIRE_RUNNING]('to move');
    this[UPDATING] = value;
  }

  /** Whether `freeze()` holds. */
  get frozen(): boolean {
    return this[LEARNED] !== null;
  }

  /**
   * Normalises by the running statistics, which stay, and stops learning weight and bias, until
   * `unfreeze()`: `train()` does not undo it. Backward is then one pass, dx = dy · weight · invstd.
   *
   * @throws {RangeError} without running statistics.
   * @example
   * ```ts
   * const bn = new nn.BatchNorm1d(2).freeze().train();
   * bn.forward(tensor([[1, 2]], { requiresGrad: true }));
   * bn.numBatchesTracked; // => 0
   * `${bn}`.endsWith('frozen=True)'); // => true
   * ```
   */
  freeze(options: FreezeOptions = {}): this {
    check.options(`${this[WHO]}.freeze`, options, ['affine']);
    const { affine = true } = options;
    check.boolean(`${this[WHO]}.freeze`, 'affine', affine);
    this[REQUIRE_RUNNING]('(a layer with trackRunningStats: true)', `${this[WHO]}.freeze`);
    const { weight, bias } = this[AFFINE_PARAMETERS]();
    const learned = this[LEARNED];
    this[LEARNED] = {
      weight: learned?.weight === true || (affine && weight?.requiresGrad === true),
      bias: learned?.bias === true || (affine && bias?.requiresGrad === true),
    };
    if (!affine) return this;
    for (const parameter of [weight, bias]) {
      if (parameter === null) continue;
      parameter.requiresGrad = false;
      parameter.grad = null; // or the next step would still apply it
    }
    return this;
  }

  /** Ends `freeze()`: weight and bias learn again if they did before. Without a freeze nothing happens. */
  unfreeze(): this {
    const learned = this[LEARNED];
    const { weight, bias } = this[AFFINE_PARAMETERS]();
    this[LEARNED] = null;
    if (learned?.weight && weight !== null) weight.requiresGrad = true;
    if (learned?.bias && bias !== null) bias.requiresGrad = true;
    return this;
  }

  /** Whether a forward normalises by the running statistics. */
  [NORMALIZES_BY_RUNNING](training: boolean): boolean {
    if (this[LEARNED] === null && this[NORMALIZING] === 'auto') {
      return !training && this.runningMean !== null;
    }
    if (this[LEARNED] === null && this[NORMALIZING] === 'batch') return false;
    this[REQUIRE_RUNNING]('to normalise by');
    return true;
  }

  /** @internal Whether a forward moves the running statistics. */
  [UPDATES](training: boolean): boolean {
    if (this[LEARNED] !== null) return false;
    if (this[UPDATING] === 'auto') {
      return training && this.trackRunningStats && this.runningMean !== null;
    }
    if (this[UPDATING]) this[REQUIRE_RUNNING]('to move');
    return this[UPDATING];
  }

  override [MODULE_RECORD](): ModuleRecord {
    return this.frozen ? { version: 2, frozen: true } : { version: 2 };
  }

  override extraRepr(): string {
    const momentum = this.momentum === null ? 'None' : pythonFloat(this.momentum);
    const bias = this[CHANNELS] === 0 ? this[WITH_BIAS] : this.bias !== null;
    // Beyond PyTorch's repr: what is set otherwise than by default.
    const set = [
      this.frozen ? ', frozen=True' : '',
      this[NORMALIZING] === 'auto' ? '' : `, normalize_by=${this[NORMALIZING]}`,
      this[UPDATING] === 'auto' ? '' : `, update_statistics=${pythonBoolean(this[UPDATING])}`,
      this.nonFinite === 'propagate' ? '' : `, non_finite=${this.nonFinite}`,
      this.singleValue === 'throw' ? '' : `, single_value=${this.singleValue}`,
    ];
    return (
      `${this.numFeatures}, eps=${pythonFloat(this.eps)}, momentum=${momentum}, ` +
      `affine=${pythonBoolean(this.affine)}, bias=${pythonBoolean(bias)}, ` +
      `track_running_stats=${pythonBoolean(this.trackRunningStats)}${set.join('')}`
    );
  }
}

check.refuseAssignment(BatchNormMode, { frozen: 'freeze() and unfreeze() change it' });
