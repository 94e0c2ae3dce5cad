// Heads that tell individuals apart, on features that are there already. BNNeck (Luo et al. 2019), by the names of
// michuanhaohao/reid-strong-baseline; ArcFace (Deng et al. 2019), by those of ronghuaiyang/arcface-pytorch.
import { functional as F, nn, type Tensor } from 'evenkeel';

type DType = 'float32' | 'float64';

/** Triplets are compared before the BatchNorm, whose shift is frozen at 0, and classes behind it. */
export class BNNeck extends nn.Module {
  bottleneck: nn.BatchNorm1d;
  classifier: nn.Linear;

  constructor(inPlanes: number, classes: number, options: { readonly dtype?: DType } = {}) {
    super();
    const { dtype = 'float32' } = options;
    this.bottleneck = new nn.BatchNorm1d(inPlanes, { dtype });
    this.bottleneck.bias!.requiresGrad = false;
    this.classifier = new nn.Linear(inPlanes, classes, { bias: false, dtype });
  }

  /** In training scores [N, classes], else normalised features; both beside the features themselves. */
  forward(features: Tensor): [result: Tensor, features: Tensor] {
    const normalized = this.bottleneck.forward(features);
    return [this.training ? this.classifier.forward(normalized) : normalized, features];
  }
}

export interface ArcFaceOptions {
  /** Features of the network before it. */
  readonly width: number;
  readonly embedding: number;
  readonly classes: number;
  /** By which cosines become scores. */
  readonly s?: number;
  /** Radians by which an embedding has to be nearer to its own class. */
  readonly m?: number;
  readonly dtype?: DType;
}

/** The cosine of an embedding and each class; of its own class, that of an angle larger by m. Times s. */
class ArcMarginProduct extends nn.Module {
  weight: nn.Parameter;

  constructor(readonly options: Required<ArcFaceOptions>) {
    super();
    // A layer's weight, drawn anew: the class has no bias.
    const { embedding, classes, dtype } = options;
    this.weight = new nn.Linear(embedding, classes, { bias: false, dtype }).weight;
    nn.init.xavierUniform_(this.weight);
  }

  forward(x: Tensor, label: Tensor): Tensor {
    const { s, m, classes, dtype } = this.options;
    const cosine = F.linear(F.normalize(x), F.normalize(this.weight));
    const sine = cosine.pow(2).neg().add(1).sqrt();
    let phi = cosine.mul(Math.cos(m)).sub(sine.mul(Math.sin(m)));
    const near = cosine.gt(Math.cos(Math.PI - m));
    phi = F.where(near, phi, cosine.sub(Math.sin(Math.PI - m) * m));
    const oneHot = F.oneHot(label, classes, { dtype });
    return oneHot.mul(phi).add(oneHot.neg().add(1).mul(cosine)).mul(s);
  }
}

/** The end of a network for faces: an embedding by a BatchNorm whose scale is frozen at 1, then the margin. */
export class ArcFace extends nn.Module {
  fc: nn.Linear;
  features: nn.BatchNorm1d;
  margin: ArcMarginProduct;

  constructor(options: ArcFaceOptions) {
    super();
    const { width, embedding, s = 30, m = 0.5, dtype = 'float32' } = options;
    this.fc = new nn.Linear(width, embedding, { dtype });
    this.features = new nn.BatchNorm1d(embedding, { dtype });
    this.features.weight!.requiresGrad = false;
    this.margin = new ArcMarginProduct({ ...options, s, m, dtype });
  }

  /** Embeddings [N, embedding] and scores [N, classes] of features [N, width] and their classes [N]. */
  forward(x: Tensor, label: Tensor): [embedding: Tensor, scores: Tensor] {
    const embedding = this.features.forward(this.fc.forward(x));
    return [embedding, this.margin.forward(embedding, label)];
  }
}
