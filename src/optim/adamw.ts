import * as check from '../check/index.js';
import type { Parameter } from '../tensor/tensor.js';
import { Adam, ADAM_OPTIONS, type AdamOptions } from './adam.js';
import { DECOUPLED, FIXED } from './internals.js';

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019): p -= lr · weightDecay · p first. */
export class AdamW extends Adam {
  protected override readonly [DECOUPLED] = true;
  protected override readonly [FIXED] = { amsgrad: false, decoupled_weight_decay: true };

  constructor(params: ConstructorParameters<typeof Adam>[0], options: AdamOptions = {}) {
    check.options(new.target.name, options, ADAM_OPTIONS);
    const { weightDecay = 0.01 } = options;
    super(params as Iterable<Parameter>, { ...options, weightDecay });
  }
}
