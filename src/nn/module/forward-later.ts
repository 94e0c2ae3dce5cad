// forwardAsync: a module's forward with its native calls deferred, and made beside the event loop.
import * as check from '../../check/index.js';
import { deferred, type Transfer } from '../../run/deferral.js';
import { outsideScopes, Tensor } from '../../tensor/tensor.js';
import type { Hooked } from './hooks.js';
import { INSIDE, WHO } from './internals.js';

type Call = (...inputs: unknown[]) => unknown;

/** How a forward beside the event loop is carried out. */
interface How {
  readonly signal: AbortSignal | null;
  readonly transfer: boolean;
}

/** @internal Inputs of `forwardAsync`: those of forward, and how it is carried out. */
export async function forwardLater(module: Hooked, given: readonly unknown[]): Promise<unknown> {
  const who = `${module[WHO]}.forwardAsync`;
  const { inputs, how } = split(who, given);
  check.notAborted(how.signal);
  const { hooks } = module[INSIDE];
  // Another forward may have been put before that of the hooks, which calls it.
  if (hooks === null || module.forward !== hooks.wrapper) {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is applied to the module
    return plainLater(who, module, module.forward as Call, inputs, how);
  }
  const plain: Call = (...args) => plainLater(who, module, hooks.plain, args, how);
  return hooks.runAsync(
    module[WHO],
    module,
    plain as (...args: unknown[]) => Promise<unknown>,
    inputs,
  );
}

async function plainLater(
  who: string,
  module: Hooked,
  forward: Call,
  inputs: readonly unknown[],
  { signal, transfer }: How,
): Promise<unknown> {
  const args = [...inputs];
  let taken: Transfer | null = null;
  if (transfer) {
    const operand = Tensor.from(args[0] as Tensor);
    args[0] = operand;
    taken = { who: module[WHO], operand };
  }
  return outsideScopes(() =>
    deferred(signal, () => checkSynchronous(who, forward.apply(module, args)), taken),
  );
}

function checkSynchronous(who: string, result: unknown): unknown {
  if (!check.isThenable(result)) return result;
  void Promise.resolve(result).catch(() => undefined);
  throw new TypeError(
    `${who}: expected a forward that is synchronous, got one that returns a promise: ` +
      'call it, or give the class a forwardAsync of its own.',
  );
}

/** `{ signal, transfer }` are taken out of the last argument; what else is in it is for forward. */
function split(who: string, given: readonly unknown[]): { inputs: readonly unknown[]; how: How } {
  const last = given.at(-1);
  if (given.length < 2 || !check.isOptions(last)) {
    return { inputs: given, how: { signal: null, transfer: false } };
  }
  const { signal, transfer, ...others } = last as Record<string, unknown>;
  const how = {
    signal: check.signal(who, signal),
    transfer: check.booleanOption(who, 'transfer', transfer),
  };
  const before = given.slice(0, -1);
  const left = Object.keys(others).length > 0;
  return { inputs: left ? [...before, others] : before, how };
}
