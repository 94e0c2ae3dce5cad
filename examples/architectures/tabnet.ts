// TabNet (Arik & Pfister 2021): attention over the columns of a table, normalised in virtual batches; by the names of
// dreamquark-ai/tabnet, version 4.
import { functional as F, nn, tensor, type Tensor } from 'evenkeel';

import { sparsemax } from './sparsemax.js';

interface Ghost {
  readonly virtualBatchSize: number;
  readonly momentum: number;
  readonly dtype: 'float32' | 'float64';
}

export interface TabNetOptions {
  /** Columns of numbers. */
  readonly numbers: number;
  /** How many values each column of categories has, and how wide its embedding is. */
  readonly categories: readonly (readonly [values: number, width: number])[];
  readonly outputs: number;
  readonly nD?: number;
  readonly nA?: number;
  readonly nSteps?: number;
  readonly gamma?: number;
  readonly nIndependent?: number;
  readonly nShared?: number;
  readonly epsilon?: number;
  readonly virtualBatchSize?: number;
  readonly momentum?: number;
  readonly dtype?: 'float32' | 'float64';
}

type Sizes = Required<Omit<TabNetOptions, 'numbers' | 'categories' | 'outputs'>>;

/** Ghost batch normalisation: parts of the batch by their own statistics, all of which move the running ones. */
class GBN extends nn.Module {
  bn: nn.BatchNorm1d;
  readonly virtualBatchSize: number;

  constructor(width: number, { virtualBatchSize, momentum, dtype }: Ghost) {
    super();
    this.virtualBatchSize = virtualBatchSize;
    this.bn = new nn.BatchNorm1d(width, { momentum, dtype });
  }

  forward(x: Tensor): Tensor {
    const chunks = x.chunk(Math.ceil(x.shape[0]! / this.virtualBatchSize), { dim: 0 });
    return F.cat(chunks.map((chunk) => this.bn.forward(chunk)));
  }
}

/** Half of a linear layer's outputs times the sigmoid of the other half. */
class GLULayer extends nn.Module {
  fc: nn.Linear;
  bn: GBN;

  constructor(inputs: number, outputs: number, fc: nn.Linear | undefined, ghost: Ghost) {
    super();
    this.fc = fc ?? new nn.Linear(inputs, 2 * outputs, { bias: false, dtype: ghost.dtype });
    this.bn = new GBN(2 * outputs, ghost);
  }

  forward(x: Tensor): Tensor {
    return F.glu(this.bn.forward(this.fc.forward(x)), { dim: 1 });
  }
}

class GLUBlock extends nn.Module {
  /** Layers that other blocks have as well. */
  shared_layers: nn.ModuleList<nn.Linear> | null;
  glu_layers: nn.ModuleList<GLULayer>;
  readonly first: boolean;

  constructor(
    sizes: readonly [inputs: number, outputs: number, count: number],
    shared: nn.ModuleList<nn.Linear> | null,
    ghost: Ghost,
  ) {
    super();
    const [inputs, outputs, count] = sizes;
    this.first = shared !== null;
    this.shared_layers = shared;
    this.glu_layers = new nn.ModuleList(
      Array.from(
        { length: count },
        (_, i) => new GLULayer(i === 0 ? inputs : outputs, outputs, shared?.at(i), ghost),
      ),
    );
  }

  forward(input: Tensor): Tensor {
    let x = input;
    for (const [i, layer] of [...this.glu_layers].entries()) {
      if (this.first && i === 0) x = layer.forward(x);
      else x = x.add(layer.forward(x)).mul(Math.SQRT1_2);
    }
    return x;
  }
}

class FeatTransformer extends nn.Module {
  shared: GLUBlock;
  specifics: GLUBlock;

  constructor(inputs: number, shared: nn.ModuleList<nn.Linear>, sizes: Sizes) {
    super();
    const outputs = sizes.nD + sizes.nA;
    this.shared = new GLUBlock([inputs, outputs, shared.length], shared, sizes);
    this.specifics = new GLUBlock([outputs, outputs, sizes.nIndependent], null, sizes);
  }

  forward(x: Tensor): Tensor {
    return this.specifics.forward(this.shared.forward(x));
  }
}

class AttentiveTransformer extends nn.Module {
  fc: nn.Linear;
  bn: GBN;

  constructor(inputs: number, outputs: number, ghost: Ghost) {
    super();
    this.fc = new nn.Linear(inputs, outputs, { bias: false, dtype: ghost.dtype });
    this.bn = new GBN(outputs, ghost);
  }

  forward(prior: Tensor, x: Tensor): Tensor {
    return sparsemax(this.bn.forward(this.fc.forward(x)).mul(prior));
  }
}

