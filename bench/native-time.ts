// How long each call of the addon takes: imported before the package is, it stands between the two.
type Call = (...args: unknown[]) => unknown;

let spent: Map<string, number> | null = null;
const load = process.dlopen.bind(process);

process.dlopen = (module, path, ...flags) => {
  load(module, path, ...flags);
  const { exports } = module as { exports: Record<string, unknown> };
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
