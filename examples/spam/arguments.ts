// The options of the spam example.
import {
  readSettings as read,
  RESULT_OPTIONS,
  trainingOptions,
  type Common,
} from '../options/training.js';
import { TRAIN_SIZE } from './data.js';

export type Settings = Common;

export const readSettings = (): Settings =>
  read({
    name: 'spam',
    program: 'spam',
    call: 'npm run example:spam --',
    text: `Trains a network that reads the first 1,024 bytes of a mail (Embedding, Conv1d,
BatchNorm1d) to tell spam from mail that somebody wanted.`,
    options: {
      ...trainingOptions({
        epochs: 8,
        batchSize: 64,
        lr: 0.004,
        samples: TRAIN_SIZE,
        optimizer: 'AdamW, at its highest (OneCycle)',
      }),
      ...RESULT_OPTIONS,
    },
  });
