// The whole state of modules and tensors, bit by bit, to show that a call has changed nothing.
import { nn, type Tensor } from 'evenkeel';
import { expect } from 'vitest';

type Bits = string | null;

function bits(tensor: Tensor | null): Bits {
  if (tensor === null) return null;
  if (tensor.disposed) return 'disposed';
  const { buffer, byteOffset, byteLength } = tensor.data;
  if (byteLength === 0) return ''; // detached memory too, which cannot be viewed
  return Buffer.from(buffer, byteOffset, byteLength).toString('hex');
}

function record(subject: nn.Module | Tensor): Record<string, Bits | boolean> {
  if (!(subject instanceof nn.Module)) {
    return { data: bits(subject), grad: bits(subject.grad), requiresGrad: subject.requiresGrad };
  }
  const state: Record<string, Bits | boolean> = {};
  for (const [name, parameter] of subject.namedParameters()) {
    state[name] = bits(parameter);
    state[`${name}.grad`] = bits(parameter.grad);
    state[`${name}.requiresGrad`] = parameter.requiresGrad;
  }
  for (const [name, buffer] of subject.namedBuffers()) state[name] = bits(buffer);
  for (const [name, module] of subject.namedModules()) state[`${name}.training`] = module.training;
  return state;
}

/** Remembers parameters, gradients, buffers and flags; the function returned asserts they are the same. */
export function snapshot(...subjects: (nn.Module | Tensor)[]): () => void {
  const before = subjects.map(record);
  return () => expect(subjects.map(record)).toEqual(before);
}

/** What `body` throws, as `Name: message`; an error of its own when it does not throw. */
export function thrownBy(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    return String(error);
  }
  throw new Error('expected an error, and nothing was thrown');
}
