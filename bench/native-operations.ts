// The table of docs/performance.md that bench/alone/operations.ts measures: each operation as a native call beside a bare
// pass over the same bytes.

export interface Measured {
  /** Of one operand. */
  readonly bytes: number;
  /** µs, of the fastest tenth of the turns: the bare pass and the operation. */
  readonly bare: number;
  readonly ours: number;
  /** Bare over ours. */
  readonly share: number;
}

/** What measured, as a page names it. */
export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly threads: number;
  readonly isa: string;
  readonly node: string;
}

export interface NativeOperations {
  readonly machine: Machine;
  /** What each operation is compared with. */
  readonly bare: Readonly<Record<string, string>>;
  /** By operation, one for each size. */
  readonly results: Readonly<Record<string, readonly Measured[]>>;
}

const sizeOf = (bytes: number): string => `${bytes / 2 ** 20} MB`;

export function nativeOperationsTable({ machine, bare, results }: NativeOperations): string {
  const sizes = [
    ...new Set(Object.values(results).flatMap((all) => all.map((each) => each.bytes))),
  ];
  const head = [
    'operation',
    'beside',
    ...sizes.flatMap((bytes) => [`${sizeOf(bytes)}, µs`, 'bare', 'share']),
  ];
  const rows = Object.entries(results).map(([name, all]) => [
    `\`${name}\``,
    `a ${bare[name]!}`,
    ...sizes.flatMap((bytes) => {
      const each = all.find((one) => one.bytes === bytes);
      if (each === undefined) return ['', '', ''];
      const digits = each.ours < 1000 ? 1 : 0;
      const shown = (us: number): string =>
        us.toLocaleString('en-US', {
          minimumFractionDigits: digits,
          maximumFractionDigits: digits,
        });
      return [shown(each.ours), shown(each.bare), `${Math.round(100 * each.share)} %`];
    }),
  ]);
  const rule = head.map((_, i) => (i < 2 ? '---' : '---:'));
  const lines = [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${lines.join('\n')}\n\nThe run of ${machine.date}: ${machine.cpu}, ${machine.cores} cores, ${machine.isa}, ${machine.threads} threads, Node ${machine.node}.`;
}
