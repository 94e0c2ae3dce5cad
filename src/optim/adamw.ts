import * as check from '../check/index.js';
import type { Parameter } from '../tensor/tensor.js';
import { Adam, ADAM_OPTIONS, type AdamOptions } from './adam.js';
import { DECOUPLED, FIXED } from './internals.js';
import { refuseHyperparameters } from './names.js';
import { ELSEWHERE } from './param-groups.js';

/**
 * Adam with decoupled weight decay (Loshchilov & Hutter 2019): p -= lr · weightDecay · p, and then the step of Adam.
 *
 * @throws {RangeError | TypeError} for a hyperparameter out of its range.
 * @example
 * ```ts
 * const p = new nn.Parameter(tensor([1]));
 * const optimizer = new optim.AdamW([p], { lr: 0.1, weightDecay: 0.5 });
 * p.grad = tensor([4]);
 * optimizer.step();
 * p.item().toFixed(4); // => '0.8500'
 * ```
 */
export class AdamW extends Adam {
  protected override readonly [DECOUPLED] = true;
  protected override readonly [FIXED] = { amsgrad: false, decoupled_weight_decay: true };

  constructor(params: ConstructorParameters<typeof Adam>[0], options?: AdamOptions);
  constructor(
    params: ConstructorParameters<typeof Adam>[0],
    options: AdamOptions = {},
    ...rest: never[]
  ) {
    if (rest.length > 0) check.noMore(new.target.name, 2, rest);
    check.options(new.target.name, options, ADAM_OPTIONS, ELSEWHERE);
    const { weightDecay = 0.01 } = options;
    super(params as Iterable<Parameter>, { ...options, weightDecay });
  }
}

refuseHyperparameters(AdamW, ADAM_OPTIONS);
