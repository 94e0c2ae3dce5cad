import { WHO } from '../module/internals.js';
import { Keyed, VALUE_KIND } from './keyed.js';
import type { Module } from '../module/module.js';
import { noForward } from './module-list.js';

/**
 * Modules by name, in the order in which they came: `heads.age.weight`. In a plain object or a Map they would not
 * be trained, saved or switched to evaluation. It has no forward of its own. Iterated, it gives names and modules,
 * as a Map does.
 *
 * @example
 * ```ts
 * class Net extends nn.Module {
 *   heads = new nn.ModuleDict({ age: new nn.Linear(4, 1), kind: new nn.Linear(4, 10) });
 *   forward(x: Tensor, head: 'age' | 'kind') {
 *     return this.heads.get(head).forward(x);
 *   }
 * }
 * const net = new Net();
 * [...net.stateDict().keys()]; // => ['heads.age.weight', 'heads.age.bias', 'heads.kind.weight', 'heads.kind.bias']
 * net.heads.get('kind').outFeatures; // => 10
 * ```
 */
export class ModuleDict<
  T extends Record<string, Module> = Record<string, Module>,
> extends Keyed<T> {
  /** @param modules - An object, a Map, or pairs of a name and a module. */
  constructor(modules: T | Iterable<readonly [string, T[keyof T & string]]> = []) {
    super();
    this.update(modules);
  }

  /** @internal */
  get [VALUE_KIND](): 'Module' {
    return 'Module';
  }

  /** The same as `set`. */
  override registerModule(name: string, module: Module): void {
    this.set(name, module as T[keyof T & string]);
  }

  /** There is none: call the modules in it. */
  forward(): never {
    throw noForward(this[WHO]);
  }
}
