// A model of tables: embeddings of the categories beside normalised numbers, by the names of fastai's TabularModel.
import { functional as F, nn, type Tensor } from 'evenkeel';

export interface TabularModelOptions {
  /** How many values each column of categories has, and how wide its embedding is. */
  readonly embeddings: readonly (readonly [values: number, width: number])[];
  /** Columns of numbers. */
  readonly numbers: number;
  readonly outputs: number;
  readonly layers: readonly number[];
  /** Of each hidden layer. */
  readonly dropout?: number;
  readonly embeddingDropout?: number;
  readonly dtype?: 'float32' | 'float64';
}

/** Outputs [N, outputs] of categories [N, columns] of int32 and numbers [N, columns]. */
export class TabularModel extends nn.Module {
  embeds: nn.ModuleList<nn.Embedding>;
  emb_drop: nn.Dropout;
  bn_cont: nn.BatchNorm1d;
  layers: nn.Sequential;

  constructor(options: TabularModelOptions) {
    super();
    const { embeddings, numbers, outputs, layers, dropout = 0, embeddingDropout = 0 } = options;
    const { dtype = 'float32' } = options;
    this.embeds = new nn.ModuleList(
      embeddings.map(([values, width]) => new nn.Embedding(values, width, { dtype })),
    );
    this.emb_drop = new nn.Dropout(embeddingDropout);
    this.bn_cont = new nn.BatchNorm1d(numbers, { dtype });
    const first = embeddings.reduce((sum, [, width]) => sum + width, numbers);
    const sizes = [first, ...layers];
    const hidden = layers.map(
      (width, i) =>
        new nn.Sequential(
          new nn.Linear(sizes[i]!, width, { bias: false, dtype }),
          new nn.ReLU(),
          new nn.BatchNorm1d(width, { dtype }),
          ...(dropout > 0 ? [new nn.Dropout(dropout)] : []),
        ),
    );
    const last = new nn.Sequential(new nn.Linear(sizes.at(-1)!, outputs, { dtype }));
    this.layers = new nn.Sequential(...hidden, last);
  }

  forward(categories: Tensor, numbers: Tensor): Tensor {
    const columns = [...this.embeds].map((each, i) =>
      each.forward(categories.narrow(1, i, 1).squeeze(1)),
    );
    const embedded = this.emb_drop.forward(F.cat(columns, { dim: 1 }));
    return this.layers.forward(F.cat([embedded, this.bn_cont.forward(numbers)], { dim: 1 }));
  }
}
