// Which layer of a model an error of forward is from: its path ends the sentence. Modules call each other's forward
// directly, so the forward of each class is put behind one that looks at what is thrown, once, when the first module of
// the class is made. Nothing is noted on the way in: a path is looked for when there is an error.
import { isAsyncFunction, isNativeError } from 'node:util/types';

import { SLOTS, WHO } from './internals.js';
import { isModule, type Node } from './node.js';
import { join } from './tree.js';

type Call = (...inputs: unknown[]) => unknown;

/** Where an error has come from so far. */
interface Place {
  /** The outermost module it has left. */
  module: Node;
  /** From that one to where it was thrown. */
  path: string;
  /** Behind that, the place in a module that no path leads to. */
  beyond: string;
  /** Without a path. */
  readonly message: string;
  /** As it was left here: one that somebody has changed since stays as it is. */
  written: string;
}

/** null: of an error that is not ours. */
const places = new WeakMap<object, Place | null>();
/** Errors of the package that say by themselves where they are from: src/distributed. */
const NAMES_A_LAYER: ReadonlySet<string> = new Set(['PeerError', 'TimeoutError']);
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
  const wrapped: Call = function (this: unknown, ...inputs) {
    try {
      return plain.apply(this, inputs);
    } catch (error) {
      throw located(error, this, wrapped);
    }
  };
  return wrapped;
}

function aroundLater(plain: Call): Call {
  const wrapped: Call = async function (this: unknown, ...inputs) {
    try {
      return await plain.apply(this, inputs);
    } catch (error) {
      throw located(error, this, wrapped);
    }
  };
  return wrapped;
}

/** An error that leaves the forward of `module`, with the path of where it is from in it. */
function located(error: unknown, module: unknown, wrapped: Call): unknown {
  try {
    if (isNativeError(error) && isModule(module)) extend(error, module, wrapped);
  } catch {
    // At the end of the stack, or of an object whose properties throw: the error as it is.
  }
  return error;
}

function extend(error: Error, module: Node, wrapped: Call): void {
  const place = places.get(error);
  if (place === null) return;
  if (place === undefined) {
    const { message } = error;
    places.set(
      error,
      isOurs(error) ? { module, path: '', beyond: '', message, written: message } : null,
    );
    mendStack(error, wrapped);
    return;
  }
  if (place.module === module || error.message !== place.written) return;
  const between = pathTo(place.module, module);
  if (between !== null) {
    place.path = place.path === '' ? between : join(between, place.path);
  } else if (place.path !== '') {
    // Of a module that cannot be reached from this one: in a private field, or in a variable.
    place.beyond = `'${place.path}' of ${place.module[WHO]}${place.beyond === '' ? '' : `: ${place.beyond}`}`;
    place.path = '';
  }
  place.module = module;
  const next = placed(place);
  if (rewrite(error, next)) place.written = next;
}

/** The sentence ends with where it is from. */
function placed({ message, path, beyond }: Place): string {
  if (path === '' && beyond === '') return message;
  const where = [...(path === '' ? [] : [`'${path}'`]), ...(beyond === '' ? [] : [beyond])];
  const sentence = message.replace(/\.$/, '');
  return `${sentence} (in ${where.join(': ')})${message.slice(sentence.length)}`;
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
 * Takes the frames of `wrapped` and its like out of a stack, which has ten by default: in a deep model they displaced the
 * line that called it. What is behind them is on the stack still.
 */
function mendStack(error: Error, wrapped: Call): void {
  const [head, frames] = framesOf(error);
  const first = frames.findIndex(isWrapper);
  if (first < 0) return;
  const callers = new Error();
  Error.captureStackTrace(callers, wrapped);
  const all = [...frames.slice(0, first), ...framesOf(callers)[1]];
  const kept = all.filter((frame) => !isWrapper(frame)).slice(0, Error.stackTraceLimit);
  Reflect.set(error, 'stack', [head, ...kept].join('\n'));
}

/** What a stack has up to the message, and its frames behind that. */
function framesOf({ stack, message }: Error): [head: string, frames: string[]] {
  if (typeof stack !== 'string') return ['', []];
  const end = Math.max(0, stack.indexOf(message)) + message.length;
  const [rest, ...frames] = stack.slice(end).split('\n');
  return [stack.slice(0, end) + rest!, frames];
}

/** The lines of `around` and `aroundLater` that call a forward, as stacks name them. */
let wrappers: readonly string[] | null = null;

function isWrapper(frame: string): boolean {
  wrappers ??= [around, aroundLater].map((wrap) => {
    let line = '';
    void wrap(() => {
      line = /\((.*:\d+):\d+\)$/.exec(framesOf(new Error())[1][1] ?? '')?.[1] ?? '(';
    })();
    return `(${line}:`;
  });
  return wrappers.some((line) => frame.includes(line));
}

/**
 * Whether an error was made by this package: the code that made it is in its folder. What a forward of a user's throws is
 * left as it is, and so are errors that name a layer already, and the end of the stack, wherever it is met.
 */
function isOurs(error: Error): boolean {
  if (NAMES_A_LAYER.has(error.name)) return false;
  if (error.message === 'Maximum call stack size exceeded') return false;
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

/** How a frame begins. */
const AT = '    at ';

/** Where an error was made, as its stack has it. */
function firstFrame(error: Error): string | null {
  const [, frames] = framesOf(error);
  return frames.find((frame) => frame.startsWith(AT))?.slice(AT.length) ?? null;
}
