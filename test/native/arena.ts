// Memory for one kernel call, laid out to catch what a test of values misses: every view starts at a
// chosen misalignment, and every byte outside the views is 0xff, a NaN for each element type.
export type Dtype = 'float32' | 'float64';
export type Floats = Float32Array | Float64Array;

const MARGIN = 64;
const LINE = 64;

interface Region {
  readonly start: number;
  readonly end: number;
  readonly isOutput: boolean;
  readonly view: Floats | Int32Array | Uint32Array;
}

export class Arena {
  readonly bytes: Buffer;
  private end = 0;
  private regions: Region[] = [];
  private drawn = 0;

  /**
   * @param misalignment - in elements past a 64-byte line, of the first view; each further view
   * starts 7 elements further on, so that inputs and outputs differ in alignment too.
   * @param values - what inputs are filled from, one after another and around.
   */
  constructor(
    readonly dtype: Dtype,
    readonly misalignment: number,
    private readonly values: Float64Array,
    capacity = 1 << 20,
  ) {
    this.bytes = Buffer.from(new ArrayBuffer(capacity)).fill(0xff);
  }

  /** Forgets all views and fills the memory used so far with 0xff. */
  reset(): this {
    this.bytes.fill(0xff, 0, this.end + MARGIN);
    this.end = 0;
    this.regions = [];
    this.drawn = 0;
    return this;
  }

  input(length: number, of: (value: number) => number = Number): Floats {
    const view = this.floats(length, false);
    for (let i = 0; i < length; i++) view[i] = of(this.draw());
    return view;
  }

  output(length: number): Floats {
    return this.floats(length, true);
  }

  /** Written as well as read. */
  inout(length: number, of: (value: number) => number = Number): Floats {
    const view = this.floats(length, true);
    for (let i = 0; i < length; i++) view[i] = of(this.draw());
    return view;
  }

  doublesIn(length: number, of: (value: number) => number): Float64Array {
    const view = this.place(Float64Array, length, false);
    for (let i = 0; i < length; i++) view[i] = of(this.draw());
    return view;
  }

  doublesOut(length: number): Float64Array {
    return this.place(Float64Array, length, true);
  }

  integers(length: number, of: (value: number) => number): Int32Array {
    const view = this.place(Int32Array, length, false);
    for (let i = 0; i < length; i++) view[i] = of(this.draw());
    return view;
  }

  words(length: number): Uint32Array {
    return this.place(Uint32Array, length, true);
  }

  /** A copy of all bytes in use. */
  snapshot(): Buffer {
    return Buffer.from(this.used());
  }

  restore(snapshot: Buffer): void {
    snapshot.copy(this.bytes);
  }

  equals(snapshot: Buffer): boolean {
    return this.used().equals(snapshot);
  }

  /** What is wrong after a call, against the bytes before it: touched margins, holes, NaN. */
  faults(before: Buffer): string[] {
    const found: string[] = [];
    let from = 0;
    for (const { start, end, isOutput, view } of this.regions) {
      if (!isOutput) continue;
      if (this.differs(before, from, start)) found.push(`bytes before ${start} changed`);
      const bad = (view as Float32Array).findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) found.push(`element ${bad} of the output at ${start} is ${String(view[bad])}`);
      from = end;
    }
    if (this.differs(before, from, this.end + MARGIN)) found.push(`bytes after ${from} changed`);
    return found;
  }

  private differs(before: Buffer, from: number, to: number): boolean {
    return this.bytes.compare(before, from, to, from, to) !== 0;
  }

  private used(): Buffer {
    return this.bytes.subarray(0, this.end + MARGIN);
  }

  private draw(): number {
    return this.values[this.drawn++ % this.values.length]!;
  }

  private floats(length: number, isOutput: boolean): Floats {
    return this.dtype === 'float32'
      ? this.place(Float32Array, length, isOutput)
      : this.place(Float64Array, length, isOutput);
  }

  private place<View extends Floats | Int32Array | Uint32Array>(
    kind: { new (buffer: ArrayBufferLike, start: number, length: number): View } & {
      readonly BYTES_PER_ELEMENT: number;
    },
    length: number,
    isOutput: boolean,
  ): View {
    const size = kind.BYTES_PER_ELEMENT;
    const shift = ((this.misalignment + 7 * this.regions.length) * size) % LINE;
    const start = Math.ceil((this.end + MARGIN) / LINE) * LINE + shift;
    const end = start + length * size;
    if (end + MARGIN > this.bytes.length) throw new Error('the arena is too small');
    const view = new kind(this.bytes.buffer, start, length);
    this.regions.push({ start, end, isOutput, view });
    this.end = end;
    return view;
  }
}
