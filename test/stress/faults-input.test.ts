// Memory that goes away, shrinks or is written by others, and errors that come from the middle of a call:
// each is one error or some numbers, and nothing has changed that a refused call has no business with.
import { describe, expect, test } from 'vitest';

import { runChild, well } from '../helpers/child.js';
import { OPERATIONS } from '../helpers/faults/program.js';
import { surviving, trials } from '../helpers/trials.js';

const env = { EVENKEEL_THREADS: '2' };

/** Each operand of each call over a buffer of its own: `operands` by name, and the call. */
const CALLS = `
const random = (() => { let s = 1; return (n) => (s = (s * 48271) % 2147483647) % n; })();
const calls = {
  forward: ({ nn, tensor }, own) => {
    const [n, c, l] = [2 + random(20), 1 + random(40), 1 + random(40)];
    const bn = new nn.BatchNorm1d(c, { momentum: random(2) ? 0.1 : null });
    bn.weight = new nn.Parameter(own([c]), false);
    bn.bias = new nn.Parameter(own([c]), false);
    bn.registerBuffer('running_mean', own([c]));
    bn.registerBuffer('running_var', own([c]));
    const operands = { x: own([n, c, l]), out: own([n, c, l]), weight: bn.weight, bias: bn.bias,
      runningMean: bn.runningMean, runningVar: bn.runningVar, counter: bn.getBuffer('num_batches_tracked') };
    return { operands, kept: [bn], call: () => bn.forward(operands.x, { out: operands.out }) };
  },
  evaluation: (evenkeel, own) => {
    const { operands, kept, call } = calls.forward(evenkeel, own);
    kept[0].eval();
    delete operands.counter;
    return { operands, kept, call };
  },
  backward: ({ nn, tensor }, own) => {
    const [n, c, l] = [2 + random(20), 1 + random(40), 1 + random(40)];
    const bn = new nn.BatchNorm1d(c);
    bn.weight = new nn.Parameter(own([c]));
    const x = own([n, c, l]);
    x.requiresGrad = true;
    const y = bn.forward(x), dy = own([n, c, l]);
    return { operands: { x, dy, weight: bn.weight }, kept: [bn, x], call: () => y.backward(dy) };
  },
  step: ({ nn, optim }, own) => {
    const parameters = [own([64]), own([64])].map((each) => new nn.Parameter(each));
    for (const each of parameters) each.grad = own([64]);
    const optimizer = new optim.Adam(parameters);
    const [a, b] = parameters;
    return { operands: { a, b, gradA: a.grad, gradB: b.grad }, kept: [], call: () => optimizer.step() };
  },
  crossEntropy: ({ functional, tensor }, own) => {
    const [rows, classes] = [1 + random(50), 1 + random(50)];
    const targets = own([rows], Int32Array);
    return { operands: { logits: own([rows, classes]), targets }, kept: [],
      call() { return functional.crossEntropy(this.operands.logits, this.operands.targets); } };
  },
};
`;

/** Every operand of every call in turn is spoilt: all calls are refused, and change none of the others. */
const spoiling = (rounds: number, own: string, spoil: string): string => `${OPERATIONS}${CALLS}
  const evenkeel = load();
  let refused = 0;
  const own = (shape, Array_ = Float32Array) => {
    const numel = shape.reduce((a, b) => a * b, 1);
    const view = ${own};
    for (let i = 0; i < numel; i++) view[i] = Array_ === Float32Array ? 1 + (i * 7) % 5 : 0;
    return evenkeel.tensor(view, shape);
  };
  for (let round = 0; round < ${rounds}; round++) {
    for (const [name, make] of Object.entries(calls)) {
      for (const operand of Object.keys(make(evenkeel, own).operands)) {
        const made = make(evenkeel, own);
        const { buffer } = made.operands[operand].data;
        ${spoil}
        const rest = Object.values(made.operands).filter((each) => each !== made.operands[operand]);
        const state = () => bitsOf([...rest, ...rest.map(({ grad }) => grad)]);
        const before = state();
        let said = 'nothing';
        try { made.call(); } catch (e) { said = e instanceof TypeError || e instanceof RangeError || e; }
        if (said !== true) console.log(name, operand, said);
        if (state() !== before) console.log(name, operand, 'something has changed');
        refused++;
      }
    }
  }
  if (refused < ${rounds}) console.log(refused);
  console.log(train().length);`;

