// Calls that are made while something fails: large enough to need scratch and threads. What is small, and in the
// table of operations, is added to them in index.ts.
// Longer than 250 lines because it is a list of calls.
import type { nn, Tensor } from 'evenkeel';

import type { Package } from '../operations/row.js';
import { numbers, type Maker } from './state.js';

const x = ({ tensor }: Package, shape: number[], requiresGrad = false): Tensor =>
  tensor(numbers(shape, 1), shape, { requiresGrad });
type Norm = nn.BatchNorm1d;
const forward =
  (shape: number[], options?: nn.BatchNormOptions, change?: (bn: Norm) => unknown): Maker =>
  (evenkeel) => {
    const bn = new evenkeel.nn.BatchNorm1d(shape[options?.layout === 'NLC' ? 2 : 1]!, options);
    change?.(bn);
    const input = x(evenkeel, shape, true);
    return { kept: [bn, input], call: () => [bn.forward(input)] };
  };
const backward =
  (shape: number[], change?: (bn: Norm) => unknown): Maker =>
  (evenkeel) => {
    const { nn, tensor } = evenkeel;
    const bn = new nn.BatchNorm1d(shape[1]!);
    change?.(bn);
    const input = x(evenkeel, shape, true);
    const y = bn.forward(input);
    const dy = tensor(numbers(shape, 2), shape);
    return {
      kept: [bn, input, y],
      call: () => {
        y.backward(dy);
        return [input.grad, bn.weight!.grad, bn.bias!.grad];
      },
    };
  };
const model = ({ nn }: Package): nn.Sequential =>
  new nn.Sequential(
    new nn.Linear(40, 600),
    new nn.BatchNorm1d(600),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Linear(600, 10),
  );
const labels = Int32Array.from({ length: 80 }, (_, i) => i % 10);
const stepping =
  (make: (package_: Package['optim'], net: nn.Sequential) => { step(): unknown }): Maker =>
  (evenkeel) => {
    const net = model(evenkeel);
    const input = x(evenkeel, [80, 40]);
    const optimizer = make(evenkeel.optim, net);
    evenkeel.functional.crossEntropy(net.forward(input), labels).backward();
    return {
      kept: [net],
      call: () => {
        optimizer.step();
        return [...net.parameters()];
      },
    };
  };
