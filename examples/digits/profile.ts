// Where the time of a training step goes: some more steps, cut at the edge of every layer, so that
// each layer's forward and backward can be timed in its place.
import { functional, nn, type data, type optim, type Tensor } from 'evenkeel';

export interface TimeShares {
  readonly steps: number;
  /** Of a whole step, from the loader to the optimiser. */
  readonly milliseconds: number;
  /** 0 to 1, as is matrixMultiply: Linear, forward and backward. */
  readonly batchNorm: number;
  readonly matrixMultiply: number;
}

const STEPS = 50;
const ENOUGH_MS = 1000;

/** Trains on: the model moves. */
export function timeShares(
  model: nn.Sequential,
  loader: data.DataLoader<[Tensor, Tensor]>,
  opt: optim.SGD,
): TimeShares {
  const layers = [...model];
  const spent = new Map<nn.Layer, number>(layers.map((layer) => [layer, 0]));
  const timed = <Result>(layer: nn.Layer, run: () => Result): Result => {
    const start = performance.now();
    const result = run();
    spent.set(layer, spent.get(layer)! + performance.now() - start);
    return result;
  };

  let steps = 0;
  let total = 0;
  const start = performance.now();
  for (const [x, label] of endlessly(loader)) {
    cutStep(layers, x, label, opt, timed);
    steps++;
    total = performance.now() - start;
    if (steps === STEPS || total > ENOUGH_MS) break;
  }
  const share = (kind: typeof nn.BatchNorm1d | typeof nn.Linear): number => {
    const ofKind = layers.filter((layer) => layer instanceof kind);
    return ofKind.reduce((sum, layer) => sum + spent.get(layer)!, 0) / total;
  };
  const [batchNorm, matrixMultiply] = [share(nn.BatchNorm1d), share(nn.Linear)];
  return { steps, milliseconds: total / steps, batchNorm, matrixMultiply };
}

/** The step of the training loop; between two layers the graph ends and begins anew. */
function cutStep(
  layers: readonly nn.Layer[],
  x: Tensor,
  label: Tensor,
  opt: optim.SGD,
  timed: <Result>(layer: nn.Layer, run: () => Result) => Result,
): void {
  const pieces: { layer: nn.Layer; input: Tensor; output: Tensor }[] = [];
  let input = x;
  for (const layer of layers) {
    const output = timed(layer, () => layer.forward(input));
    pieces.push({ layer, input, output });
    input = output.detach();
    input.requiresGrad = output.requiresGrad;
  }
  const loss = functional.crossEntropy(input, label);
  opt.zeroGrad();
  loss.backward();
  let gradient = input.grad;
  for (const { layer, input, output } of pieces.reverse()) {
    if (gradient === null) break; // nothing to learn below
    const given = gradient;
    timed(layer, () => output.backward(given));
    gradient = input.grad;
  }
  opt.step();
}

function* endlessly<Item>(items: Iterable<Item>): Iterable<Item> {
  for (;;) yield* items;
}
