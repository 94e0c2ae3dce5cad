// How long each call of the addon takes: imported before the package is, it stands between the two.
import type { Addon } from '../src/addon/types.js';

type Call = (...args: unknown[]) => unknown;

let spent: Map<string, number> | null = null;
let seen: Record<string, unknown> | null = null;
const load = process.dlopen.bind(process);

process.dlopen = (module, path, ...flags) => {
  load(module, path, ...flags);
  const { exports } = module as { exports: Record<string, unknown> };
  seen = exports;
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value !== 'function' || !Object.getOwnPropertyDescriptor(exports, name)!.writable) {
      continue;
    }
    exports[name] = timed(name, value as Call);
  }
};

function timed(name: string, call: Call): Call {
  return function (this: unknown, ...args: unknown[]): unknown {
    if (spent === null) return call.apply(this, args);
    const start = performance.now();
    try {
      return call.apply(this, args);
    } finally {
      spent.set(name, (spent.get(name) ?? 0) + performance.now() - start);
    }
  };
}

/** Runs it, with the milliseconds in each call. */
export function timeCalls<Result>(run: () => Result): {
  result: Result;
  spent: ReadonlyMap<string, number>;
} {
  const own = (spent = new Map<string, number>());
  try {
    return { result: run(), spent: own };
  } finally {
    spent = null;
  }
}

/** The calls themselves, once the package is loaded. */
export function nativeCalls(): Addon {
  if (seen === null) throw new Error('evenkeel is not loaded yet.');
  return seen as unknown as Addon;
}
