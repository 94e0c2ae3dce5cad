// The meaning of BatchNorm1d in float64 and plain loops: what every call leaves behind, and what it
// returns. Nothing of the product in it; numbers to a few roundings of a double.

/** Batches are channels first: batch[c] is all values of a channel that count. */
export type Batch = readonly (readonly number[])[];

interface Moments {
  readonly count: number;
  readonly mean: readonly number[];
  readonly var: readonly number[];
}

const momentsOf = (batch: Batch): Moments => {
  const mean = batch.map((xs) => xs.reduce((a, b) => a + b, 0) / xs.length);
  const variance = batch.map(
    (xs, c) => xs.reduce((a, x) => a + (x - mean[c]!) ** 2, 0) / xs.length,
  );
  return { count: batch[0]!.length, mean, var: variance };
};

export class BatchNormModel {
  training = true;
  track = true;
  by: 'auto' | 'batch' | 'running' = 'auto';
  update: 'auto' | boolean = 'auto';
  frozen = false;
  momentum: number | null = 0.1;
  nonFinite: 'propagate' | 'throw' | 'skip' = 'propagate';
  singleValue: 'throw' | 'running' = 'throw';
  state: { mean: number[]; var: number[]; count: number; skipped: number };
  collected: number[][][] | null = null;

  constructor(
    channels: number,
    readonly eps: number,
  ) {
    this.state = {
      mean: Array(channels).fill(0),
      var: Array(channels).fill(1),
      count: 0,
      skipped: 0,
    };
  }

  reset(): void {
    this.state = {
      ...this.state,
      mean: this.state.mean.map(() => 0),
      var: this.state.var.map(() => 1),
      count: 0,
    };
  }

  /** y, or null where the call is refused; then nothing has moved. */
  forward(batch: Batch): number[][] | null {
    const count = batch[0]!.length;
    const lone = count === 1 && this.singleValue === 'running';
    const moves =
      !this.frozen && !lone && (this.update === 'auto' ? this.training && this.track : this.update);
    const byRunning =
      this.frozen || lone || (this.by === 'auto' ? !this.training : this.by === 'running');
    if (count === 1 && (moves || !byRunning)) return null;
    const own = momentsOf(batch);
    const finite = count === 0 || [...own.mean, ...own.var].every(Number.isFinite);
    if (!finite && this.nonFinite === 'throw' && (moves || !byRunning)) return null;
    const used = byRunning ? this.state : own;
    const y = batch.map((xs, c) =>
      xs.map((x) => (x - used.mean[c]!) / Math.sqrt(used.var[c]! + this.eps)),
    );
    if (moves && !finite && this.nonFinite === 'skip') this.state.skipped++;
    else if (moves && this.collected !== null) this.collected.push(batch.map((xs) => [...xs]));
    else if (moves) this.step(batch);
    return y;
  }

  commit(): void {
    const all = this.collected ?? [];
    this.collected = null;
    if (all.length > 0 && !this.frozen)
      this.step(all[0]!.map((_, c) => all.flatMap((batch) => batch[c]!)));
  }

  private step(batch: Batch): void {
    this.state.count++;
    const { count, mean, var: variance } = momentsOf(batch);
    if (count === 0) return;
    const m = this.momentum ?? 1 / this.state.count;
    const towards = (old: number, fresh: number): number => (1 - m) * old + m * fresh;
    this.state.mean = this.state.mean.map((old, c) => towards(old, mean[c]!));
    this.state.var = this.state.var.map((old, c) =>
      towards(old, (variance[c]! * count) / (count - 1)),
    );
  }
}
