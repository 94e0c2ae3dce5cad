// A progress bar on a terminal, and nothing at all anywhere else.
import type { WriteStream } from 'node:tty';
import cliProgress from 'cli-progress';

export interface Progress {
  /** One step further; `loss` is shown beside the bar. */
  step(loss: number): void;
  /** Takes the bar away until the next step, so that a line can be printed. */
  pause(): void;
}

/** @param stream - Where the bar goes: stderr when stdout is for a program to read. */
export function progressBar(stream: WriteStream, steps: number): Progress {
  let done = 0;
  let shown = false;
  const bar = new cliProgress.SingleBar({
    stream,
    format: '{bar} {percentage} %   loss {loss}   {left} s left',
    barsize: 30,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    fps: 30,
    clearOnComplete: true,
    linewrap: true, // as it was: an interrupted run must not leave the terminal changed
  });
  const start = performance.now();
  return {
    step(loss) {
      done++;
      if (!stream.isTTY) return;
      const left = ((performance.now() - start) / 1000 / done) * (steps - done);
      const beside = { loss: loss.toFixed(4), left: left.toFixed(0) };
      if (shown) bar.update(done, beside);
      else bar.start(steps, done, beside);
      shown = true;
    },
    pause() {
      if (shown) bar.stop();
      shown = false;
    },
  };
}