/** What is made before a call, and the call, by name. */
export const NOW: Readonly<Record<string, Maker>> = {
  'training forward (128, 512)': forward([128, 512]),
  'training forward (4096, 3)': forward([4096, 3]),
  'training forward (8, 16, 512)': forward([8, 16, 512]),
  'training forward (4, 3, 8192)': forward([4, 3, 8192]),
  'training forward, channels last': forward([8, 512, 24], { layout: 'NLC' }),
  'training forward, cumulative average': forward([128, 512], { momentum: null }),
  'evaluation forward (128, 512)': forward([128, 512], {}, (bn) => bn.eval()),
  'evaluation forward (8, 16, 512)': forward([8, 16, 512], {}, (bn) => bn.eval()),
  'forward that skips what is not finite': forward([128, 512], { nonFinite: 'skip' }),
  'forward by the running statistics that also move': forward([128, 512], {}, (bn) =>
    Object.assign(bn, { normalizeBy: 'running', updateStatistics: true }),
  ),
  'forward in a virtual batch, committed': (evenkeel) => {
    const bn = new evenkeel.nn.BatchNorm1d(512);
    const input = x(evenkeel, [128, 512]);
    return {
      kept: [bn, input],
      call: () => {
        const batch = evenkeel.nn.virtualBatch(bn);
        try {
          const y = bn.forward(input);
          batch.commit();
          return [y];
        } finally {
          batch.discard();
        }
      },
    };
  },
  'forward with lengths': (evenkeel) => {
    // more scratch for the layer than for packing: the latter, after it, asks for one block instead
    const bn = new evenkeel.nn.BatchNorm1d(1000);
    const input = x(evenkeel, [16, 1000, 4], true);
    const lengths = Int32Array.from({ length: 16 }, (_, i) => i % 5);
    return { kept: [bn, input], call: () => [bn.forward(input, { lengths })] };
  },
  'forward with a mask that has holes': (evenkeel) => {
    const bn = new evenkeel.nn.BatchNorm1d(1000);
    const input = x(evenkeel, [16, 1000, 4], true);
    const mask = Int32Array.from({ length: 64 }, (_, i) => ((i * 7) % 3) & 1);
    return { kept: [bn, input], call: () => [bn.forward(input, { mask })] };
  },
  'functional.batchNorm with lengths': (evenkeel) => {
    const { functional, tensor } = evenkeel;
    const [mean, variance] = [tensor(numbers([1000], 3)), tensor(numbers([1000], 4))];
    const input = x(evenkeel, [16, 1000, 4]);
    const lengths = Int32Array.from({ length: 16 }, (_, i) => i % 5);
    return {
      kept: [mean, variance, input],
      call: () => [functional.batchNorm(input, mean, variance, { training: true, lengths })],
    };
  },
  'backward (128, 512)': backward([128, 512]),
  'backward (4096, 3)': backward([4096, 3]),
  'backward (8, 16, 512)': backward([8, 16, 512]),
  'backward (4, 3, 8192)': backward([4, 3, 8192]),
  'backward of a frozen layer': backward([128, 512], (bn) => bn.freeze({ affine: false })),
  'backward of lengths': (evenkeel) => {
    const bn = new evenkeel.nn.BatchNorm1d(3);
    const input = x(evenkeel, [12000, 3, 4], true);
    const y = bn.forward(input, { lengths: Int32Array.from({ length: 12000 }, (_, i) => i % 5) });
    const dy = evenkeel.tensor(numbers([12000, 3, 4], 2), [12000, 3, 4]);
    return {
      kept: [bn, input],
      call: () => {
        y.backward(dy);
        return [input.grad, bn.weight!.grad, bn.bias!.grad];
      },
    };
  },
  'backward onto gradients, some of one value': (evenkeel) => {
    const { functional } = evenkeel;
    const leaves = [1, 2, 3].map(() => x(evenkeel, [64, 64], true));
    const sum = () =>
      leaves.map((each) => functional.sum(each)).reduce((a, b) => functional.add(a, b));
    sum().backward();
    const again = sum();
    return {
      kept: leaves,
      call: () => {
        again.backward();
        return leaves.map(({ grad }) => grad);
      },
    };
  },
  'backward of one gradient to several leaves': (evenkeel) => {
    const { functional } = evenkeel;
    const leaves = [1, 2, 3].map(() => x(evenkeel, [64, 64], true));
    const y = leaves.reduce((a, b) => functional.add(a, b));
    const dy = evenkeel.tensor(numbers([64, 64], 2), [64, 64]);
    return {
      kept: leaves,
      call: () => {
        y.backward(dy);
        return leaves.map(({ grad }) => grad);
      },
    };
  },
  'Linear, forward and backward': (evenkeel) => {
    const linear = new evenkeel.nn.Linear(300, 200);
    const input = x(evenkeel, [100, 300], true);
    return {
      kept: [linear, input],
      call: () => {
        const y = linear.forward(input);
        y.backward(y.detach());
        return [y, input.grad, linear.weight.grad, linear.bias!.grad];
      },
    };
  },
  'a model forward in training': (evenkeel) => {
    const net = model(evenkeel);
    const input = x(evenkeel, [80, 40]);
    // all or nothing needs a transaction: each layer by itself is, and a model is several
    return {
      kept: [net, input],
      call: () => [
        evenkeel.nn.transaction(net, () => {
          evenkeel.manualSeed(3);
          return net.forward(input);
        }),
      ],
    };
  },
  dropout: (evenkeel) => {
    const input = x(evenkeel, [128, 512]);
    return { kept: [input], call: () => [evenkeel.functional.dropout(input)] };
  },
  'cross-entropy': (evenkeel) => {
    const logits = x(evenkeel, [80, 500], true);
    return {
      kept: [logits],
      call: () => {
        const loss = evenkeel.functional.crossEntropy(logits, labels);
        loss.backward();
        return [loss, logits.grad];
      },
    };
  },
  'squared error, sums': (evenkeel) => {
    const a = x(evenkeel, [128, 512], true),
      b = x(evenkeel, [128, 512]);
    return {
      kept: [a, b],
      call: () => {
        const loss = evenkeel.functional.mseLoss(a, b);
        const sum = evenkeel.functional.sum(a);
        loss.backward();
        return [loss, sum, a.grad];
      },
    };
  },
  'SGD with momentum, its first step': stepping(
    (optim, net) => new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 }),
  ),
  'Adam, its first step': stepping((optim, net) => new optim.Adam(net.parameters())),
  "an optimiser's state that is read and loaded": (evenkeel) => {
    const [net, other] = [model(evenkeel), model(evenkeel)];
    const adam = new evenkeel.optim.Adam(net.parameters());
    const later = new evenkeel.optim.Adam(other.parameters());
    for (const each of net.parameters()) each.grad = each.detach().clone();
    adam.step();
    return {
      kept: [net],
      call: () => {
        later.loadStateDict(adam.stateDict());
        return Object.values(later.stateDict().state).flatMap((each) => Object.values(each));
      },
    };
  },
  'a Linear that is made': ({ nn }) => ({
    kept: [],
    call: () => [...new nn.Linear(64, 64).parameters()],
  }),
  'a BatchNorm that is made': ({ nn }) => ({
    kept: [],
    call: () => [...new nn.BatchNorm1d(64).buffers()],
  }),
  'gradients that become zeros, some of one value': (evenkeel) => {
    const { nn, functional, optim } = evenkeel;
    const parameters = [1, 2].map(
      (seed) => new nn.Parameter(evenkeel.tensor(numbers([64, 64], seed), [64, 64])),
    );
    const optimizer = new optim.SGD(parameters, { lr: 1 });
    functional.add(functional.sum(parameters[0]!), functional.sum(parameters[1]!)).backward();
    return {
      kept: parameters,
      call: () => {
        optimizer.zeroGrad({ setToNone: false });
        return parameters.map(({ grad }) => grad);
      },
    };
  },
  'a tensor that is written from another type': (evenkeel) => {
    const { tensor } = evenkeel;
    const target = x(evenkeel, [128, 512]);
    const source = tensor(Float64Array.from(numbers([512], 2)), [512]);
    return { kept: [target], call: () => [target.copy_(source)] };
  },
  'a module that is cloned': (evenkeel) => {
    const net = model(evenkeel);
    return { kept: [net], call: () => [...net.clone().parameters()] };
  },
  'a state dict that is loaded': (evenkeel) => {
    const [net, other] = [model(evenkeel), model(evenkeel)];
    return {
      kept: [net],
      call: () => {
        net.loadStateDict(other.stateDict());
        return [...net.parameters(), ...net.buffers()];
      },
    };
  },
  'layers that are folded': (evenkeel) => {
    const { nn } = evenkeel;
    const [linear, bn] = [new nn.Linear(64, 64), new nn.BatchNorm1d(64)];
    bn.eval();
    return {
      kept: [linear, bn],
      call: () => [...nn.foldBatchNorm(linear.eval(), bn).parameters()],
    };
  },
};