class TabNetEncoder extends nn.Module {
  initial_bn: nn.BatchNorm1d;
  initial_splitter: FeatTransformer;
  feat_transformers: nn.ModuleList<FeatTransformer>;
  att_transformers: nn.ModuleList<AttentiveTransformer>;

  constructor(
    inputs: number,
    readonly sizes: Sizes,
  ) {
    super();
    const { nD, nA, nSteps, nShared, dtype } = sizes;
    const both = nD + nA;
    const shared = new nn.ModuleList(
      Array.from(
        { length: nShared },
        (_, i) => new nn.Linear(i === 0 ? inputs : both, 2 * both, { bias: false, dtype }),
      ),
    );
    const steps = Array.from({ length: nSteps });
    this.initial_bn = new nn.BatchNorm1d(inputs, { momentum: 0.01, dtype });
    this.initial_splitter = new FeatTransformer(inputs, shared, sizes);
    this.feat_transformers = new nn.ModuleList(
      steps.map(() => new FeatTransformer(inputs, shared, sizes)),
    );
    this.att_transformers = new nn.ModuleList(
      steps.map(() => new AttentiveTransformer(nA, inputs, sizes)),
    );
  }

  /** What each step has found [N, nD], and how evenly the columns were used. */
  forward(input: Tensor): [steps: Tensor[], sparsity: Tensor] {
    const { nD, nA, nSteps, gamma, epsilon } = this.sizes;
    const x = this.initial_bn.forward(input);
    let attention = this.initial_splitter.forward(x).narrow(1, nD, nA);
    let prior = x.detach().mul(0).add(1);
    let sparsity = tensor([0], [], { dtype: x.dtype });
    const steps = Array.from({ length: nSteps }, (_, step) => {
      const m = this.att_transformers.at(step)!.forward(prior, attention);
      sparsity = sparsity.add(m.mul(m.add(epsilon).log()).sum({ dim: 1 }).mean());
      prior = m.neg().add(gamma).mul(prior);
      const out = this.feat_transformers.at(step)!.forward(m.mul(x));
      attention = out.narrow(1, nD, nA);
      return F.relu(out.narrow(1, 0, nD));
    });
    return [steps, sparsity.div(nSteps)];
  }
}

class TabNetNoEmbeddings extends nn.Module {
  /** Of the original's weights; nothing calls it there either. */
  initial_bn: nn.BatchNorm1d;
  encoder: TabNetEncoder;
  final_mapping: nn.Linear;

  constructor(inputs: number, outputs: number, sizes: Sizes) {
    super();
    const { nD, dtype } = sizes;
    this.initial_bn = new nn.BatchNorm1d(inputs, { momentum: 0.01, dtype });
    this.encoder = new TabNetEncoder(inputs, sizes);
    this.final_mapping = new nn.Linear(nD, outputs, { bias: false, dtype });
  }

  forward(x: Tensor): [scores: Tensor, sparsity: Tensor] {
    const [steps, sparsity] = this.encoder.forward(x);
    return [this.final_mapping.forward(F.stack(steps).sum({ dim: 0 })), sparsity];
  }
}

class EmbeddingGenerator extends nn.Module {
  embeddings: nn.ModuleList<nn.Embedding>;

  constructor({ categories, dtype }: Pick<TabNetOptions, 'categories' | 'dtype'>) {
    super();
    this.embeddings = new nn.ModuleList(
      categories.map(([values, width]) => new nn.Embedding(values, width, { dtype })),
    );
  }

  forward(categories: Tensor, numbers: Tensor): Tensor {
    const columns = [...this.embeddings].map((each, i) =>
      each.forward(categories.narrow(1, i, 1).squeeze(1)),
    );
    return F.cat([numbers, ...columns], { dim: 1 });
  }
}

/** Scores [N, outputs] and the sparsity of the attention, from categories [N, columns] of int32 and numbers [N, columns]. */
export class TabNet extends nn.Module {
  embedder: EmbeddingGenerator;
  tabnet: TabNetNoEmbeddings;

  constructor({ numbers, categories, outputs, ...options }: TabNetOptions) {
    super();
    const sizes: Sizes = {
      ...{ nD: 8, nA: 8, nSteps: 3, gamma: 1.3, nIndependent: 2, nShared: 2, epsilon: 1e-15 },
      ...{ virtualBatchSize: 128, momentum: 0.02, dtype: 'float32' },
      ...options,
    };
    const width = categories.reduce((sum, [, each]) => sum + each, numbers);
    this.embedder = new EmbeddingGenerator({ categories, dtype: sizes.dtype });
    this.tabnet = new TabNetNoEmbeddings(width, outputs, sizes);
  }

  forward(categories: Tensor, numbers: Tensor): [scores: Tensor, sparsity: Tensor] {
    return this.tabnet.forward(this.embedder.forward(categories, numbers));
  }
}
