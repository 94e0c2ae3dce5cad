// What an optimiser keeps from step to step, and its state dict in PyTorch's form: `state` by a parameter's index,
// `param_groups` with PyTorch's names.
import { Tensor, type Parameter } from '../tensor/tensor.js';

/** What is kept of one parameter, under PyTorch's names: `exp_avg`, `step`, `momentum_buffer`, … */
export type ParameterState = Record<string, Tensor | number>;

/** The hyperparameters of a group under PyTorch's names (`weight_decay`), and the indices of its parameters. */
export interface GroupState {
  [name: string]: number | boolean | readonly number[];
  params: number[];
}

export interface OptimizerStateDict {
  state: Record<number, ParameterState>;
  param_groups: GroupState[];
}

/** @internal How PyTorch spells the name of a hyperparameter. */
export function pythonName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * @internal What an optimiser keeps under a name; the elements of a 'square' are at least 0, a 'number' is finite, and an
 * 'optional' tensor may be missing.
 */
export type Slot = 'tensor' | 'square' | 'optional' | 'count' | 'number';

/** @internal What a scheduler writes into the groups it moves: where it started from, and its bounds. */
export const SCHEDULED = ['initialLr', 'maxLr', 'minLr', 'maxMomentum', 'baseMomentum'] as const;

/** @internal A state dict of copies. `names`: of hyperparameters, as we spell them. */
export function stateDictOf(
  paramGroups: readonly { readonly params: readonly Parameter[] }[],
  names: readonly string[],
  keptOf: (parameter: Parameter) => ParameterState | null,
): OptimizerStateDict {
  const state: OptimizerStateDict['state'] = {};
  let index = 0;
  const groups = paramGroups.map((group): GroupState => {
    const own = group as unknown as Record<string, number | readonly number[] | undefined>;
    const scheduled = SCHEDULED.filter((name) => own[name] !== undefined);
    const hyper = [...names, ...scheduled].map((name) => {
      const value = own[name]!;
      return [pythonName(name), typeof value === 'object' ? [...value] : value] as const;
    });
    const params = group.params.map((parameter) => {
      const kept = keptOf(parameter);
      if (kept !== null) state[index] = copyOf(kept);
      return index++;
    });
    return { ...Object.fromEntries(hyper), params };
  });
  return { state, param_groups: groups };
}

function copyOf(kept: ParameterState): ParameterState {
  const copies = Object.entries(kept).map(
    ([name, value]) => [name, value instanceof Tensor ? value.copied() : value] as const,
  );
  return Object.fromEntries(copies);
}

/** @internal A state tensor of zeros like a parameter; it outlives the step, so no scope disposes of it. */
export function zerosLike(parameter: Parameter): Tensor {
  return Tensor.filled(parameter.shape, parameter.dtype, 0).keep();
}
