// The models of loops-recipes.ts that examples/architectures does not have; scripts/golden/loops.py has them in PyTorch.
import { arange, functional as F, nn, tensor, zeros, type Tensor } from 'evenkeel';

const float64 = { dtype: 'float64' } as const;

const linear = (from: number, to: number, bias = true): nn.Linear =>
  new nn.Linear(from, to, { bias, ...float64 });
const norm = (width: number): nn.BatchNorm1d => new nn.BatchNorm1d(width, float64);

/** Fully connected, normalised after each layer. */
export const houseModel = (): nn.Sequential =>
  new nn.Sequential(
    ...[linear(6, 16, false), norm(16), new nn.ReLU()],
    ...[linear(16, 12, false), norm(12), new nn.ReLU()],
    ...[linear(12, 8, false), norm(8), new nn.ReLU(), linear(8, 1)],
  );

/** Fully connected, an activation before each normalisation. */
export const weatherModel = (): nn.Sequential =>
  new nn.Sequential(
    ...[linear(12, 20), new nn.GELU(), norm(20)],
    ...[linear(20, 12), new nn.GELU(), norm(12), linear(12, 1)],
  );

/** Embeddings beside normalised numbers, two layers with GELU, a value and a logit. */
export class TwoHeads extends nn.Module {
  embeddings: nn.ModuleList<nn.Embedding>;
  bn0: nn.BatchNorm1d;
  fc1: nn.Linear;
  bn1 = norm(16);
  fc2 = linear(16, 10);
  bn2 = norm(10);
  value = linear(10, 1);
  logit = linear(10, 1);

  constructor(sizes: readonly number[], numbers: number) {
    super();
    this.embeddings = new nn.ModuleList(sizes.map((size) => new nn.Embedding(size, 3, float64)));
    this.bn0 = norm(numbers);
    this.fc1 = linear(3 * sizes.length + numbers, 16);
  }

  forward(codes: Tensor, numbers: Tensor): [value: Tensor, logit: Tensor] {
    const columns = [...this.embeddings].map((each, i) =>
      each.forward(codes.narrow(1, i, 1).squeeze(1)),
    );
    let x = F.cat([...columns, this.bn0.forward(numbers)], { dim: 1 });
    x = this.bn1.forward(F.gelu(this.fc1.forward(x)));
    x = this.bn2.forward(F.gelu(this.fc2.forward(x)));
    return [this.value.forward(x), this.logit.forward(x)];
  }
}

const tower = (inputs: number): nn.Sequential =>
  new nn.Sequential(linear(inputs, 16), norm(16), new nn.ReLU(), linear(16, 8), norm(8));

/** Two towers, unit vectors, the sigmoid of their product. */
export class Towers extends nn.Module {
  user = tower(21);
  item = tower(28);

  forward(a: Tensor, b: Tensor): Tensor {
    const [user, item] = [F.normalize(this.user.forward(a)), F.normalize(this.item.forward(b))];
    return user.mul(item).sum({ dim: 1 }).mul(4).sigmoid();
  }
}

/** Two convolutions over one-hot letters, each with a pooling, and fully connected layers. */
export class Sequences extends nn.Module {
  conv1 = new nn.Conv1d(4, 8, 9, { padding: 4, ...float64 });
  bn1 = norm(8);
  pool1 = new nn.MaxPool1d(4);
  conv2 = new nn.Conv1d(8, 12, 5, float64);
  bn2 = norm(12);
  pool2 = new nn.MaxPool1d(3, { stride: 2 });
  fc1 = linear(12 * 13, 10);
  bn3 = norm(10);
  fc2 = linear(10, 3);

  forward(hot: Tensor): Tensor {
    let x = hot.transpose(1, 2);
    x = this.pool1.forward(F.relu(this.bn1.forward(this.conv1.forward(x))));
    x = this.pool2.forward(F.relu(this.bn2.forward(this.conv2.forward(x))));
    return this.fc2.forward(F.relu(this.bn3.forward(this.fc1.forward(x.flatten(1)))));
  }
}

const PLACES = Array.from({ length: 49 }, (_, at) => [Math.floor(at / 7), at % 7] as const);

/** From each pixel of 7 x 7 to each beside it. */
const EDGES = PLACES.flatMap(([r, c], from) =>
  PLACES.flatMap(([s, d], to) => (Math.abs(r - s) + Math.abs(c - d) === 1 ? [[from, to]] : [])),
);

export interface Graph {
  /** [nodes, 3]. */
  readonly nodes: Tensor;
  readonly source: Tensor;
  readonly sink: Tensor;
  /** Of each node. */
  readonly graph: Tensor;
  readonly graphs: number;
}

