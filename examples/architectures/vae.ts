// A variational autoencoder (Kingma & Welling 2014) whose encoder and decoder are those of scvi-tools, by their names.
import { nn, type Tensor } from 'evenkeel';

export interface VAEOptions {
  readonly inputs: number;
  readonly latent?: number;
  /** Hidden layers of either side. */
  readonly layers?: number;
  readonly hidden?: number;
  readonly dropout?: number;
  readonly dtype?: 'float32' | 'float64';
}

type Sizes = Required<Omit<VAEOptions, 'inputs' | 'latent'>>;

class FCLayers extends nn.Module {
  fc_layers: nn.Sequential;

  constructor(inputs: number, { layers, hidden, dropout, dtype }: Sizes) {
    super();
    this.fc_layers = new nn.Sequential();
    for (let i = 0; i < layers; i++) {
      const layer = new nn.Sequential(
        new nn.Linear(i === 0 ? inputs : hidden, hidden, { dtype }),
        new nn.BatchNorm1d(hidden, { momentum: 0.01, eps: 0.001, dtype }),
        new nn.ReLU(),
        new nn.Dropout(dropout),
      );
      this.fc_layers.registerModule(`Layer ${i}`, layer);
    }
  }

  forward(x: Tensor): Tensor {
    return this.fc_layers.forward(x);
  }
}

class Encoder extends nn.Module {
  encoder: FCLayers;
  mean_encoder: nn.Linear;
  var_encoder: nn.Linear;

  constructor(inputs: number, outputs: number, sizes: Sizes) {
    super();
    const { hidden, dtype } = sizes;
    this.encoder = new FCLayers(inputs, sizes);
    this.mean_encoder = new nn.Linear(hidden, outputs, { dtype });
    this.var_encoder = new nn.Linear(hidden, outputs, { dtype });
  }

  forward(x: Tensor): [mean: Tensor, variance: Tensor] {
    const q = this.encoder.forward(x);
    return [this.mean_encoder.forward(q), this.var_encoder.forward(q).exp().add(1e-4)];
  }
}

class Decoder extends nn.Module {
  decoder: FCLayers;
  mean_decoder: nn.Linear;
  var_decoder: nn.Linear;

  constructor(inputs: number, outputs: number, sizes: Sizes) {
    super();
    const { hidden, dtype } = sizes;
    this.decoder = new FCLayers(inputs, sizes);
    this.mean_decoder = new nn.Linear(hidden, outputs, { dtype });
    this.var_decoder = new nn.Linear(hidden, outputs, { dtype });
  }

  forward(z: Tensor): [mean: Tensor, variance: Tensor] {
    const p = this.decoder.forward(z);
    return [this.mean_decoder.forward(p), this.var_decoder.forward(p).exp()];
  }
}

/** Mean and variance of the latent values [N, latent], and of the input [N, inputs] that they stand for. */
export class VAE extends nn.Module {
  z_encoder: Encoder;
  decoder: Decoder;

  constructor(options: VAEOptions) {
    super();
    const { inputs, latent = 10, layers = 1, hidden = 128, dropout = 0.1 } = options;
    const { dtype = 'float32' } = options;
    const sizes = { layers, hidden, dropout, dtype };
    this.z_encoder = new Encoder(inputs, latent, sizes);
    this.decoder = new Decoder(latent, inputs, sizes);
  }

  /** @param noise - [N, latent], standard normal. */
  forward(
    x: Tensor,
    noise: Tensor,
  ): [mean: Tensor, variance: Tensor, pxMean: Tensor, pxVar: Tensor] {
    const [mean, variance] = this.z_encoder.forward(x);
    const z = mean.add(variance.sqrt().mul(noise));
    return [mean, variance, ...this.decoder.forward(z)];
  }
}

/** The negative evidence lower bound, without its constant. */
export function vaeLoss(
  x: Tensor,
  [mean, variance, pxMean, pxVar]: readonly [Tensor, Tensor, Tensor, Tensor],
): Tensor {
  const likelihood = x.sub(pxMean).pow(2).div(pxVar).add(pxVar.log());
  const divergence = mean.pow(2).add(variance).sub(variance.log()).sub(1);
  const sum = likelihood.sum({ dim: 1 }).add(divergence.sum({ dim: 1 }));
  return sum.mul(0.5).mean();
}
