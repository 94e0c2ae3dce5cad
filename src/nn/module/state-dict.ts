// A module's state by PyTorch's keys: what is saved, and where what is loaded goes.
import { StateDict, type ModuleRecord } from '../../tensor/state-dict.js';
import type { Tensor } from '../../tensor/tensor.js';
import { CHECK_STATE, PLAN_LOAD, MODULE_RECORD } from './internals.js';
import type { LoadPlan, LoadSite } from './load-state-dict.js';
import { everyPath, join, stateOf, type Node } from './tree.js';

/** What saving and loading need of a module. */
interface Stateful extends Node {
  [MODULE_RECORD](): ModuleRecord;
  [PLAN_LOAD](entries: ReadonlyMap<string, Tensor>, version: number | null): LoadPlan;
  [CHECK_STATE](name: string, value: Tensor): string | null;
}

export function stateDictOf(root: Stateful): StateDict {
  const state = new StateDict();
  for (const [path, module] of everyPath(root)) {
    state.modules.set(path, module[MODULE_RECORD]());
    for (const [name, tensor] of stateOf(module)) state.set(join(path, name), tensor.detach());
  }
  return state;
}

/** Every module under every path it has, as loading sees it. */
export function loadSitesOf(root: Stateful): LoadSite[] {
  return [...everyPath(root)].map(([path, module]): LoadSite => ({
    path,
    version: module[MODULE_RECORD]().version,
    own: () => new Map(stateOf(module)),
    plan: (entries, version) => module[PLAN_LOAD](entries, version),
    checkState: (name, value) => module[CHECK_STATE](name, value),
  }));
}
