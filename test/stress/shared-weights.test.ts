// Many Workers over one set of weights and inputs, in memory that all of them have: every one computes
// the same bits, and one that is terminated in the middle of it takes nothing along.
import { describe, expect, test } from 'vitest';

import { runChild, well, type Ended } from '../helpers/child.js';
import { trials } from '../helpers/trials.js';

/** In each thread: the network over what was sent, and the hash of what it makes of the input. */
const EVALUATION = `
const build = () => {
  const { nn } = load();
  return new nn.Sequential(
    new nn.Linear(64, 512), new nn.BatchNorm1d(512), new nn.ReLU(), new nn.Linear(512, 10));
};
const replicaOf = ({ state }) => {
  const { Tensor } = load();
  const model = build().eval();
  const given = new Map([...state].map(([key, each]) => [key, Tensor.from(each)]));
  model.loadStateDict(given, { assign: true });
  return model;
};
const evaluated = (model, { x }) => {
  const { noGrad, scope, tensor } = load();
  return noGrad(() => scope(() => {
    const y = model.forward(tensor(x, [1024, 64]));
    return createHash('sha256').update(y.data).digest('hex');
  }));
};`;

/** In the main thread: a network that has been trained a little, and all that Workers are given. */
const SHARED = `
const model = build();
const { tensor } = load();
const x = tensor(data(1024 * 64), [1024, 64]).shareMemory_();
for (let i = 0; i < 3; i++) model.forward(x);
model.eval().shareMemory();
const shared = {
  state: new Map([...model.stateDict()].map(([key, { data, shape }]) => [key, { data, shape }])),
  x: x.data,
  flags: new Int32Array(new SharedArrayBuffer(4 * 32)),
};
const stateHash = () => [...model.stateDict().values(), x]
  .reduce((hash, { data }) => hash.update(data), createHash('sha256')).digest('hex');
const [right, before] = [evaluated(model, shared), stateHash()];`;

/** @param worker - What each Worker does, with `workerData.shared` and its number `workerData.id`. */
function child(worker: string, program: string): Promise<Ended> {
  const body = JSON.stringify(`${EVALUATION}const { shared, id } = workerData;${worker}`);
  return runChild(`${EVALUATION}${SHARED}const body = ${body};(async () => {${program}})();`, {
    env: { EVENKEEL_THREADS: '4' },
  });
}

describe('Workers over shared weights', () => {
  test('24 load the addon at once and compute what one thread computes, from one memory', async () => {
    const worker = `
      Atomics.add(shared.flags, 0, 1); // when all have started, all load
      while (Atomics.load(shared.flags, 0) < 24) Atomics.wait(shared.flags, 1, 0, 1);
      const model = replicaOf(shared);
      const own = [...model.parameters(), ...model.buffers()].filter((each) => !each.isShared());
      const hashes = Array.from({ length: 5 }, () => evaluated(model, shared));
      parentPort.postMessage({ own: own.length, hashes });`;
    const program = `
      const answers = [];
      const workers = Array.from({ length: 24 }, (_, id) => evalWorker(body, { shared, id }));
      for (const each of workers) each.on('message', (answer) => answers.push(answer));
      const codes = await Promise.all(workers.map(ended));
      const hashes = answers.flatMap((answer) => answer.hashes);
      console.log(codes.every((code) => code === 0), hashes.length, hashes.every((hash) => hash === right));
      console.log(answers.every(({ own }) => own === 0), stateHash() === before);`;
    expect(await child(worker, program)).toEqual(well('true 120 true\ntrue true\n'));
  });

  test('what one thread writes into a weight between calls is there for all', async () => {
    const worker = `
      const model = replicaOf(shared);
      parentPort.on('message', (go) => {
        if (go) parentPort.postMessage(evaluated(model, shared));
        else parentPort.close();
      });`;
    const program = `
      const workers = Array.from({ length: 3 }, (_, id) => evalWorker(body, { shared, id }));
      const ask = () => Promise.all(workers.map((worker) => new Promise((resolve, reject) => {
        worker.once('error', reject).once('message', resolve);
        worker.postMessage(true);
      })));
      const first = await ask();
      model.at(3).bias.data[0] += 1;
      const changed = evaluated(model, shared);
      const second = await ask();
      for (const worker of workers) worker.postMessage(false);
      await Promise.all(workers.map(ended));
      console.log(first.every((hash) => hash === right), changed !== right, second.every((hash) => hash === changed));`;
    expect(await child(worker, program)).toEqual(well('true true true\n'));
  });

  test('one that is terminated in the middle of an evaluation takes nothing along', async () => {
    const rounds = trials(6);
    const worker = `
      const model = replicaOf(shared);
      let wrong = 0;
      while (Atomics.load(shared.flags, 31) === 0) {
        Atomics.add(shared.flags, id, 1); // begun
        if (evaluated(model, shared) !== workerData.right) wrong++;
      }
      parentPort.postMessage(wrong);`;
    const program = `
      const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const begun = async (id, calls) => {
        const from = Atomics.load(shared.flags, id);
        while (Atomics.load(shared.flags, id) < from + calls) await later(1);
      };
      const start = (id) => evalWorker(body, { shared, id, right });
      const staying = [1, 2, 3].map(start);
      const wrong = [];
      for (const each of staying) each.on('message', (count) => wrong.push(count));
      const codes = Promise.all(staying.map(ended));
      for (let round = 0; round < ${rounds}; round++) {
        const worker = start(0);
        await begun(0, 2);
        await later(Math.random() * 5);
        const [code] = await Promise.all([ended(worker), worker.terminate()]);
        if (code !== 1) console.log('code', code);
        for (const id of [1, 2, 3]) await begun(id, 2); // the others go on
      }
      Atomics.store(shared.flags, 31, 1);
      console.log(await codes, wrong);
      console.log(stateHash() === before, evaluated(model, shared) === right);`;
    expect(await child(worker, program)).toEqual(well('[ 0, 0, 0 ] [ 0, 0, 0 ]\ntrue true\n'));
  });
});
