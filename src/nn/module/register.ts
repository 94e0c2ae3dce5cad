// What becomes part of a module by name: buffers, parameters and modules. tree.ts says where each is kept.
import * as check from '../../check/index.js';
import { Parameter, Tensor } from '../../tensor/tensor.js';
import { INSIDE, WHO } from './internals.js';
import { checkName, isModule, refuseCycle, type Node } from './tree.js';

export interface RegisterBufferOptions {
  /** Whether the state dict holds it. Default true. */
  persistent?: boolean | undefined;
}

export function registerBuffer(
  module: Node,
  name: string,
  tensor: Tensor | null,
  options: RegisterBufferOptions,
): void {
  const who = `${module[WHO]}.registerBuffer`;
  check.options(who, options, ['persistent']);
  if (tensor !== null && !((tensor as unknown) instanceof Tensor)) {
    throw check.wrongKind(who, 'a Tensor or null', tensor);
  }
  const { persistent = true } = options;
  check.boolean(who, 'persistent', persistent);
  const { buffers } = module[INSIDE];
  const again = buffers.has(name);
  if (!again) checkName(who, name, module, () => false);
  tensor?.keep();
  buffers.set(name, { tensor, persistent });
  if (!again) Object.defineProperty(module, name, bufferProperty(name));
}

export function registerParameter(module: Node, name: string, parameter: Parameter | null): void {
  const who = `${module[WHO]}.registerParameter`;
  if (parameter !== null && !((parameter as unknown) instanceof Parameter)) {
    throw check.wrongKind(who, 'a Parameter or null', parameter);
  }
  checkName(who, name, module, (value) => value instanceof Parameter);
  defineOwn(module, name, parameter);
}

export function registerModule(module: Node, name: string, child: unknown): void {
  const who = `${module[WHO]}.registerModule`;
  if (!isModule(child)) throw check.wrongKind(who, 'a Module', child);
  checkName(who, name, module, isModule);
  refuseCycle(who, module, name, child);
  defineOwn(module, name, child);
}

/** An own property that walks find, in the place it has if it is there. */
function defineOwn(module: Node, name: string, value: Node | Parameter | null): void {
  const property = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(module, name, property);
}

const bufferProperties = new Map<string, PropertyDescriptor>();

/**
 * The property of a buffer: reads it, and takes what replaces it. It cannot be deleted or defined anew, so that
 * the buffer is in one place; and it is one pair of functions a name, so that modules keep one hidden class.
 */
function bufferProperty(name: string): PropertyDescriptor {
  const known = bufferProperties.get(name);
  if (known !== undefined) return known;
  const property: PropertyDescriptor = {
    get(this: Node) {
      return this[INSIDE].buffers.get(name)?.tensor ?? null;
    },
    set(this: Node, value: unknown) {
      if (value !== null && (!(value instanceof Tensor) || value instanceof Parameter)) {
        const what = `a Tensor or null for the buffer '${name}'`;
        throw check.wrongKind(`${this[WHO]}.${name}`, what, value);
      }
      const { buffers } = this[INSIDE];
      value?.keep();
      buffers.set(name, { tensor: value, persistent: buffers.get(name)?.persistent ?? true });
    },
    enumerable: false,
    configurable: false,
  };
  bufferProperties.set(name, property);
  return property;
}
