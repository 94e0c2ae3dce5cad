// Rows of the optimisers: each makes one, at once and beside the event loop, and takes a step. To add one, add a row.
import type * as types from 'evenkeel';

import { row, type Operation, type Package } from './row.js';

type Parameter = types.nn.Parameter;
type Options = Readonly<Record<string, unknown>>;

interface Stepping {
  readonly paramGroups: readonly { readonly params: readonly Parameter[] }[];
  step(options?: unknown): boolean;
  stepAsync(options?: unknown): Promise<boolean>;
}

/** What stepAsync takes, and the rest of the options. */
function split(options: unknown): [unknown, unknown] {
  if (typeof options !== 'object' || options === null || !('signal' in options)) {
    return [undefined, options];
  }
  const { signal, ...others } = options;
  return [{ signal }, Object.keys(others).length > 0 ? others : undefined];
}

/** Where the parameters are after a step, and the group. */
function outcome({ paramGroups: [group] }: Stepping): unknown {
  return [...group!.params.map((each) => each.toArray()), { ...group, params: [] }];
}

export function optimizersOf({ nn, optim, tensor }: Package): Operation[] {
  const parameters = (): [Parameter[]] => {
    const made = new nn.Parameter(tensor([1, 2]));
    made.grad = tensor([0.5, -1]);
    return [[made]];
  };
  /** Takes the options as they come: `never` is every class's. */
  const stepping = (
    name: string,
    make: (params: Parameter[], options?: never) => Stepping,
    options: () => Options,
  ): Operation =>
    row(
      `optim.${name}`,
      parameters,
      (params, given) => {
        const optimizer = make(params, given);
        optimizer.step();
        return outcome(optimizer);
      },
      {
        options,
        later: async (params, given) => {
          const [how, others] = split(given);
          const optimizer = make(params, others as never);
          await optimizer.stepAsync(how);
          return outcome(optimizer);
        },
      },
    );
  const of =
    (Kind: new (params: Parameter[], options?: never) => Stepping) =>
    (params: Parameter[], options?: never): Stepping =>
      new Kind(params, options);
  const usual = { lr: 0.5, weightDecay: 0.5, maximize: true };
  const adam = (): Options => ({ ...usual, betas: [0.5, 0.6], eps: 0.5 });
  const sgd = (): Options => ({ ...usual, momentum: 0.5, dampening: 0.5, nesterov: false });
  return [
    stepping('SGD', of(optim.SGD), sgd),
    stepping(
      'SGD, a group',
      (params, options?: object) =>
        new optim.SGD([{ params, ...options }], { lr: 0.5, momentum: 0.5 }),
      sgd,
    ),
    stepping('Adam', of(optim.Adam), adam),
    stepping('AdamW', of(optim.AdamW), adam),
    stepping('NAdam', of(optim.NAdam), () => ({
      ...adam(),
      ...{ momentumDecay: 0.5, decoupledWeightDecay: true },
    })),
    stepping('RMSprop', of(optim.RMSprop), () => ({
      ...usual,
      ...{ alpha: 0.5, eps: 0.5, momentum: 0.5, centered: true },
    })),
    stepping('Adagrad', of(optim.Adagrad), () => ({
      ...usual,
      ...{ lrDecay: 0.5, initialAccumulatorValue: 0.5, eps: 0.5 },
    })),
    stepping('LARS', of(optim.LARS), () => ({
      ...usual,
      ...{ momentum: 0.5, trustCoefficient: 0.5, excludeOneDimensional: false },
    })),
  ];
}
