// Parameter groups: parameters with hyperparameters of their own, as given and as an optimiser keeps them.
import * as check from '../check/index.js';
import { Parameter } from '../tensor/tensor.js';
import { groupPrototype } from './names.js';
import { SCHEDULED } from './state.js';

const TECHNICAL = 'leave it out: it does not change what a step computes';
/** What PyTorch and others call the options of an optimiser, and what to do here. */
export const ELSEWHERE = {
  elsewhere: {
    learningRate: "it is 'lr' here",
    epsilon: "it is 'eps' here",
    beta1: 'it is betas: [beta1, beta2] here',
    beta2: 'it is betas: [beta1, beta2] here',
    foreach: TECHNICAL,
    fused: TECHNICAL,
    capturable: TECHNICAL,
  },
} as const;

/** What a scheduler keeps in the groups it moves, as PyTorch's do; each is a number of at least 0. */
export type ScheduledGroup = { [Name in (typeof SCHEDULED)[number]]?: number | undefined };

/** Parameters that share hyperparameters; what a group leaves out it takes from the defaults. */
export type ParameterGroup<Hyper> = { params: Iterable<Parameter> } & {
  [Name in keyof Hyper]?: Hyper[Name] | undefined;
} & ScheduledGroup;

/** Options with every default filled in. */
export type Resolved<Options> = { [Name in keyof Options]-?: Exclude<Options[Name], undefined> };

/** Defaults under the options; one that is undefined is left out. */
export function withDefaults<Hyper extends object>(
  defaults: Hyper,
  options: ParameterGroup<Hyper> | { [Name in keyof Hyper]?: Hyper[Name] | undefined },
): Hyper {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

/** A group as the optimiser keeps it: hyperparameters may be changed between steps. */
export type ResolvedGroup<Hyper> = { params: Parameter[] } & Hyper & ScheduledGroup;

/**
 * A group with every default filled in.
 *
 * @param known - The parameters of the other groups. Those of this one are added.
 */
export function resolvedGroup<Hyper extends object>(
  who: string,
  group: ParameterGroup<Hyper>,
  defaults: Hyper,
  known: Set<Parameter>,
): ResolvedGroup<Hyper> {
  if (typeof group !== 'object' || (group as unknown) === null || !('params' in group)) {
    throw check.wrongKind(
      who,
      'parameters (new nn.Parameter(tensor) makes one), or groups { params, … }',
      group,
    );
  }
  const { params, ...own } = group;
  const scheduled = SCHEDULED.filter((name) => group[name] !== undefined);
  check.options(who, group, ['params', ...Object.keys(defaults), ...scheduled], ELSEWHERE);
  const list = [...(check.iterable(who, 'params', params) as Iterable<Parameter>)];
  for (const parameter of list) {
    if (!((parameter as unknown) instanceof Parameter)) {
      throw check.wrongKind(
        who,
        'a Parameter to optimise (new nn.Parameter(tensor) makes one)',
        parameter,
      );
    }
    if (known.has(parameter)) {
      throw new RangeError(`${who}: some parameters appear in more than one parameter group.`);
    }
    known.add(parameter);
  }
  // Lists, such as betas, are copied: other groups share the defaults, and the caller keeps the list that was given.
  const hyper = Object.entries(withDefaults(defaults, own as ParameterGroup<Hyper>)).map(
    ([name, value]: [string, unknown]) => [name, check.isList(value) ? Array.from(value) : value],
  );
  const inherited = Object.create(groupPrototype(who, Object.keys(defaults))) as object;
  return Object.assign(inherited, Object.fromEntries(hyper), {
    params: list,
  }) as ResolvedGroup<Hyper>;
}

export function checkScheduled(who: string, group: ScheduledGroup): void {
  for (const name of SCHEDULED) {
    if (group[name] !== undefined) check.numberBetween(who, name, group[name], 0, Infinity);
  }
}

/** That the groups, which anyone may change, are lists of parameters still. */
export function checkGroups(who: string, groups: unknown): void {
  if (!Array.isArray(groups)) throw check.wrongKind(who, 'paramGroups to be an array', groups);
  for (const group of groups as unknown[]) {
    const params = (group as { params?: unknown } | null | undefined)?.params;
    if (!Array.isArray(params)) {
      throw check.wrongKind(who, "a group's params to be an array of Parameters", params);
    }
    for (const each of params as unknown[]) {
      if (!(each instanceof Parameter)) {
        throw check.wrongKind(who, "a group's params to be Parameters", each);
      }
    }
  }
}