test('each operand in turn detached', () => {
  const rounds = trials(3);
  return surviving('1', rounds, async () => {
    const detached = spoiling(
      rounds,
      'new Array_(numel)',
      'if (operand === "counter") continue; structuredClone(buffer, { transfer: [buffer] });',
    );
    expect(await runChild(detached, { env })).toEqual(well('64\n'));
  });
});

test('each operand in turn shrunk, by one element or to nothing', () => {
  const rounds = trials(3);
  return surviving('3', rounds, async () => {
    const shrunk = spoiling(
      rounds,
      'new Array_(new ArrayBuffer(numel * 4 + 64, { maxByteLength: numel * 8 + 64 }), 64, numel)',
      'if (operand === "counter") continue; buffer.resize(round % 2 === 0 ? buffer.byteLength - 4 : 0);',
    );
    expect(await runChild(shrunk, { env })).toEqual(well('64\n'));
  });
});

test('each operand shared and written by another thread all the time: numbers, not crashes', () => {
  const rounds = trials(5);
  return surviving('6', rounds, async () => {
    const program = `${OPERATIONS}${CALLS}
      const shared = new SharedArrayBuffer(2 ** 22);
      const worker = evalWorker(\`
        const words = new Int32Array(workerData), floats = new Float32Array(workerData);
        parentPort.postMessage(0);
        for (let i = 0; ; i++) {
          const at = (i * 7919) % words.length;
          if (i % 3 === 0) words[at] = i * 2654435761; else floats[at] = [NaN, Infinity, -1e38, 0, i][i % 5];
        }\`, shared);
      worker.once('message', () => {
        const evenkeel = load();
        let from = 0, made = 0;
        const own = (shape, Array_ = Float32Array) => {
          const numel = shape.reduce((a, b) => a * b, 1);
          if (from + numel * 4 > shared.byteLength) from = 0;
          const view = new Array_(shared, from, numel);
          from += Math.ceil(numel / 16) * 64;
          return evenkeel.tensor(view, shape);
        };
        for (let round = 0; round < ${rounds}; round++) {
          for (const [name, make] of Object.entries(calls)) {
            from = 0;
            const made = make(evenkeel, own);
            for (let i = 0; i < 20; i++) {
              try { made.call(); } catch (e) {
                // a target that is no class, and a graph that was walked
                if (!/class|second time/.test(e.message)) console.log(name, String(e));
              }
            }
          }
        }
        worker.terminate();
        console.log(train().length);
      });`;
    expect(await runChild(program, { env })).toEqual(well('64\n'));
  });
});

test('calls in flight on memory that another thread writes: numbers, not crashes', () => {
  const calls = trials(20, 400);
  return surviving('6', calls, async () => {
    const program = `
      const shared = new Float32Array(new SharedArrayBuffer(4 * 512 * 512)).fill(1);
      const worker = evalWorker(
        'parentPort.postMessage(0); for (let i = 0; ; i++) workerData[(i * 7919) % workerData.length] = [NaN, Infinity, -1e38, 0, i][i % 5];',
        shared,
      );
      worker.once('message', async () => {
        const { nn, tensor } = load();
        const x = tensor(shared, [512, 512], { requiresGrad: true });
        const one = async (i) => {
          const bn = new nn.BatchNorm1d(512);
          const y = await bn.forwardAsync(x);
          await y.backwardAsync(x.detach());
          const variances = bn.runningVar.data;
          if (!variances.every((value) => value >= 0 || Number.isNaN(value))) console.log('a variance below 0');
          x.grad = null;
        };
        for (let i = 0; i < ${calls}; i += 10) await Promise.all(Array.from({ length: 10 }, (_, k) => one(k)));
        worker.terminate();
        console.log(train().length);
      });`;
    expect(await runChild(program, { env })).toEqual(well('64\n'));
  });
});

/** Functions that call another one so many levels deep; in frames of several sizes, so that the stack ends elsewhere. */
const DEEP = `
  const deep = [0, 1, 5, 12].map((extra) => new Function('call', \`
    const deep = (levels\${', a'.repeat(extra).replace(/a/g, (_, i) => 'a' + i)}) => {
      if (levels === 0) return call();
      const result = deep(levels - 1);
      return result;
    };
    return deep;\`));
  /** The deepest level that \`attempt\` has room for, then each of the next; again, as compiled frames are smaller. */
  const atTheEnd = async (attempt) => {
    for (let round = 0; round < 3; round++) {
      let [low, high] = [0, 40000];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (await attempt(middle)) low = middle; else high = middle;
      }
      for (let levels = low; levels < low + 30; levels++) await attempt(levels);
    }
  };`;

