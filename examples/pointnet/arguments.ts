// The options of the PointNet example.
import { TEST_SIZE, TRAIN_SIZE } from '../digits/data.js';
import {
  readSettings as read,
  RESULT_OPTIONS,
  trainingOptions,
  type Common,
} from '../options/training.js';

export interface Settings extends Common {
  readonly digits: number;
  readonly tests: number;
}

/** Epochs at the full rate; then it is a tenth, and the statistics catch up with the weights. */
export const SLOWER_FROM = 3;

/** As many of the test set as `digits` are of the training set. */
export const testSize = (digits: number): number => Math.ceil((digits * TEST_SIZE) / TRAIN_SIZE);

export const readSettings = (): Settings =>
  read({
    name: 'pointnet',
    program: 'pointnet',
    call: 'npm run example:pointnet --',
    text: `Trains a PointNet with BatchNorm1d on digits as sets of 96 points. It is tested by the
running statistics, which trail the weights, and by statistics recomputed from the
training set.`,
    options: {
      ...trainingOptions({
        epochs: 5,
        batchSize: 256,
        lr: 0.001,
        samples: TRAIN_SIZE,
        optimizer: 'Adam; a tenth from epoch 4 on',
      }),
      digits: {
        type: 'number',
        default: TRAIN_SIZE,
        min: 2,
        max: TRAIN_SIZE,
        whole: true,
        help: 'to train on; a quarter as many to test',
      },
      tests: {
        type: 'number',
        default: 4,
        min: 1,
        max: 100,
        whole: true,
        help: 'in each of the first two epochs; one in others',
      },
      ...RESULT_OPTIONS,
    },
  }) as Settings;
