// What stands in a module where a child or a parameter was, and is neither.
import * as check from '../../check/index.js';
import { foreignKind, refuseForeign } from '../../check/copies.js';
import { Parameter, Tensor } from '../../tensor/tensor.js';
import { HOLDS, INSIDE, WHO } from './internals.js';
import { isModule, type Node } from './node.js';

const FROM_TENSOR =
  'new nn.Parameter(tensor) makes one; noGrad(() => parameter.copy_(tensor)) keeps the one there is';

/** What a layer with weight and bias holds under a name. */
export function weightOrBias(name: string): 'Parameter' | undefined {
  return name === 'weight' || name === 'bias' ? 'Parameter' : undefined;
}

/**
 * What was a child or a parameter, or is one by its class, stays one, or null, as in PyTorch. What else was assigned is
 * found when the tree is walked.
 */
export function refuseReplacement(module: Node, name: string, value: unknown): void {
  const { found } = module[INSIDE];
  const kind = isModule(value) ? 'Module' : value instanceof Parameter ? 'Parameter' : null;
  if (kind !== null) {
    found.set(name, kind);
    return;
  }
  if (value === null || value === undefined) return;
  const before = found.get(name) ?? module[HOLDS](name);
  if (before === undefined) return;
  const as = before === 'Module' ? 'child module' : 'parameter';
  const what = `${as} '${name}' to be a ${before} or null (cannot assign another value as ${as})`;
  const hint = value instanceof Tensor && before === 'Parameter' ? FROM_TENSOR : undefined;
  throw check.wrongKind(module[WHO], what, value, hint);
}

/** A module or parameter of another copy of the package can be assigned: it is found when the tree is walked. */
export function refuseForeignPart(module: Node, name: string, value: unknown): void {
  const kind = foreignKind(value);
  if (kind !== 'Module' && kind !== 'Parameter') return;
  refuseForeign(module[WHO], `'${name}' to be a ${kind} of this copy`, value);
}
