// What the processes of a job print, line by line, behind the rank of each.

/** @internal */
export class Printer {
  readonly #parts = new Map<string, string>();
  /** The last lines that each rank has written to its standard error. */
  readonly #errors = new Map<number, string[]>();

  /** Prints what is whole of it. */
  print(rank: number, stream: 'stdout' | 'stderr', text: string): void {
    const key = `${rank} ${stream}`;
    const lines = ((this.#parts.get(key) ?? '') + text).split('\n');
    this.#parts.set(key, lines.pop() ?? '');
    for (const line of lines) this.line(rank, stream, line);
  }

  line(rank: number, stream: 'stdout' | 'stderr', line: string): void {
    process[stream].write(`[${rank}] ${line}\n`);
    if (stream === 'stdout') return;
    const errors = this.#errors.get(rank) ?? [];
    errors.push(line);
    this.#errors.set(rank, errors.slice(-KEPT));
  }

  /** What has not ended with a line. */
  end(): void {
    for (const [key, rest] of this.#parts) {
      const [rank = '', stream = ''] = key.split(' ');
      if (rest !== '') this.line(Number(rank), stream as 'stdout' | 'stderr', rest);
    }
    this.#parts.clear();
  }

  /** The error that a rank has ended with, as far as it looks like one. */
  errorOf(rank: number): string | null {
    const lines = this.#errors.get(rank) ?? [];
    return lines.find((each) => /^(Uncaught )?\w*Error\b.*:/.test(each)) ?? null;
  }

  /** The ranks that have printed an error, in the order of their first line. */
  get failed(): number[] {
    return [...this.#errors.keys()].filter((rank) => this.errorOf(rank) !== null);
  }
}

const KEPT = 60;
