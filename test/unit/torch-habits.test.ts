// What people write on modules and optimisers who come from PyTorch, and from other libraries: it must not train wrong
// without a word, and the message says what to write instead.
import { data, nn, optim, tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { thrownBy } from '../helpers/snapshot.js';

const parameters = (): nn.Parameter[] => [...new nn.Linear(2, 2).parameters()];

describe('names of options from elsewhere', () => {
  const { SGD, Adam, AdamW, RMSprop, Adagrad, NAdam, LARS } = optim;

  test.each([SGD, Adam, AdamW, RMSprop, Adagrad, NAdam, LARS])('%o', (Optimizer) => {
    const of = (options: object): string => thrownBy(() => new Optimizer(parameters(), options));
    expect(of({ learning_rate: 1 })).toMatch(/got 'learning_rate' \(it is 'lr' here\)\.$/);
    expect(of({ learningRate: 1 })).toMatch(/got 'learningRate' \(it is 'lr' here\)\.$/);
    expect(of({ weight_decay: 1 })).toMatch(/'weight_decay' \(did you mean 'weightDecay'\?\)\.$/);
    expect(of({ beta1: 0.9 })).toMatch(/'beta1' \(it is betas: \[beta1, beta2\] here\)\.$/);
    expect(of({ fused: true })).toMatch(/'fused' \(leave it out: it does not change what /);
  });

  test('of a group', () => {
    const group = { params: parameters(), learning_rate: 1 };
    expect(thrownBy(() => new optim.SGD([group]))).toMatch(/\(it is 'lr' here\)\.$/);
  });

  test.each([
    ['num_workers', 'leave it out: a batch is made when it is asked for, and a data set may be asynchronous'], // prettier-ignore
    ['pinMemory', 'leave it out: nothing is copied to a device here'],
    ['collate_fn', "it is 'collate' here"],
  ])('of a DataLoader: %s', (name, hint) => {
    const set = new data.TensorDataset(tensor([[1]]));
    expect(thrownBy(() => new data.DataLoader(set, { [name]: 1 } as never))).toBe(
      'TypeError: DataLoader: expected options among batchSize, shuffle, dropLast, sampler, batchSampler, collate, ' +
        `got '${name}' (${hint}).`,
    );
  });
});
