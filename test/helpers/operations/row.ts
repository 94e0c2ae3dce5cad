// What a row of the table of operations is.
import type * as evenkeel from 'evenkeel';

/** The package: the source in a test, the built one in a child process. */
export type Package = typeof evenkeel;

/** Takes the inputs and, where there are any, the options after them. */
type Call = (...inputsAndOptions: readonly unknown[]) => unknown;

export interface Operation {
  /** As a user writes it, `functional.relu` or `nn.ReLU`; what follows after a comma tells rows apart. */
  readonly name: string;
  /** New inputs at each call: right ones. */
  readonly inputs: () => readonly unknown[];
  readonly call: Call;
  /** Each option with a right value that is not its default; each may be given alone. */
  readonly options: () => Readonly<Record<string, unknown>>;
  /** y = x, so dx = dy. */
  readonly isIdentity: boolean;
  /** A method of its first input. */
  readonly isMethod: boolean;
  /**
   * The same beside the event loop, which takes a `signal` too, where there is a call of its own for that; null: what
   * returns a tensor runs there in the forward of a module (see callLater).
   */
  readonly later: ((...inputsAndOptions: readonly unknown[]) => Promise<unknown>) | null;
}

interface More<Inputs extends readonly unknown[]> {
  readonly options?: Operation['options'];
  readonly isIdentity?: boolean;
  readonly isMethod?: boolean;
  readonly later?: (...args: [...Inputs, never?]) => Promise<unknown>;
}

/** One row. The types of the inputs are those of the call; its options, last, are of any type (`never`). */
export function row<Inputs extends readonly unknown[]>(
  name: string,
  inputs: () => readonly [...Inputs],
  call: (...args: [...Inputs, never?]) => unknown,
  more: More<Inputs> = {},
): Operation {
  const { options = () => ({}), isIdentity = false, isMethod = false, later = null } = more;
  return {
    ...{ name, inputs, options, isIdentity, isMethod },
    call: call as Call,
    later: later as Operation['later'],
  };
}

/** Rows, and one more for each that has a call of its own beside the event loop. */
export function withLater(rows: readonly Operation[]): Operation[] {
  return rows.flatMap((each) => {
    const { name, later, options } = each;
    if (later === null) return [each];
    const signal = (): AbortSignal => new AbortController().signal;
    return [
      each,
      {
        ...each,
        name: `${name}, beside the event loop`,
        call: later,
        later: null,
        options: () => ({ ...options(), signal: signal() }),
      },
    ];
  });
}

/** How a call beside the event loop is carried out. */
export interface How {
  readonly signal?: AbortSignal;
  readonly transfer?: boolean;
}

/** Makes the call of a row that returns a tensor beside the event loop: in the forward of a module. */
export async function callLater(
  { nn }: Package,
  { call }: Pick<Operation, 'call'>,
  inputs: readonly unknown[],
  options: readonly [options?: unknown] = [],
  how: How = {},
): Promise<unknown> {
  class Calling extends nn.Module {
    override forward(...given: unknown[]): unknown {
      return call(...given, ...options);
    }
  }
  // One input alone may be any object: what looks like { signal } is not taken for one.
  return new Calling().forwardAsync(...inputs, ...(inputs.length > 0 ? [how] : []));
}
