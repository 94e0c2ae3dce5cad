// A generative adversarial network of fully connected layers (Goodfellow et al. 2014), by the names of gan.py of
// eriklindernoren/PyTorch-GAN.
import { nn, type Tensor } from 'evenkeel';

export interface GANOptions {
  readonly latent?: number;
  /** Of the generator. */
  readonly widths?: readonly number[];
  readonly pixels: number;
  /** Of the discriminator. */
  readonly judge?: readonly [number, number];
  readonly dtype?: 'float32' | 'float64';
}

type Sizes = Required<GANOptions>;

const leaky = (): nn.LeakyReLU => new nn.LeakyReLU({ negativeSlope: 0.2 });

/** Pictures [N, pixels] from -1 to 1 of latent values [N, latent]. */
class Generator extends nn.Module {
  model: nn.Sequential;

  constructor({ latent, widths, pixels, dtype }: Sizes) {
    super();
    // The original writes BatchNorm1d(width, 0.8), which is eps, not momentum.
    const block = (from: number, to: number): nn.Layer[] => [
      new nn.Linear(from, to, { dtype }),
      new nn.BatchNorm1d(to, { eps: 0.8, dtype }),
      leaky(),
    ];
    this.model = new nn.Sequential(
      new nn.Linear(latent, widths[0]!, { dtype }),
      leaky(),
      ...widths.slice(1).flatMap((width, i) => block(widths[i]!, width)),
      new nn.Linear(widths.at(-1)!, pixels, { dtype }),
      new nn.Tanh(),
    );
  }

  forward(z: Tensor): Tensor {
    return this.model.forward(z);
  }
}

/** How likely a picture is a real one, [N, 1]. */
class Discriminator extends nn.Module {
  model: nn.Sequential;

  constructor({ pixels, judge: [first, second], dtype }: Sizes) {
    super();
    this.model = new nn.Sequential(
      new nn.Linear(pixels, first, { dtype }),
      leaky(),
      new nn.Linear(first, second, { dtype }),
      leaky(),
      new nn.Linear(second, 1, { dtype }),
      new nn.Sigmoid(),
    );
  }

  forward(picture: Tensor): Tensor {
    return this.model.forward(picture);
  }
}

export class GAN extends nn.Module {
  generator: Generator;
  discriminator: Discriminator;

  constructor(options: GANOptions) {
    super();
    const { latent = 100, widths = [128, 256, 512, 1024], judge = [512, 256] } = options;
    const { pixels, dtype = 'float32' } = options;
    const sizes = { latent, widths, pixels, judge, dtype };
    this.generator = new Generator(sizes);
    this.discriminator = new Discriminator(sizes);
  }

  forward(z: Tensor): [pictures: Tensor, valid: Tensor] {
    const pictures = this.generator.forward(z);
    return [pictures, this.discriminator.forward(pictures)];
  }
}
