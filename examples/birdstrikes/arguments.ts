// The options of the birdstrikes example.
import {
  readSettings as read,
  RESULT_OPTIONS,
  trainingOptions,
  type Common,
} from '../options/training.js';
import { TRAIN_SIZE } from './data.js';

export type Settings = Common;

/** Training stops when more epochs than that, one after another, were no better. */
export const PATIENCE = 12;

export const readSettings = (): Settings =>
  read({
    name: 'birdstrikes',
    program: 'birdstrikes',
    call: 'npm run example:birdstrikes --',
    text: `Trains a network on a table with categories (an Embedding each) and numbers
(BatchNorm1d) to tell whether a bird that struck an aircraft damaged it.`,
    options: {
      ...trainingOptions({
        epochs: 40,
        batchSize: 128,
        lr: 0.001,
        samples: TRAIN_SIZE,
        optimizer: 'AdamW at the start; falls as a cosine',
      }),
      ...RESULT_OPTIONS,
    },
  });
