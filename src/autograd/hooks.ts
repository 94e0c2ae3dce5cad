// Hooks: functions of a user's that see a whole gradient on its way, and may return another.
import { unrecorded } from './mode.js';
import type { Arithmetic } from './arithmetic.js';
import type { Source, Variable } from './operation.js';

/** Sees a whole gradient; may return another. */
type Hook = (gradient: never) => unknown;

/** Hooks by what receives the gradient: kept here, so that a tensor without any is no larger. */
const hooks = new WeakMap<Source, Set<{ readonly call: Hook }>>();
/** Whether there has ever been one. */
export let hooked = false;

/** @internal Calls `hook` with the whole gradient of `variable` in each backward from here on. */
export function addHook(variable: Variable, hook: Hook): { remove(): void } {
  const source = variable.operation ?? variable;
  const list = hooks.get(source) ?? new Set();
  const entry = { call: hook };
  hooks.set(source, list.add(entry));
  hooked = true;
  return {
    remove: () => {
      list.delete(entry);
    },
  };
}

/** The gradient after the hooks of what receives it, in their order; they do not record. */
export function afterHooks<V extends Variable>(
  source: Source,
  given: V,
  arithmetic: Arithmetic<V>,
): V {
  const list = hooked ? hooks.get(source) : undefined;
  if (list === undefined) return given;
  let gradient = given;
  for (const { call } of [...list]) {
    const returned = unrecorded(() =>
      (call as (gradient: V) => unknown)(arithmetic.hold(gradient)),
    );
    if (returned === undefined || returned === null) continue;
    const next = arithmetic.replacement(returned, gradient);
    arithmetic.release(gradient);
    gradient = next;
  }
  return gradient;
}
