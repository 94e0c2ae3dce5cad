// What a module keeps beside its properties, and what the walks of the tree (tree.ts) need of one.
import type { Tensor } from '../../tensor/tensor.js';
import type { Hooks } from './hooks.js';
import type { UNINITIALIZED, WHO } from './internals.js';
import { HOLDS, INSIDE, SLOTS } from './internals.js';

export interface Buffer {
  readonly tensor: Tensor | null;
  readonly persistent: boolean;
}

/** What is part of a module by being in a property. */
export type Part = 'Module' | 'Parameter';

/** What a module keeps beside its properties. */
export class Inside {
  readonly buffers = new Map<string, Buffer>();
  /** What the walks have found under a name, which nothing of another kind may take the place of. */
  readonly found = new Map<string, Part>();
  hooks: Hooks | null = null;
  /** Whether it has been searched for modules out of reach (unregistered.ts). */
  searched = false;

  /**
   * @param parametersBefore - How many parameters had been made before this module.
   */
  constructor(
    readonly name: string,
    readonly parametersBefore: number,
  ) {}

  copy(each: <T>(value: T) => T): Inside {
    const copy = new Inside(this.name, this.parametersBefore);
    for (const [name, { tensor, persistent }] of this.buffers) {
      copy.buffers.set(name, { tensor: each(tensor), persistent });
    }
    for (const [name, kind] of this.found) copy.found.set(name, kind);
    copy.hooks = this.hooks?.copy() ?? null;
    return copy;
  }
}

/** What the walks need of a module. */
export interface Node {
  readonly [INSIDE]: Inside;
  readonly [WHO]: string;
  readonly [UNINITIALIZED]: boolean;
  [HOLDS](name: string): Part | undefined;
  [SLOTS](): Iterable<readonly [string, unknown]>;
}

export function isModule(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && INSIDE in value;
}
