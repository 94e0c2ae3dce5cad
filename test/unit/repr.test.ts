// toString() is PyTorch's repr: the literals are what PyTorch 2.13 prints.
import { describe, expect, test } from 'vitest';

import { nn, type Tensor } from '../../src/index.js';

class Twice extends nn.Module {
  a = new nn.Linear(1, 1);
  b = this.a;

  forward(x: Tensor): Tensor {
    return this.b.forward(this.a.forward(x));
  }
}

describe("the repr is PyTorch's", () => {
  class Shown extends nn.Module {
    fc1 = new nn.Linear(784, 256);
    bn1 = new nn.BatchNorm1d(256);
    body = new nn.Sequential(new nn.Linear(1, 2), new nn.ReLU());
    override extraRepr(): string {
      return 'width=2';
    }
    forward(): void {
      // nothing
    }
  }
  class Empty extends nn.Module {
    forward(): void {
      // nothing
    }
  }

  const common = 'affine=True, bias=True, track_running_stats=True)';
  test.each<[nn.Module, string]>([
    [new nn.BatchNorm1d(3), `BatchNorm1d(3, eps=1e-05, momentum=0.1, ${common}`],
    [
      new nn.BatchNorm1d(3, { momentum: null }),
      `BatchNorm1d(3, eps=1e-05, momentum=None, ${common}`,
    ],
    [
      new nn.BatchNorm1d(64, { eps: 1e-3, momentum: 0.01, affine: false }),
      'BatchNorm1d(64, eps=0.001, momentum=0.01, affine=False, bias=False, track_running_stats=True)',
    ],
    [
      new nn.BatchNorm1d(7, { bias: false, trackRunningStats: false }),
      'BatchNorm1d(7, eps=1e-05, momentum=0.1, affine=True, bias=False, track_running_stats=False)',
    ],
    [new nn.BatchNorm2d(16, { eps: 0 }), `BatchNorm2d(16, eps=0.0, momentum=0.1, ${common}`],
    [
      new nn.BatchNorm3d(1, { eps: 1.5e-7, momentum: 1 }),
      `BatchNorm3d(1, eps=1.5e-07, momentum=1.0, ${common}`,
    ],
    [new nn.Linear(784, 256), 'Linear(in_features=784, out_features=256, bias=True)'],
    [new nn.Linear(2, 3, { bias: false }), 'Linear(in_features=2, out_features=3, bias=False)'],
    [new nn.ReLU(), 'ReLU()'],
    [new nn.Dropout(), 'Dropout(p=0.5, inplace=False)'],
    [new nn.CrossEntropyLoss(), 'CrossEntropyLoss()'],
    [new nn.MSELoss(), 'MSELoss()'],
    [new nn.BCEWithLogitsLoss({ posWeight: [1, 2] }), 'BCEWithLogitsLoss()'],
    [new nn.SmoothL1Loss({ beta: 2 }), 'SmoothL1Loss()'],
    [new nn.CosineSimilarity(), 'CosineSimilarity()'],
    [new nn.Sequential(), 'Sequential()'],
    [new Empty(), 'Empty()'],
    [
      new nn.Sequential(new nn.Sequential(new nn.ReLU())),
      'Sequential(\n  (0): Sequential(\n    (0): ReLU()\n  )\n)',
    ],
    [
      new Twice(),
      'Twice(\n  (a): Linear(in_features=1, out_features=1, bias=True)\n  (b): Linear(in_features=1, ' +
        'out_features=1, bias=True)\n)',
    ],
    [
      new Shown(),
      'Shown(\n  width=2\n  (fc1): Linear(in_features=784, out_features=256, bias=True)\n  (bn1): ' +
        'BatchNorm1d(256, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)\n' +
        '  (body): Sequential(\n    (0): Linear(in_features=1, out_features=2, bias=True)\n    (1): ReLU()\n  )\n)',
    ],
  ])('%s', (module, repr) => {
    expect(module.toString()).toBe(repr);
  });
});
