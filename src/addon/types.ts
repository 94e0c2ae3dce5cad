// The addon's exports, typed. binding/exports.inc lists them, and says where each argument is explained;
// test/unit/exports.test.ts compares the two.

type Floats = Float32Array | Float64Array;

/**
 * The same call as a job: beside the event loop, on a thread of the addon's own. `ticket` names it to `cancelJob`. The
 * promise is never rejected. Its value is the call's result, 'done' where it has none, or how it ended otherwise: what
 * it was to write is garbage then. Arguments are checked at once, and throw at once.
 */
type Job<Call extends (...args: never) => unknown> = (
  ...args: [...Parameters<Call>, ticket: number]
) => Promise<JobEnd<ReturnType<Call>>>;

type JobEnd<Result> =
  (Result extends number | boolean ? Result : 'done') | 'cancelled' | 'out of memory';

/** The calls of the kernels, each of which can also be a job. */
export interface Calls {
  batchNormForward(
    x: Floats,
    y: Floats,
    n: number,
    c: number,
    l: number,
    weight: Floats | null,
    bias: Floats | null,
    runningMean: Floats | null,
    runningVar: Floats | null,
    saved: Float64Array | null,
    useRunning: boolean,
    update: boolean,
    momentum: number,
    eps: number,
    relu: boolean,
  ): 'out' | 'running_mean' | 'running_var' | undefined;
  batchNormBackward(
    x: Floats,
    dy: Floats | null,
    dyValue: number,
    n: number,
    c: number,
    l: number,
    weight: Floats | null,
    bias: Floats | null,
    saved: Float64Array,
    dx: Floats | null,
    dweight: Floats | null,
    dbias: Floats | null,
    usedRunning: boolean,
    relu: boolean,
  ): void;
  normalizeByMoments(
    x: Floats,
    y: Floats,
    n: number,
    c: number,
    l: number,
    weight: Floats | null,
    bias: Floats | null,
    moments: Float64Array,
    saved: Float64Array | null,
    eps: number,
    relu: boolean,
  ): void;
  gradientSums(
    x: Floats,
    dy: Floats | null,
    dyValue: number,
    n: number,
    c: number,
    l: number,
    weight: Floats | null,
    bias: Floats | null,
    saved: Float64Array,
    sums: Float64Array,
    dweight: Floats | null,
    dbias: Floats | null,
    relu: boolean,
  ): void;
  gradientBySums(
    x: Floats,
    dy: Floats | null,
    dyValue: number,
    n: number,
    c: number,
    l: number,
    weight: Floats | null,
    bias: Floats | null,
    saved: Float64Array,
    sums: Float64Array,
    count: number,
    dx: Floats,
    relu: boolean,
  ): void;
  batchMoments(x: Floats, moments: Float64Array, n: number, c: number, l: number): void;
  mergeMoments(
    into: Float64Array,
    count: number,
    from: Float64Array,
    more: number,
    c: number,
  ): void;
  finiteMoments(moments: Float64Array, count: number, c: number, float64: boolean): boolean;
  moveByMoments(
    runningMean: Floats,
    runningVar: Floats,
    moments: Float64Array,
    count: number,
    momentum: number,
    c: number,
  ): void;
  pack(
    x: Floats,
    packed: Floats,
    lengths: Int32Array,
    n: number,
    c: number,
    l: number,
    unit: number,
  ): void;
  unpack(
    x: Floats,
    packed: Floats,
    lengths: Int32Array,
    n: number,
    c: number,
    l: number,
    unit: number,
  ): void;
  matmul(
    a: Floats,
    b: Floats,
    bias: Floats | null,
    c: Floats,
    m: number,
    n: number,
    k: number,
    transposeA: boolean,
    transposeB: boolean,
  ): void;
  columnSums(x: Floats, sums: Floats, rows: number, columns: number): void;
  relu(x: Floats, y: Floats, n: number): void;
  reluBackward(y: Floats, dy: Floats, dx: Floats, n: number): void;
  add(a: Floats, b: Floats, out: Floats, n: number): void;
  multiply(a: Floats, b: Floats, out: Floats, n: number): void;
  scale(x: Floats, factor: number, out: Floats, n: number): void;
  sum(x: Floats, n: number): number;
  mean(x: Floats, n: number): number;
  /** `code`: src/functional/pointwise/codes.ts. */
  unary(x: Floats, y: Floats, n: number, code: number, p: number, q: number): void;
  /** `layout`: `rank` sizes, then as many strides for each operand; null with rank 0 where all are of one shape. */
  binary(
    a: Floats,
    b: Floats,
    y: Floats,
    lengthA: number,
    lengthB: number,
    n: number,
    code: number,
    p: number,
    q: number,
    layout: Float64Array | null,
    rank: number,
  ): void;
  compare(
    a: Floats,
    b: Floats,
    y: Int32Array,
    lengthA: number,
    lengthB: number,
    n: number,
    code: number,
    layout: Float64Array | null,
    rank: number,
  ): void;
  choose(
    a: Floats,
    b: Floats,
    mask: Int32Array,
    y: Floats,
    lengthA: number,
    lengthB: number,
    lengthMask: number,
    n: number,
    layout: Float64Array | null,
    rank: number,
  ): void;
  /** `code`: src/functional/reductions/reduce.ts. */
  reduce(
    x: Floats,
    y: Floats,
    code: number,
    outer: number,
    size: number,
    inner: number,
    correction: number,
  ): void;
  extremeIndices(
    x: Floats,
    indices: BigInt64Array,
    largest: boolean,
    rows: number,
    size: number,
  ): void;
  softmax(x: Floats, y: Floats, log: boolean, rows: number, size: number): void;
  softmaxBackward(
    y: Floats,
    dy: Floats,
    dx: Floats,
    log: boolean,
    rows: number,
    size: number,
  ): void;
  sort(
    x: Floats,
    y: Floats,
    indices: BigInt64Array,
    rows: number,
    size: number,
    k: number,
    descending: boolean,
  ): void;
  copyStrided(
    from: Floats,
    to: Floats,
    lengthFrom: number,
    lengthTo: number,
    layout: Float64Array,
    rank: number,
  ): void;
  indexSelect(
    x: Floats,
    index: Int32Array,
    y: Floats,
    outer: number,
    size: number,
    count: number,
    inner: number,
  ): void;
  gather(
    x: Floats,
    index: Int32Array,
    y: Floats,
    outer: number,
    size: number,
    count: number,
    inner: number,
  ): void;
  indexAdd(
    x: Floats,
    index: Int32Array,
    source: Floats,
    outer: number,
    size: number,
    count: number,
    inner: number,
  ): void;
  scatterAdd(
    x: Floats,
    index: Int32Array,
    source: Floats,
    outer: number,
    size: number,
    count: number,
    inner: number,
  ): void;
  dropout(x: Floats, y: Floats, n: number, p: number, key: number, offset: number): void;
  uniform(out: Floats, n: number, low: number, high: number, key: number, offset: number): void;
  randomWords(out: Uint32Array, n: number, key: number, offset: number): void;
  crossEntropy(
    logits: Floats,
    targets: Int32Array,
    probabilities: Floats,
    rows: number,
    classes: number,
    ignoreIndex: number,
    out: Float64Array,
  ): void;
  crossEntropyBackward(
    probabilities: Floats,
    targets: Int32Array,
    gradient: Floats,
    rows: number,
    classes: number,
    ignoreIndex: number,
    factor: number,
  ): void;
  squaredError(prediction: Floats, target: Floats, n: number): number;
  meanSquaredError(prediction: Floats, target: Floats, n: number): number;
  squaredErrorBackward(
    prediction: Floats,
    target: Floats,
    factor: number,
    gradient: Floats,
    n: number,
  ): void;
  sgdStep(
    parameter: Floats,
    gradient: Floats,
    momentumBuffer: Floats | null,
    n: number,
    lr: number,
    momentum: number,
    dampening: number,
    weightDecay: number,
    nesterov: boolean,
    maximize: boolean,
    first: boolean,
  ): void;
  adamStep(
    parameter: Floats,
    gradient: Floats,
    m: Floats,
    v: Floats,
    n: number,
    lr: number,
    beta1: number,
    beta2: number,
    eps: number,
    weightDecay: number,
    biasCorrection1: number,
    biasCorrection2Sqrt: number,
    decoupled: boolean,
    maximize: boolean,
  ): void;
  lossSum(
    x: Floats,
    target: Floats,
    weight: Floats | null,
    positive: Floats | null,
    kind: number,
    n: number,
    p: number,
    divisor: number,
  ): number;
  lossValues(
    x: Floats,
    target: Floats,
    weight: Floats | null,
    positive: Floats | null,
    kind: number,
    n: number,
    p: number,
    out: Floats,
  ): void;
  lossSlopes(
    x: Floats,
    target: Floats,
    weight: Floats | null,
    positive: Floats | null,
    kind: number,
    n: number,
    p: number,
    ofTarget: boolean,
    dy: Floats | null,
    factor: number,
    out: Floats,
  ): void;
  rowLosses(
    logits: Floats,
    targets: Int32Array | Floats,
    weight: Float64Array | null,
    rows: number,
    classes: number,
    hard: boolean,
    ignoreIndex: number,
    smoothing: number,
    lse: Float64Array,
    loss: Float64Array,
  ): void;
  rowSlopes(
    logits: Floats,
    targets: Int32Array | Floats,
    weight: Float64Array | null,
    rows: number,
    classes: number,
    hard: boolean,
    ignoreIndex: number,
    smoothing: number,
    lse: Float64Array,
    scale: Float64Array,
    dx: Floats | null,
    dtarget: Floats | null,
  ): void;
  rmspropStep(
    parameter: Floats,
    gradient: Floats,
    square: Floats,
    momentumBuffer: Floats | null,
    mean: Floats | null,
    n: number,
    lr: number,
    alpha: number,
    eps: number,
    weightDecay: number,
    momentum: number,
    maximize: boolean,
  ): void;
  adagradStep(
    parameter: Floats,
    gradient: Floats,
    sum: Floats,
    n: number,
    lr: number,
    eps: number,
    weightDecay: number,
    maximize: boolean,
  ): void;
  nadamMomentum(beta1: number, momentumDecay: number, t: number): number;
  nadamStep(
    parameter: Floats,
    gradient: Floats,
    m: Floats,
    v: Floats,
    n: number,
    lr: number,
    beta1: number,
    beta2: number,
    eps: number,
    weightDecay: number,
    biasCorrection2: number,
    gradientRate: number,
    momentRate: number,
    decoupled: boolean,
    maximize: boolean,
  ): void;
  larsStep(
    parameter: Floats,
    gradient: Floats,
    momentumBuffer: Floats,
    n: number,
    lr: number,
    momentum: number,
    weightDecay: number,
    trust: number,
    maximize: boolean,
  ): void;
  lerp(a: Floats, b: Floats, weight: number, out: Floats, n: number): void;
  limit(x: Floats, most: number, out: Floats, n: number): void;
  normPart(x: Floats, n: number, type: number): number;
}

export interface Addon extends Calls {
  readonly jobs: { readonly [Name in keyof Calls]: Job<Calls[Name]> };
  cancelJob(ticket: number): void;
  prepareLarge(data: Floats, n: number): number;
  weakWatch(slot: number, object: object): void;
  weakForget(slot: number): void;
  weakAlive(slot: number): boolean;
  freeBuffer(buffer: ArrayBuffer): void;
  returnMemory(): void;
  isa(): string;
  availableIsas(): string[];
  selectIsa(name: string): boolean;
  threads(): number;
  setThreads(n: number): void;
  configure(isa: string, threads: number): void;
  limitCopy(source: Float32Array, target: Float32Array, n: number): void;
  limitRead(source: Float32Array, n: number): number;
}
