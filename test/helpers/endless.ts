// Calls that do not end by themselves: a piece of program for runChild(), and for its Workers in the
// variable EVENKEEL_TEST_ENDLESS of the environment.

export const ENDLESS = `
/** Calls of 8 MB, on memory that all threads share: shared[0] says how many have begun. */
const endless = (shared) => {
  const { nn, tensor } = load();
  const view = (from, numel) => new Float32Array(shared, 64 + 4 * from, numel);
  const [n, c] = [2048, 1024];
  const bn = new nn.BatchNorm1d(c);
  bn.weight = new nn.Parameter(tensor(view(0, c)));
  bn.bias = new nn.Parameter(tensor(view(c, c)));
  const x = tensor(view(2 * c, n * c), [n, c], { requiresGrad: true });
  const flags = new Int32Array(shared, 0, 1);
  for (;;) {
    const y = bn.forward(x);
    Atomics.add(flags, 0, 1);
    y.backward(y.detach());
    y.dispose();
    bn.zeroGrad();
    x.grad = null;
  }
};
/** The memory of endless(): weights and inputs, written once. */
const sharedMemory = () => {
  const shared = new SharedArrayBuffer(64 + 4 * (2 * 1024 + 2048 * 1024));
  const values = new Float32Array(shared, 64);
  for (let i = 0; i < values.length; i++) values[i] = Math.sin(i) * 3 + 7;
  return shared;
};
const hashOf = (shared) => createHash('sha256').update(new Float32Array(shared, 64)).digest('hex');
const begun = async (shared, calls) => {
  while (Atomics.load(new Int32Array(shared, 0, 1), 0) < calls) await wait(1);
};
const endlessly = (shared) => evalWorker(process.env.EVENKEEL_TEST_ENDLESS + 'endless(workerData);', shared);
`;
