// Each operation inside of a forward that runs beside the event loop: it is noted, not made, and has the values of the
// call that is made at once, forward and backward.
import * as evenkeel from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { operationsOf } from '../helpers/operations/table.js';

const { functional, manualSeed, nn, Tensor } = evenkeel;
type Tensor = evenkeel.Tensor;

const OPERATIONS = operationsOf(evenkeel).filter(
  ({ name }) => name.startsWith('functional.') || /^nn\.(?!.*Async)/.test(name),
);

/** What looks at an input: the size of the result depends on it, or it is written into. */
const READS =
  /^functional\.(oneHot|maskedSelect|nonzero|batchNorm|embeddingBag)|^nn\.EmbeddingBag|into out$/;

/** An operation as the forward of a class, whose inputs come in an array. */
class Network extends nn.Module {
  noted = true;

  constructor(private readonly call: (...args: readonly unknown[]) => unknown) {
    super();
  }

  forward(given: readonly unknown[]): Tensor {
    // Each input is the result of an operation: it is not there yet.
    const inputs = given.map((each) => (each instanceof Tensor ? again(each) : each));
    const y = this.call(...inputs) as Tensor;
    this.noted = [y, ...inputs].every((each) => !(each instanceof Tensor) || each.awaited);
    return y;
  }
}

/** The same elements, by an operation. */
function again(x: Tensor): Tensor {
  const order = x.shape.map((_, i) => i);
  return functional.permute(x, order);
}

type Seen = readonly (readonly [string, unknown])[];

type Given = readonly unknown[];

async function outcome(
  call: (typeof OPERATIONS)[number]['call'],
  given: Given,
  asynchronous: boolean,
): Promise<{ seen: Seen; noted: boolean }> {
  manualSeed(3);
  const tensors = given.filter((each): each is Tensor => each instanceof Tensor);
  for (const each of tensors) if (each.dtype === 'float32') each.requiresGrad = true;
  const network = new Network(call);
  const y = asynchronous ? await network.forwardAsync(given) : network.forward(given);
  if (y.requiresGrad) {
    const dy = evenkeel.tensor(
      Float32Array.from({ length: y.numel }, (_, i) => 1 + i / 8),
      y.shape,
    );
    if (asynchronous) await y.backwardAsync(dy);
    else y.backward(dy);
  }
  const seen = [y, ...tensors.map((each) => each.grad)].map(
    (each) => [String(each?.dtype), each?.toArray()] as const,
  );
  return { seen, noted: network.noted };
}

describe('inside of forwardAsync', () => {
  test.each(OPERATIONS.map((each) => [each.name, each] as const))('%s', async (name, each) => {
    const { inputs, call, options } = each;
    const ways: (() => Given)[] = [
      () => inputs(),
      ...Object.keys(options()).map((key) => () => [...inputs(), { [key]: options()[key] }]),
    ];
    for (const way of ways) {
      const beside = await outcome(call, way(), true);
      const now = await outcome(call, way(), false);
      expect(beside.seen).toEqual(now.seen);
      expect(now.noted).toBe(false);
      if (!READS.test(name)) expect(beside.noted, String(way())).toBe(true);
    }
  });
});