/** Pictures as graphs in one: a pixel is a node, with its grey and its place. */
export function graphsOf(pictures: readonly (readonly number[])[]): Graph {
  const ends = (end: 0 | 1): Tensor => {
    const all = pictures.flatMap((_, i) => EDGES.map((edge) => edge[end]! + 49 * i));
    return tensor(BigInt64Array.from(all, BigInt), [all.length]);
  };
  const nodes = pictures.map((picture) =>
    picture.map((value, at) => [value, PLACES[at]![0] / 6, PLACES[at]![1] / 6]),
  );
  const graphs = pictures.length;
  return {
    nodes: tensor(nodes.flat(), float64),
    source: ends(0),
    sink: ends(1),
    graph: arange(graphs).unsqueeze(1).expand([graphs, 49]).flatten(),
    graphs,
  };
}

/** A graph isomorphism network: each node gets the sum of its neighbours, then two layers. */
export class Graphs extends nn.Module {
  mlps = new nn.ModuleList(
    [3, 8].map(
      (width) => new nn.Sequential(linear(width, 10), norm(10), new nn.ReLU(), linear(10, 8)),
    ),
  );
  bns = new nn.ModuleList([norm(8), norm(8)]);
  fc = linear(8, 1);

  forward({ nodes, source, sink, graph, graphs }: Graph): Tensor {
    let x = nodes;
    for (const [i, mlp] of [...this.mlps].entries()) {
      const messages = F.indexSelect(x, 0, source);
      const sums = F.indexAdd(zeros(x.shape, float64), 0, sink, messages);
      x = F.relu(this.bns.at(i)!.forward(mlp.forward(x.add(sums))));
    }
    const pooled = F.indexAdd(zeros([graphs, 8], float64), 0, graph, x).div(49);
    return this.fc.forward(pooled).squeeze(1);
  }
}

/** The PointNet of dgcnn's repository: shared layers without bias, the maximum over the points, a head. */
export class PointSets extends nn.Module {
  convs: nn.ModuleList<nn.Conv1d>;
  bns: nn.ModuleList<nn.BatchNorm1d>;
  pool = new nn.AdaptiveMaxPool1d(1);
  linear1 = linear(24, 16, false);
  bn6 = norm(16);
  linear2 = linear(16, 10);

  constructor() {
    super();
    const sizes = [3, 12, 12, 12, 16, 24];
    this.convs = new nn.ModuleList(
      sizes
        .slice(1)
        .map((width, i) => new nn.Conv1d(sizes[i]!, width, 1, { bias: false, ...float64 })),
    );
    this.bns = new nn.ModuleList(sizes.slice(1).map(norm));
  }

  forward(points: Tensor): Tensor {
    let x = points;
    for (const [i, conv] of [...this.convs].entries()) {
      x = F.relu(this.bns.at(i)!.forward(conv.forward(x)));
    }
    x = this.pool.forward(x).squeeze(2);
    return this.linear2.forward(F.relu(this.bn6.forward(this.linear1.forward(x))));
  }
}

/** What to do in a state, [N, 2] from -1 to 1. */
export class Actor extends nn.Module {
  bn0 = norm(4);
  linear1 = linear(4, 12);
  bn1 = norm(12);
  linear2 = linear(12, 8);
  bn2 = norm(8);
  mu = linear(8, 2);

  forward(state: Tensor): Tensor {
    let x = F.tanh(this.linear1.forward(this.bn0.forward(state)));
    x = F.tanh(this.linear2.forward(this.bn1.forward(x)));
    return F.tanh(this.mu.forward(this.bn2.forward(x)));
  }
}

/** What an action in a state is worth, [N, 1]. */
export class Critic extends nn.Module {
  bn0 = norm(4);
  linear1 = linear(4, 12);
  bn1 = norm(12);
  linear2 = linear(12 + 2, 8);
  value = linear(8, 1);

  forward(state: Tensor, action: Tensor): Tensor {
    const x = this.bn1.forward(F.tanh(this.linear1.forward(this.bn0.forward(state))));
    return this.value.forward(F.tanh(this.linear2.forward(F.cat([x, action], { dim: 1 }))));
  }
}

const leaky = (): nn.LeakyReLU => new nn.LeakyReLU({ negativeSlope: 0.2 });

/** Variational: a picture again, and mean and logarithm of the variance of its code. */
export class Autoencoder extends nn.Module {
  encoder = new nn.Sequential(
    ...[linear(49, 20), norm(20), leaky()],
    ...[linear(20, 12), norm(12), leaky()],
  );
  mean = linear(12, 4);
  log_var = linear(12, 4);
  decoder = new nn.Sequential(
    ...[linear(4, 12), norm(12), leaky(), linear(12, 20), norm(20), new nn.Tanh()],
    ...[linear(20, 49), new nn.Sigmoid()],
  );

  forward(x: Tensor, noise: Tensor): [picture: Tensor, mean: Tensor, logVar: Tensor] {
    const hidden = this.encoder.forward(x);
    const [mean, logVar] = [this.mean.forward(hidden), this.log_var.forward(hidden)];
    return [this.decoder.forward(mean.add(logVar.mul(0.5).exp().mul(noise))), mean, logVar];
  }
}
