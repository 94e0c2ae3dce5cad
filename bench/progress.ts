// A progress bar on a terminal, and nothing at all anywhere else. Our own twenty lines, because the
// benchmark is part of the package, and the package has no dependencies.
import type { WriteStream } from 'node:tty';

export interface Progress {
  /** Shows what is being measured now, `done` cases of `total` being over. */
  show(done: number, total: number, what: string): void;
  /** Takes the bar away, so that a line can be printed. */
  clear(): void;
}

const WIDTH = 30;

export function progressBar(stream: WriteStream): Progress {
  const start = performance.now();
  return {
    show(done, total, what) {
      if (!stream.isTTY) return;
      const left = ((performance.now() - start) / 1000 / done) * (total - done);
      const rest = done === 0 ? '' : `   ${duration(left)} left`;
      const line = `${barOf(done / total)} ${done}/${total}${rest}   ${what}`;
      stream.write(`\r\u001b[2K${line.slice(0, stream.columns - 1)}`);
    },
    clear() {
      if (stream.isTTY) stream.write('\r\u001b[2K');
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
