// A progress bar on a terminal, and nothing at all anywhere else.
import type { WriteStream } from 'node:tty';

export interface Progress {
  /** Shows that `done` of `total` are over, the time that is left, and what is being done now. */
  show(done: number, total: number, what: string): void;
  /** Takes the bar away until the next show(), so that a line can be printed. */
  clear(): void;
}

const WIDTH = 30;
const MILLISECONDS_BETWEEN = 33;
const CLEAR = '\r\u001b[2K';

/** @param stream - Where the bar goes: stderr when stdout is for a program to read. */
export function progressBar(stream: WriteStream): Progress {
  const start = performance.now();
  let shownAt = -Infinity;
  return {
    show(done, total, what) {
      const now = performance.now();
      // Thousands of steps a second are not worth a write each.
      if (!stream.isTTY || now - shownAt < MILLISECONDS_BETWEEN) return;
      shownAt = now;
      const left = ((now - start) / 1000 / done) * (total - done);
      const rest = done === 0 ? '' : `   ${duration(left)} left`;
      const line = `${barOf(done / total)} ${done}/${total}${rest}   ${what}`;
      stream.write(`${CLEAR}${line.slice(0, stream.columns - 1)}`);
    },
    clear() {
      if (stream.isTTY) stream.write(CLEAR);
      shownAt = -Infinity;
    },
  };
}

function barOf(part: number): string {
  const full = Math.round(part * WIDTH);
  return '█'.repeat(full) + '░'.repeat(WIDTH - full);
}

export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
