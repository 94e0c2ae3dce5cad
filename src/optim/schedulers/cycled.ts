// What schedulers that move momentum against the rate share.
import * as check from '../../check/index.js';
import type { Group } from './scheduler.js';

export type Cycled = Group & { momentum?: number; betas?: readonly number[] };

export function setMomentum(group: Cycled, byBeta: boolean, momentum: number): void {
  if (byBeta) group.betas = [momentum, ...group.betas!.slice(1)];
  else group.momentum = momentum;
}

/** One number for each group. */
export function forEach(
  who: string,
  name: string,
  value: unknown,
  groups: number,
  most: number,
): number[] {
  const list = check.isList(value)
    ? Array.from(value)
    : Array.from({ length: groups }, () => value);
  if (list.length !== groups) {
    throw check.wrongValue(
      who,
      `${groups} values in ${name}, one for each group`,
      String(list.length),
    );
  }
  return list.map((each) => check.numberBetween(who, name, each, 0, most));
}

/** Whether the first of `betas` is what cycles, and not `momentum`: one of them has to be there. */
export function isByBeta(who: string, groups: readonly Cycled[], cycleMomentum: boolean): boolean {
  const byBeta = groups.every(({ betas }) => betas !== undefined);
  if (cycleMomentum && !byBeta && !groups.every(({ momentum }) => momentum !== undefined)) {
    throw check.wrongValue(
      who,
      'an optimizer with momentum or betas (optimizer must support momentum or beta1 with cycleMomentum)',
      'one with neither',
    );
  }
  return byBeta;
}
