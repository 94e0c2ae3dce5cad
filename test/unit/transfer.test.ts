// { transfer: true } takes the whole buffer of the input away: refused where that holds anything else, before
// anything has changed.
import { describe, expect, test } from 'vitest';

import { data as datasets, functional, nn, tensor, Tensor } from '../../src/index.js';
import { snapshot } from '../helpers/snapshot.js';

async function rejection(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'fulfilled', String);
}

/** The types know neither of the two. */
function resizable(bytes: number, most: number): ArrayBuffer {
  const Resizable = ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer;
  return new Resizable(bytes, { maxByteLength: most });
}
function wasmMemory(bytes: number): ArrayBuffer {
  const { WebAssembly: wasm } = globalThis as unknown as {
    WebAssembly: { Memory: new (pages: { initial: number }) => { buffer: ArrayBuffer } };
  };
  return new wasm.Memory({ initial: Math.ceil(bytes / 65_536) }).buffer;
}

const alone =
  'RangeError: BatchNorm1d: expected a buffer to transfer that holds the input alone, got';
/** 40,000 elements are a job; 12 are computed at once. */
const SIZES = [
  [200, 200],
  [4, 3],
] as const;

describe.each(SIZES)('an input [%i, %i]', (n, c) => {
  const numel = n * c;
  const bytes = 4 * numel;

  const refused = async (
    x: Tensor,
    message: string | RegExp,
    kept: Float32Array,
  ): Promise<void> => {
    const bn = new nn.BatchNorm1d(c);
    const unchanged = snapshot(bn, x);
    const [length, values] = [kept.length, Buffer.from(kept.slice().buffer)];
    const got = await rejection(bn.forwardAsync(x, { transfer: true }));
    if (typeof message === 'string') expect(got).toBe(message);
    else expect(got).toMatch(message);
    unchanged();
    expect(kept.length).toBe(length);
    expect(Buffer.from(kept.slice().buffer).equals(values)).toBe(true);
    expect((await bn.forwardAsync(x)).shape).toEqual([n, c]); // not taken, it can be copied
  };
  const random = (count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => Math.sin(i));

  test('a batch of a larger array', async () => {
    const all = random(4 * numel);
    for (const from of [0, numel, 3 * numel]) {
      const x = tensor(all.subarray(from, from + numel), [n, c]);
      const got = `${alone} one of ${4 * bytes} bytes, of which it takes ${bytes}.`;
      await refused(x, new RegExp(`^${got.replaceAll(/[.()]/g, '\\$&')}$`), all);
    }
  });

  test('an offset of another library', async () => {
    const all = random(numel + 1);
    await refused(Tensor.from({ data: all, shape: [n, c], offset: 1 }), /alone, got one of/, all);
  });

  test('an array that another tensor is made of', async () => {
    const data = random(numel);
    const x = tensor(data, [n, c]);
    const other = tensor(data, [c, n]);
    const part = tensor(data.subarray(1));
    const message = `${alone} one that another tensor is made of too (dispose of that first).`;
    await refused(x, message, data);
    other.dispose();
    await refused(x, /another tensor/, data);
    part.dispose();
    const y = await new nn.BatchNorm1d(c).forwardAsync(x, { transfer: true });
    expect([y.shape, data.length, x.data.length]).toEqual([[n, c], 0, numel]);
  });

  test('an output that a tensor was made of', async () => {
    const y = functional.relu(tensor(random(numel), [n, c]));
    const other = tensor(y.data);
    await refused(y, /another tensor/, other.data as Float32Array);
  });

  test('a slice of the pool of small Buffers', async () => {
    if (numel > 12) return; // a large one has a buffer of its own
    const slice = Buffer.from(new Uint8Array(random(12).buffer));
    expect(slice.buffer.byteLength).toBeGreaterThan(48);
    const view = new Float32Array(slice.buffer, slice.byteOffset, 12);
    await refused(tensor(view, [n, c]), /alone, got one of/, view);
  });

  test('memory of WebAssembly', async () => {
    const part = new Float32Array(wasmMemory(bytes), 0, numel);
    await refused(tensor(part, [n, c]), /alone, got one of/, part);
    const whole = new Float32Array(wasmMemory(bytes));
    const rows = whole.length / 4;
    const bn = new nn.BatchNorm1d(4);
    const call = bn.forwardAsync(tensor(whole, [rows, 4]), { transfer: true });
    expect(await rejection(call)).toMatch(/^TypeError: .*can be transferred, got one that cannot/);
    expect(whole.length).toBe(4 * rows);
  });

  test('a resizable buffer: whole it is taken, in part it is not', async () => {
    const buffer = resizable(bytes, 4 * bytes);
    const x = tensor(new Float32Array(buffer), [n, c]);
    await new nn.BatchNorm1d(c).forwardAsync(x, { transfer: true });
    expect([buffer.byteLength, x.data.length]).toEqual([0, numel]);

    const roomy = resizable(bytes + 4, 4 * bytes);
    const part = new Float32Array(roomy, 0, numel);
    await refused(tensor(part, [n, c]), /alone, got one of/, part);
  });

  test('what a data set of { data, shape } holds is refused', async () => {
    const source = random(numel);
    const set = new datasets.TensorDataset({ data: source, shape: [n, c] });
    await refused(tensor(source, [n, c]), /another tensor is made of too/, source);
    expect(set.rows([0])[0].shape).toEqual([1, c]);
  });

  test('what is the input alone is taken', async () => {
    const data = random(numel);
    const x = tensor(data, [n, c]);
    const alias = x.detach(); // the same memory, which goes along
    await new nn.BatchNorm1d(c).forwardAsync(x, { transfer: true });
    expect([data.length, alias.data.length]).toEqual([0, numel]);
    const y = functional.relu(x); // made here, in a corner of a larger buffer where it is large
    const seen = y.data;
    await new nn.BatchNorm1d(c).forwardAsync(y, { transfer: true });
    expect([seen.length, y.data.length]).toEqual([0, numel]);
  });

  test('shared memory is only read, in part too', async () => {
    const shared = new Float32Array(new SharedArrayBuffer(2 * bytes), 0, numel);
    await new nn.BatchNorm1d(c).forwardAsync(tensor(shared, [n, c]), { transfer: true });
    expect(shared.length).toBe(numel);
  });
});
