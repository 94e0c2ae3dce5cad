// A Worker: the model over the weights that are shared, then whatever it is told to evaluate.
import { parentPort, workerData } from 'node:worker_threads';

import { Tensor } from 'evenkeel';

import { digitNet } from '../digits/model.js';
import { evaluate } from './evaluate.js';
import type { Shared } from './shared.js';

/** What a Worker says when it is ready. */
export interface Ready {
  /** Of the model's state, in memory that only this Worker has: to be 0. */
  readonly ownBytes: number;
}

const shared = workerData as Shared;
const port = parentPort!;

const model = digitNet().eval();
const state = new Map([...shared.state].map(([key, each]) => [key, Tensor.from(each)]));
model.loadStateDict(state, { assign: true });

port.on('message', (total: number | 'end') => {
  if (total === 'end') {
    port.close();
  } else {
    evaluate(model, shared, total);
    port.postMessage('done');
  }
});
const own = [...model.stateDict().values()].filter((each) => !each.isShared());
const ownBytes = own.reduce((sum, { data }) => sum + data.byteLength, 0);
port.postMessage({ ownBytes } satisfies Ready);
