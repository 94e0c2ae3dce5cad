// A network for tables, in the layout of fastai: an Embedding for each category, BatchNorm1d on the numbers.
import { data, functional, nn, noGrad, type Tensor } from 'evenkeel';

import { NUMBERS, type Strikes } from './data.js';

export class TableNet extends nn.Module {
  readonly embeddings: nn.ModuleList<nn.Embedding>;
  readonly dropout = new nn.Dropout(0.1);
  /** On raw numbers: a year and a knot come to the same scale here. */
  readonly scale = new nn.BatchNorm1d(NUMBERS.length);
  readonly layers: nn.Sequential;

  /** @param sizes - Codes of each category. */
  constructor(sizes: readonly number[]) {
    super();
    const widths = sizes.map(widthOf);
    const inputs = widths.reduce((sum, each) => sum + each, NUMBERS.length);
    this.embeddings = new nn.ModuleList(sizes.map((size, i) => new nn.Embedding(size, widths[i]!)));
    for (const { weight } of this.embeddings) {
      nn.init.normal_(weight, 0, 0.05); // those of rare values change little, and should say little
    }
    this.layers = new nn.Sequential(
      new nn.Linear(inputs, 64, { bias: false }),
      new nn.BatchNorm1d(64),
      new nn.ReLU(),
      new nn.Dropout(0.3),
      new nn.Linear(64, 32, { bias: false }),
      new nn.BatchNorm1d(32),
      new nn.ReLU(),
      new nn.Dropout(0.3),
      new nn.Linear(32, 1),
    );
  }

  /** @param codes - [N, 8], int32. @param numbers - [N, 5]. Gives logits [N, 1]: above 0 for damage. */
  forward(codes: Tensor, numbers: Tensor): Tensor {
    const columns = codes.split(1, { dim: 1 });
    const vectors = [...this.embeddings].map((embedding, i) =>
      embedding.forward(columns[i]!.squeeze(1)),
    );
    const categories = this.dropout.forward(functional.cat(vectors, { dim: 1 }));
    const scaled = this.scale.forward(numbers);
    return this.layers.forward(functional.cat([categories, scaled], { dim: 1 }));
  }
}

/** Numbers of an Embedding for so many codes: fastai's rule, and less for a small table. */
function widthOf(size: number): number {
  return Math.min(16, Math.round(1.6 * size ** 0.56));
}

/** The logit of each strike, in the mode that the model has. */
export function logitsOf(model: TableNet, strikes: Strikes, batchSize = 500): Float32Array {
  const logits = new Float32Array(strikes.length);
  let at = 0;
  noGrad(() => {
    for (const [codes, numbers] of new data.DataLoader(strikes, { batchSize })) {
      const part = model.forward(codes, numbers).data as Float32Array;
      logits.set(part, at);
      at += part.length;
    }
  });
  return logits;
}
