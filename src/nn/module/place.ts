// Which layer of a model an error of forward is from: its path ends the sentence. Modules call each other's forward
// directly, so the forward of each class is put behind one that looks at what is thrown, once, when the first module of
// the class is made. Nothing is noted on the way in: a path is looked for when there is an error.
import { isAsyncFunction, isNativeError } from 'node:util/types';

import { isOfPeers } from '../../distributed/errors.js';
import { SLOTS } from './internals.js';
import { isModule, type Node } from './node.js';
import { join } from './tree.js';

type Call = (...inputs: unknown[]) => unknown;

/** Where an error has come from so far. */
interface Place {
  /** The outermost module it has left. */
  module: Node;
  /** From that one to where it was thrown. */
  path: string;
  /** Without a path. */
  readonly message: string;
  /** As it was left here: one that somebody has changed since stays as it is. */
  written: string;
}

const places = new WeakMap<object, Place>();
/** Classes that have been looked at. */
const known = new WeakSet();

/** @internal Has the errors of forward say where they are from: of the class that has `prototype`, and those it extends. */
export function tellPlaces(prototype: object): void {
  for (
    let each: object | null = prototype;
    each !== null && !known.has(each);
    each = Object.getPrototypeOf(each) as object | null
  ) {
    known.add(each);
    wrap(each, 'forward');
    wrap(each, 'forwardAsync');
  }
}

function wrap(prototype: object, name: 'forward' | 'forwardAsync'): void {
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  if (own?.configurable !== true || typeof own.value !== 'function') return;
  const plain = own.value as Call;
  const value =
    name === 'forwardAsync' || isAsyncFunction(plain) ? aroundLater(plain) : around(plain);
  for (const each of ['name', 'length'] as const) {
    Object.defineProperty(value, each, { value: plain[each], configurable: true });
  }
  Object.defineProperty(prototype, name, { ...own, value });
}

function around(plain: Call): Call {
  return function (this: unknown, ...inputs) {
    try {
      return plain.apply(this, inputs);
    } catch (error) {
      throw located(error, this);
    }
  };
}

function aroundLater(plain: Call): Call {
  return async function (this: unknown, ...inputs) {
    try {
      return await plain.apply(this, inputs);
    } catch (error) {
      throw located(error, this);
    }
  };
}

/** An error that leaves the forward of `module`, with the path of where it is from in it. */
function located(error: unknown, module: unknown): unknown {
  try {
    if (isNativeError(error) && isModule(module)) extend(error, module);
  } catch {
    // At the end of the stack, or of an object whose properties throw: the error as it is.
  }
  return error;
}

function extend(error: Error, module: Node): void {
  const place = places.get(error);
  if (place === undefined) {
    if (!isOurs(error)) return;
    const { message } = error;
    places.set(error, { module, path: '', message, written: message });
    return;
  }
  if (place.module === module || error.message !== place.written) return;
  const between = pathTo(place.module, module);
  if (between === null) return;
  place.path = place.path === '' ? between : join(between, place.path);
  place.module = module;
  const sentence = place.message.replace(/\.$/, '');
  const next = `${sentence} (in '${place.path}')${place.message.slice(sentence.length)}`;
  if (rewrite(error, next)) place.written = next;
}

/** The first path of `wanted` below `root`. */
function pathTo(wanted: Node, root: Node): string | null {
  const seen = new Set<Node>();
  const visit = (module: Node, path: string): string | null => {
    seen.add(module);
    for (const [name, value] of module[SLOTS]()) {
      if (!isModule(value)) continue;
      const at = join(path, name);
      const found = value === wanted ? at : seen.has(value) ? null : visit(value, at);
      if (found !== null) return found;
    }
    return null;
  };
  return visit(root, '');
}

/** A new message, in the first line of the stack too; not of an error that is frozen. */
function rewrite(error: Error, message: string): boolean {
  const { stack, message: before } = error;
  if (!Reflect.set(error, 'message', message)) return false;
  const at = typeof stack === 'string' ? stack.indexOf(before) : -1;
  if (at >= 0) {
    Reflect.set(error, 'stack', stack!.slice(0, at) + message + stack!.slice(at + before.length));
  }
  return true;
}

/**
 * Whether an error was made by this package: the code that made it is in its folder. What a forward of a user's throws is
 * left as it is, and so are errors that name a layer already, and the end of the stack, wherever it is met.
 */
function isOurs(error: Error): boolean {
  if (isOfPeers(error) || error.message === 'Maximum call stack size exceeded') return false;
  const frame = firstFrame(error);
  folder ??= ownFolder();
  return frame !== null && folder !== null && frame.includes(folder);
}

/** The folder of this package as stacks name it, with source maps or without; null in a bundle, which has all code in one. */
let folder: string | null = null;

function ownFolder(): string | null {
  const frame = firstFrame(new Error('here'));
  const at = frame?.search(/(cjs[\\/]pack|nn[\\/]module[\\/]place)\.[jt]s:/) ?? -1;
  return at < 0 ? null : frame!.slice(frame!.indexOf('(') + 1, at);
}

/** Where an error was made, as its stack has it. */
function firstFrame({ stack, message }: Error): string | null {
  if (typeof stack !== 'string') return null;
  const from = Math.max(0, stack.indexOf(message)) + message.length;
  return /\n {4}at (.*)/.exec(stack.slice(from))?.[1] ?? null;
}
