// SimSiam (Chen & He 2021): the projector, whose last BatchNorm has no scale and shift, and the predictor; by the names of
// facebookresearch/simsiam. The encoder there is a ResNet whose `fc` is the projector; here its features are the input.
import { functional as F, nn, type Tensor } from 'evenkeel';

export interface SimSiamOptions {
  /** Features of the encoder. */
  readonly width?: number;
  readonly dim?: number;
  readonly predDim?: number;
  readonly dtype?: 'float32' | 'float64';
}

/** Stands where the ResNet is, whose last layer is `fc`. */
class Encoder extends nn.Module {
  fc: nn.Sequential;

  constructor(width: number, dim: number, dtype: 'float32' | 'float64') {
    super();
    const last = new nn.Linear(width, dim, { dtype });
    last.bias!.requiresGrad = false; // the BatchNorm behind it takes a shift away
    this.fc = new nn.Sequential(
      new nn.Linear(width, width, { bias: false, dtype }),
      new nn.BatchNorm1d(width, { dtype }),
      new nn.ReLU(),
      new nn.Linear(width, width, { bias: false, dtype }),
      new nn.BatchNorm1d(width, { dtype }),
      new nn.ReLU(),
      last,
      new nn.BatchNorm1d(dim, { affine: false, dtype }),
    );
  }

  forward(features: Tensor): Tensor {
    return this.fc.forward(features);
  }
}

export class SimSiam extends nn.Module {
  encoder: Encoder;
  predictor: nn.Sequential;

  constructor(options: SimSiamOptions = {}) {
    super();
    const { width = 2048, dim = 2048, predDim = 512, dtype = 'float32' } = options;
    this.encoder = new Encoder(width, dim, dtype);
    this.predictor = new nn.Sequential(
      new nn.Linear(dim, predDim, { bias: false, dtype }),
      new nn.BatchNorm1d(predDim, { dtype }),
      new nn.ReLU(),
      new nn.Linear(predDim, dim, { dtype }),
    );
  }

  /** Predictions and targets of both views, [N, dim] each, of their features [N, width]. */
  forward(x1: Tensor, x2: Tensor): [p1: Tensor, p2: Tensor, z1: Tensor, z2: Tensor] {
    const z1 = this.encoder.forward(x1);
    const z2 = this.encoder.forward(x2);
    const p1 = this.predictor.forward(z1);
    const p2 = this.predictor.forward(z2);
    return [p1, p2, z1.detach(), z2.detach()];
  }
}

/** The negative cosine of each prediction and the other view's target, from -1 on. */
export function simSiamLoss([p1, p2, z1, z2]: readonly [Tensor, Tensor, Tensor, Tensor]): Tensor {
  const one = F.cosineSimilarity(p1, z2, { dim: 1 }).mean();
  const other = F.cosineSimilarity(p2, z1, { dim: 1 }).mean();
  return one.add(other).mul(-0.5);
}
