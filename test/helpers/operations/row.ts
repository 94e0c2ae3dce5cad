// What a row of the table of operations is.
import type * as evenkeel from 'evenkeel';

/** The package: the source in a test, the built one in a child process. */
export type Package = typeof evenkeel;

export interface Operation {
  /** As a user writes it, `functional.relu` or `nn.ReLU`; what follows after a comma tells rows apart. */
  readonly name: string;
  /** New inputs at each call: right ones. */
  readonly inputs: () => readonly unknown[];
  /** Takes the inputs and, where there are any, the options after them. */
  readonly call: (...inputsAndOptions: readonly unknown[]) => unknown;
  /** Each option with a right value that is not its default; each may be given alone. */
  readonly options: () => Readonly<Record<string, unknown>>;
  /** y = x, so dx = dy. */
  readonly isIdentity: boolean;
  /** A method of its first input. */
  readonly isMethod: boolean;
}

interface More {
  readonly options?: Operation['options'];
  readonly isIdentity?: boolean;
  readonly isMethod?: boolean;
}

/** One row. The types of the inputs are those of the call; its options, last, are of any type (`never`). */
export function row<Inputs extends readonly unknown[]>(
  name: string,
  inputs: () => readonly [...Inputs],
  call: (...args: [...Inputs, never?]) => unknown,
  { options = () => ({}), isIdentity = false, isMethod = false }: More = {},
): Operation {
  return { name, inputs, call: call as Operation['call'], options, isIdentity, isMethod };
}
