// watch: a model while it learns. Each BatchNorm tells of its forwards; there are no hooks, and nothing of the
// model changes.
import * as check from '../check/index.js';
import { isGradEnabled } from '../autograd/index.js';
import { observeForwards } from '../nn/batchnorm/layer.js';
import { batchNormsOf } from '../nn/batchnorm/virtual-batch.js';
import type { Module } from '../nn/module/module.js';
import type { Parameter, Tensor } from '../tensor/tensor.js';
import { checkOptimizer, decayedOf, type DecayingOptimizer } from './diagnose.js';
import type { TrainingEvent } from './examined.js';
import { findingsOf, isHealthy, reportFrom } from './report.js';
import type { Finding, FindingId, Report } from './report-types.js';
import { surveyOf, type ExaminedLayer } from './survey.js';
import { WatchedLayer, type Moment } from './watched.js';

export interface WatchOptions {
  /** Is told of each finding once, at the step where it happens. Default: a process warning, EVENKEEL_DOCTOR. */
  onFinding?: ((finding: Finding) => void) | undefined;
  /** Looked at for weight decay. */
  optimizer?: DecayingOptimizer | undefined;
}

/** So many parameters are looked at to know whether the weights have moved. */
const MARKERS = 8;

/** What `watch()` returns. */
export class Watch {
  readonly #model: Module;
  readonly #options: WatchOptions;
  readonly #layers: readonly WatchedLayer[];
  readonly #observers: readonly { remove(): void }[];
  readonly #events = new Map<string, TrainingEvent>();
  readonly #told = new Set<FindingId>();
  #markers: readonly Parameter[] = [];
  #changes = -1;
  #step = 0;
  #gradient: { readonly grad: Tensor | null; readonly version: number } = {
    grad: null,
    version: 0,
  };
  #backwards = 0;
  #frozenPart: ReadonlySet<string> | null = null;

  /** @internal */
  constructor(model: Module, options: WatchOptions) {
    this.#model = model;
    this.#options = options;
    this.#layers = surveyOf(model).flatMap(({ module, report: { name } }) => {
      if (module === null) return [];
      const tell = this.#take.bind(this);
      return [new WatchedLayer(module, name, model.training, tell)];
    });
    this.#observers = this.#layers.map((watched) =>
      observeForwards(watched.layer, (seen) => {
        const moment = this.#moment();
        watched.see(seen, moment);
        if (seen.moved && this.#inFrozenPart(watched.name)) {
          this.#take('frozen-but-moving', watched.name, {});
        }
      }),
    );
  }

  /** Training steps seen: times that the weights have moved between two forwards. */
  get steps(): number {
    return this.#step;
  }

  /** What has been seen so far, and what the state of the model says. */
  report(): Report {
    for (const watched of this.#layers) watched.tellOfPoison();
    const layers = this.#survey();
    const findings = this.#findings(layers, [...this.#events.values()]);
    return reportFrom({
      version: 1,
      source: 'training',
      subject: this.#model.constructor.name,
      healthy: isHealthy(findings),
      findings,
      layers: layers.map(({ report }) => report),
      data: null,
      outputDifference: null,
      cases: null,
      accuracy: null,
      steps: this.#step,
    });
  }

  /** Ends watching. `report()` still tells what was seen. */
  stop(): void {
    for (const observer of this.#observers) observer.remove();
  }

  #survey(): ExaminedLayer[] {
    const watched = new Map(this.#layers.map((each) => [each.name, each]));
    return surveyOf(this.#model).map((layer) => {
      const of = watched.get(layer.report.name);
      if (of === undefined) return layer;
      const report = { ...layer.report, forwards: of.forwards, history: of.history.points };
      return { ...layer, report };
    });
  }

  #findings(layers: readonly ExaminedLayer[], events: readonly TrainingEvent[]): Finding[] {
    return findingsOf({
      source: 'training',
      purpose: 'training',
      layers,
      training: null, // what the mode is between two loops says nothing
      measured: null,
      events,
      decayed: decayedOf(layers, this.#options.optimizer),
    });
  }

  #moment(): Moment {
    if (this.#markers.length === 0) this.#markers = markersOf(this.#model);
    let changes = 0;
    for (const parameter of this.#markers) changes += parameter.version;
    const grad = this.#markers[0]?.grad ?? null;
    const version = grad?.version ?? 0;
    const { grad: gradBefore, version: versionBefore } = this.#gradient;
    if (changes !== this.#changes) {
      if (this.#changes >= 0) this.#step++;
      this.#changes = changes;
      this.#backwards = 0;
    } else if (grad !== null && (grad !== gradBefore || version !== versionBefore)) {
      this.#backwards++;
    }
    if (grad !== gradBefore || version !== versionBefore) this.#gradient = { grad, version };
    return {
      step: this.#step,
      backwards: this.#backwards,
      gradients: isGradEnabled(),
      modelTraining: this.#model.training,
    };
  }

  #inFrozenPart(name: string): boolean {
    this.#frozenPart ??= new Set(
      surveyOf(this.#model).flatMap(({ inFrozenPart, report }) =>
        inFrozenPart ? [report.name] : [],
      ),
    );
    return this.#frozenPart.has(name);
  }

  /** Keeps the first event of each kind in each layer, and tells of the first of its kind. */
  #take(id: FindingId, layer: string, numbers: TrainingEvent['numbers'], step = this.#step): void {
    const key = `${id} ${layer}`;
    if (this.#events.has(key)) return;
    const event = { id, layer, step, numbers };
    this.#events.set(key, event);
    if (this.#told.has(id)) return;
    this.#told.add(id);
    for (const finding of this.#findings(surveyOf(this.#model), [event])) {
      if (finding.id === id && finding.step !== null) this.#tell(finding);
    }
  }

  #tell(finding: Finding): void {
    const { onFinding } = this.#options;
    if (onFinding === undefined) {
      process.emitWarning(sentence(finding), { type: 'DoctorWarning', code: 'EVENKEEL_DOCTOR' });
      return;
    }
    try {
      onFinding(finding);
    } catch (error) {
      // In the middle of a forward nothing may throw.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function sentence({ id, layer, evidence, cause, mend }: Finding): string {
  const where = layer === null || layer === '' ? '' : ` in '${layer}'`;
  return `${id}${where}: ${evidence} ${cause} Mend: ${mend}`;
}

/** Some of the parameters that learn, spread over the model. */
function markersOf(model: Module): Parameter[] {
  const learned = [...model.parameters()].filter((parameter) => parameter.requiresGrad);
  const stride = Math.max(1, Math.floor(learned.length / MARKERS));
  return learned.filter((_, i) => i % stride === 0).slice(0, MARKERS);
}

/**
 * Watches every BatchNorm below `model` while it is trained, and warns once of each kind of mistake, at the step where
 * it happens: evaluation in training mode, statistics that move in evaluation or twice a step, batches that are not
 * finite, layers that learn from running statistics, were frozen and move, or see batches of other distributions.
 *
 * @example
 * ```ts
 * const model = new nn.BatchNorm1d(1);
 * const found: string[] = [];
 * const watching = watch(model, { onFinding: ({ id }) => found.push(id) });
 * model.forward(tensor([[NaN], [1]]));
 * model.forward(tensor([[2], [1]])); // nobody has taken the statistics back
 * found; // => ['non-finite-statistics']
 * watching.stop();
 * ```
 * @throws {TypeError} when `model` is no Module, or an option is of another kind.
 */
export function watch(model: Module, options: WatchOptions = {}): Watch {
  const who = 'watch';
  check.options(who, options, ['onFinding', 'optimizer']);
  const onFinding: unknown = options.onFinding;
  if (onFinding !== undefined && typeof onFinding !== 'function') {
    throw check.wrongKind(who, 'onFinding to be a function', onFinding);
  }
  checkOptimizer(who, options.optimizer);
  batchNormsOf(who, model);
  return new Watch(model, options);
}