describe('an error from the middle of a call', () => {
  // no other way reaches every line: the stack ends in each function in turn
  test('as the stack runs out at every depth: all has changed, or nothing', () => {
    const tries = trials(12, 200);
    return surviving('27', tries, async () => {
      const program = `${OPERATIONS}
        const { nn, tensor, native } = load();
        native.memory.limit = 0;
        const bn = new nn.BatchNorm1d(8), x = tensor(numbers([16, 8], 1), [16, 8]);
        ${DEEP}
        for (let i = 0; i < 300; i++) bn.forward(x);
        (async () => {
        let inside = 0, thrown = 0;
        for (let i = 0; i < ${tries}; i++) {
          let entered = false;
          const step = deep[i % 4](() => { entered = true; bn.forward(x); });
          const attempt = (levels) => {
            bn.resetRunningStats();
            entered = false;
            let error = null;
            try { step(levels); } catch (e) { error = e; }
            if (error === null) return true;
            thrown++;
            if (entered) inside++;
            if (!(error instanceof RangeError)) console.log(error);
            const moved = bn.runningMean.data[0] !== 0, counted = bn.numBatchesTracked;
            if (counted !== (moved ? 1 : 0)) console.log('moved', moved, 'counted', counted, error.stack.split('\\n')[1]);
            return false;
          };
          await atTheEnd(attempt);
        }
        if (inside < ${tries}) console.log(inside, 'inside of', thrown);
        console.log(train().length);
        })();`;
      expect(await runChild(program, { env })).toEqual(well('64\n'));
    });
  });

  // Node's own words where it has no room to note a rejection itself
  const NO_STACK_FOR_NODE =
    /Exception in PromiseRejectCallback:\n(.*\n){2,3}\nRangeError: Maximum call stack size exceeded\n\n/g;
  const inputs = {
    'copied in turns': 'tensor(numbers([40000, 8], 1), [40000, 8], { requiresGrad: true })',
    shared:
      'tensor(new Float32Array(new SharedArrayBuffer(4 * 40000 * 8)).fill(2), [40000, 8], { requiresGrad: true })',
    'made here':
      'functional.add(tensor(numbers([5000, 8], 1), [5000, 8]), tensor(numbers([5000, 8], 1), [5000, 8]))',
  };
  test.each(Object.entries(inputs))(
    'and in a call beside the event loop, its input %s: rejected, and nobody waits for it',
    (_, input) => {
      const tries = trials(4, 40);
      return surviving('27', tries, async () => {
        const program = `${OPERATIONS}
          const { nn, tensor, native, functional } = load();
          ${DEEP}
          (async () => {
            const bn = new nn.BatchNorm1d(8);
            let inside = 0, thrown = 0;
            for (let i = 0; i < ${tries}; i++) {
              const x = ${input};
              let entered = false;
              const step = deep[i % 4](() => { entered = true; return bn.forwardAsync(x); });
              const attempt = async (levels) => {
                bn.resetRunningStats();
                entered = false;
                let error = null;
                try { (await step(levels)).dispose(); } catch (e) { error = e; }
                const moved = bn.runningMean.data[0] !== 0, counted = bn.numBatchesTracked;
                if (moved !== (error === null) || counted !== (error === null ? 1 : 0)) {
                  console.log('moved', moved, 'counted', counted, error);
                }
                if (error === null) return true;
                thrown++;
                if (entered) inside++;
                if (!(error instanceof RangeError)) console.log(error);
                return false;
              };
              await atTheEnd(attempt);
            }
            if (inside < ${tries}) console.log(inside, 'inside of', thrown);
            console.log(await trainLater() === train());
          })();`;
        const { stderr, ...rest } = await runChild(program, { env });
        expect({ ...rest, stderr: '' }).toEqual(well('true\n'));
        expect(stderr.replaceAll(NO_STACK_FOR_NODE, '')).toBe('');
      });
    },
  );
});
