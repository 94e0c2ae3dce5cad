// What is done to the package while something fails: a piece of program for runChild(), after which
// `operations` has a maker for each kind of call, and sweep() lets each request of one fail in turn.
import { LATER } from './operations-later.js';

export const OPERATIONS = `
const FOLDER = require('node:path').dirname(process.env.EVENKEEL_TEST_BUILT);
/** As right after loading: an instance of the addon without scratch, an empty pool. */
const cold = (evenkeel, path = process.env.EVENKEEL_TEST_ADDON) => {
  const { native } = evenkeel, { threads } = native;
  const loaded = { exports: {} };
  process.dlopen(loaded, path);
  Object.assign(require(FOLDER + '/addon/control.js').addon, loaded.exports);
  native.setThreads(threads);
  native.memory.trim();
};
/** A copy of the addon is another library: with threads of its own, which have not begun. */
const unbegun = (evenkeel) => {
  const fs = require('node:fs');
  const folder = fs.mkdtempSync(require('node:path').join(require('node:os').tmpdir(), 'evenkeel-cold-'));
  fs.copyFileSync(process.env.EVENKEEL_TEST_ADDON, folder + '/evenkeel.node');
  cold(evenkeel, folder + '/evenkeel.node');
  fs.rmSync(folder, { recursive: true });
};
const known = new Map();
const numbers = (shape, seed) => {
  const key = [seed, ...shape].join();
  if (!known.has(key)) {
    const count = shape.reduce((a, b) => a * b, 1);
    known.set(key, Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.7 + seed) * 3 + 7));
  }
  return known.get(key).slice();
};
const put = (hash, value) => {
  if (value === null || value === undefined) hash.update('none');
  else if (value.shape === undefined) hash.update(String(value));
  // a gradient of one value has no array yet, and looking must not make it one
  else if (value.expandedValue !== null) hash.update(new Float32Array(value.numel).fill(value.expandedValue));
  else hash.update(value.data);
  return hash;
};
const bitsOf = (values) => values.reduce(put, createHash('sha256')).digest('hex');
/** The bits of modules and tensors, their gradients included. */
const stateOf = (subjects) => bitsOf(subjects.flatMap((subject) => subject.namedParameters === undefined
  ? [subject, subject.grad]
  : [...subject.parameters(), ...subject.buffers()].flatMap((each) => [each, each.grad])));

/** evenkeel -> what a call must leave alone when it fails, and the call: it returns what it computed. */
const operations = (() => {
  const x = ({ tensor }, shape, requiresGrad = false) =>
    tensor(numbers(shape, 1), shape, { requiresGrad });
  const forward = (shape, options, change) => (evenkeel) => {
    const bn = new evenkeel.nn.BatchNorm1d(shape[options?.layout === 'NLC' ? 2 : 1], options);
    change?.(bn, evenkeel);
    const input = x(evenkeel, shape, true);
    return { kept: [bn, input], call: () => [bn.forward(input)] };
  };
  const backward = (shape, change) => (evenkeel) => {
    const { nn, tensor } = evenkeel;
    const bn = new nn.BatchNorm1d(shape[1]);
    change?.(bn);
    const input = x(evenkeel, shape, true);
    const y = bn.forward(input);
    const dy = tensor(numbers(shape, 2), shape);
    return { kept: [bn, input, y], call: () => {
      y.backward(dy);
      return [input.grad, bn.weight.grad, bn.bias.grad];
    } };
  };
  const model = ({ nn }) => new nn.Sequential(
    new nn.Linear(40, 600), new nn.BatchNorm1d(600), new nn.ReLU(), new nn.Dropout(0.3), new nn.Linear(600, 10));
  const labels = Int32Array.from({ length: 80 }, (_, i) => i % 10);
  const stepping = (make) => (evenkeel) => {
    const net = model(evenkeel);
    const input = x(evenkeel, [80, 40]);
    const optimizer = make(evenkeel.optim, net);
    evenkeel.functional.crossEntropy(net.forward(input), labels).backward();
    return { kept: [net], call: () => {
      optimizer.step();
      return [...net.parameters()];
    } };
  };
  return {
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
      Object.assign(bn, { normalizeBy: 'running', updateStatistics: true })),
    'forward in a virtual batch, committed': (evenkeel) => {
      const bn = new evenkeel.nn.BatchNorm1d(512);
      const input = x(evenkeel, [128, 512]);
      return { kept: [bn, input], call: () => {
        const batch = evenkeel.nn.virtualBatch(bn);
        try {
          const y = bn.forward(input);
          batch.commit();
          return [y];
        } finally {
          batch.discard();
        }
      } };
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
      const mask = Int32Array.from({ length: 64 }, (_, i) => (i * 7) % 3 & 1);
      return { kept: [bn, input], call: () => [bn.forward(input, { mask })] };
    },
    'functional.batchNorm with lengths': (evenkeel) => {
      const { functional, tensor } = evenkeel;
      const [mean, variance] = [tensor(numbers([1000], 3)), tensor(numbers([1000], 4))];
      const input = x(evenkeel, [16, 1000, 4]);
      const lengths = Int32Array.from({ length: 16 }, (_, i) => i % 5);
      return { kept: [mean, variance, input], call: () =>
        [functional.batchNorm(input, mean, variance, { training: true, lengths })] };
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
      return { kept: [bn, input], call: () => {
        y.backward(dy);
        return [input.grad, bn.weight.grad, bn.bias.grad];
      } };
    },
    'backward onto gradients, some of one value': (evenkeel) => {
      const { functional } = evenkeel;
      const leaves = [1, 2, 3].map(() => x(evenkeel, [64, 64], true));
      const sum = () => leaves.map((each) => functional.sum(each)).reduce((a, b) => functional.add(a, b));
      sum().backward();
      const again = sum();
      return { kept: leaves, call: () => {
        again.backward();
        return leaves.map(({ grad }) => grad);
      } };
    },
    'backward of one gradient to several leaves': (evenkeel) => {
      const { functional } = evenkeel;
      const leaves = [1, 2, 3].map(() => x(evenkeel, [64, 64], true));
      const y = leaves.reduce((a, b) => functional.add(a, b));
      const dy = evenkeel.tensor(numbers([64, 64], 2), [64, 64]);
      return { kept: leaves, call: () => {
        y.backward(dy);
        return leaves.map(({ grad }) => grad);
      } };
    },
    'Linear, forward and backward': (evenkeel) => {
      const linear = new evenkeel.nn.Linear(300, 200);
      const input = x(evenkeel, [100, 300], true);
      return { kept: [linear, input], call: () => {
        const y = linear.forward(input);
        y.backward(y.detach());
        return [y, input.grad, linear.weight.grad, linear.bias.grad];
      } };
    },
    'a model forward in training': (evenkeel) => {
      const net = model(evenkeel);
      const input = x(evenkeel, [80, 40]);
      // all or nothing needs a transaction: each layer by itself is, and a model is several
      return { kept: [net, input], call: () => [evenkeel.nn.transaction(net, () => {
        evenkeel.manualSeed(3);
        return net.forward(input);
      })] };
    },
    dropout: (evenkeel) => {
      const input = x(evenkeel, [128, 512]);
      return { kept: [input], call: () => [evenkeel.functional.dropout(input)] };
    },
    'cross-entropy': (evenkeel) => {
      const logits = x(evenkeel, [80, 500], true);
      return { kept: [logits], call: () => {
        const loss = evenkeel.functional.crossEntropy(logits, labels);
        loss.backward();
        return [loss, logits.grad];
      } };
    },
    'squared error, sums': (evenkeel) => {
      const a = x(evenkeel, [128, 512], true), b = x(evenkeel, [128, 512]);
      return { kept: [a, b], call: () => {
        const loss = evenkeel.functional.mseLoss(a, b);
        const sum = evenkeel.functional.sum(a);
        loss.backward();
        return [loss, sum, a.grad];
      } };
    },
    'SGD with momentum, its first step': stepping((optim, net) =>
      new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 })),
    'Adam, its first step': stepping((optim, net) => new optim.Adam(net.parameters())),
    "an optimiser's state that is read and loaded": (evenkeel) => {
      const [net, other] = [model(evenkeel), model(evenkeel)];
      const [adam, later] = [net, other].map((each) => new evenkeel.optim.Adam(each.parameters()));
      for (const each of net.parameters()) each.grad = each.detach().clone();
      adam.step();
      return { kept: [net], call: () => {
        later.loadStateDict(adam.stateDict());
        return Object.values(later.stateDict().state).flatMap((each) => Object.values(each));
      } };
    },
    'a Linear that is made': ({ nn }) => ({ kept: [], call: () => [...new nn.Linear(64, 64).parameters()] }),
    'a BatchNorm that is made': ({ nn }) => ({ kept: [], call: () => [...new nn.BatchNorm1d(64).buffers()] }),
    'gradients that become zeros, some of one value': (evenkeel) => {
      const { nn, functional, optim } = evenkeel;
      const parameters = [1, 2].map((seed) => new nn.Parameter(evenkeel.tensor(numbers([64, 64], seed), [64, 64])));
      const optimizer = new optim.SGD(parameters, { lr: 1 });
      functional.add(functional.sum(parameters[0]), functional.sum(parameters[1])).backward();
      return { kept: parameters, call: () => {
        optimizer.zeroGrad({ setToNone: false });
        return parameters.map(({ grad }) => grad);
      } };
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
      return { kept: [net], call: () => {
        net.loadStateDict(other.stateDict());
        return [...net.parameters(), ...net.buffers()];
      } };
    },
    'layers that are folded': (evenkeel) => {
      const { nn } = evenkeel;
      const [linear, bn] = [new nn.Linear(64, 64), new nn.BatchNorm1d(64)];
      bn.eval();
      return { kept: [linear, bn], call: () => [...nn.foldBatchNorm(linear.eval(), bn).parameters()] };
    },
  };
})();
${LATER}
/**
 * Every operation again and again, with request 1, 2, ... failing, until none is left to fail. A call
 * that fails must throw what \`rightly\` says, have changed nothing, and go well the next time.
 */
const sweep = async (names, { watch, seen, rightly, forever, begin = cold }) => {
  const evenkeel = load();
  const made = async (name) => {
    evenkeel.manualSeed(7);
    const { kept, call } = await operations[name](evenkeel);
    begin(evenkeel);
    return { kept, call };
  };
  const total = { failures: 0, fewest: Infinity };
  for (const name of names) {
    const say = (...what) => console.log(name + ':', ...what);
    const { kept, call } = await made(name);
    const right = bitsOf(await call()) + stateOf(kept);
    let failures = 0;
    for (let at = 1; ; at++) {
      const { kept, call } = await made(name);
      const before = stateOf(kept);
      let result = null, error = null;
      watch(at, forever);
      try { result = await call(); } catch (caught) { error = caught; }
      const requests = seen();
      if (error === null && requests < at) break;
      failures++;
      if (error !== null) {
        if (!rightly(error)) say('request', at, 'throws', String(error));
        if (stateOf(kept) !== before) say('request', at, 'of', requests, 'failed, and something has changed');
        result = await call();
      }
      if (bitsOf(result) + stateOf(kept) !== right) say('other bits after request', at, 'failed');
      if (at > 1000) { say('does not end'); break; }
    }
    total.failures += failures;
    total.fewest = Math.min(total.fewest, failures);
    if (process.env.EVENKEEL_TEST_VERBOSE) say(failures);
  }
  return total;
};
/** What all operations compute and leave behind, in one hash; \`around\` runs each call. */
const digest = async (around = (call) => call()) => {
  const evenkeel = load();
  const hash = createHash('sha256');
  for (const name of Object.keys(operations)) {
    evenkeel.manualSeed(7);
    const { kept, call } = await operations[name](evenkeel);
    hash.update(bitsOf(await around(call))).update(stateOf(kept));
  }
  return hash.digest('hex');
};
/** JavaScript's own arrays and buffers: \`watch\` and \`seen\` for sweep(); to be called before load(). */
const interceptArrays = () => {
  let at = 0, forever = false, count = 0, watching = false;
  const request = () => {
    if (!watching) return;
    count++;
    if (at > 0 && (count === at || (forever && count > at))) throw new RangeError('Array buffer allocation failed');
  };
  for (const name of ['Float32Array', 'Float64Array', 'Int32Array', 'Uint32Array', 'BigInt64Array', 'ArrayBuffer']) {
    const original = globalThis[name];
    globalThis[name] = new Proxy(original, {
      construct(target, args, newTarget) {
        // a view of memory that is there asks for none
        if (!(args[0] instanceof ArrayBuffer || args[0] instanceof SharedArrayBuffer)) request();
        return Reflect.construct(target, args, newTarget);
      },
    });
  }
  const { allocUnsafeSlow } = Buffer;
  Buffer.allocUnsafeSlow = (bytes) => {
    request();
    return allocUnsafeSlow(bytes);
  };
  return {
    watch: (n, ever) => { [at, forever, count, watching] = [n, ever, 0, true]; },
    seen: () => { watching = false; return count; },
  };
};
`;
