// Rows of the training loop: losses and their layers; optimisers, schedulers, and what is done to gradients.
import { row, type Operation, type Package } from './row.js';

/** Losses: what returns a tensor. */
export function lossesOf({ functional, nn, tensor, Tensor }: Package): Operation[] {
  type Tensor = InstanceType<typeof Tensor>;
  const matrix = (): Tensor => tensor(Float32Array.of(1, -2, 3, 4, 5, -6), [3, 2]);
  const parts = (): Tensor => tensor(Float32Array.of(0.25, 0.5, 0.75, 0.5, 0.25, 0.125), [3, 2]);
  const weight = (): Tensor => tensor(Float32Array.of(0.5, 2));
  const labels = (): Tensor => tensor(Int32Array.of(1, 0, 1));
  const reduction = 'sum';
  const [pair, logits, probabilities, classes] = [
    (): [Tensor, Tensor] => [matrix(), parts()],
    (): [Tensor, Tensor] => [matrix(), parts()],
    (): [Tensor, Tensor] => [parts(), parts()],
    (): [Tensor, Tensor] => [matrix(), labels()],
  ];
  const options = {
    smooth: () => ({ beta: 0.5, reduction }),
    huber: () => ({ delta: 0.5, reduction }),
    plain: () => ({ reduction }),
    divergence: () => ({ logTarget: true, reduction: 'batchmean' }),
    binary: () => ({ weight: weight(), reduction }),
    logits: () => ({ weight: weight(), posWeight: weight(), reduction }),
    likelihood: () => ({ weight: weight(), ignoreIndex: 1, reduction }),
    embedding: () => ({ margin: 0.25, reduction }),
    similarity: () => ({ dim: 0, eps: 0.5 }),
    triplet: () => ({ margin: 2, p: 1, eps: 0.5, swap: true, reduction }),
  };
  const three = (): [Tensor, Tensor, Tensor] => [matrix(), parts(), matrix()];
  const signs = (): [Tensor, Tensor, number[]] => [matrix(), parts(), [1, -1, 1]];
  const f = functional;
  return [
    row('functional.l1Loss', pair, f.l1Loss, { options: options.plain }),
    row('functional.smoothL1Loss', pair, f.smoothL1Loss, { options: options.smooth }),
    row('functional.huberLoss', pair, f.huberLoss, { options: options.huber }),
    row('functional.klDiv', pair, f.klDiv, { options: options.divergence }),
    row('functional.binaryCrossEntropy', probabilities, f.binaryCrossEntropy, {
      options: options.binary,
    }),
    row('functional.binaryCrossEntropyWithLogits', logits, f.binaryCrossEntropyWithLogits, {
      options: options.logits,
    }),
    row('functional.nllLoss', classes, f.nllLoss, { options: options.likelihood }),
    row('functional.crossEntropy, of a part', classes, f.crossEntropy, {
      options: () => ({ weight: weight(), labelSmoothing: 0.25, of: 5 }),
    }),
    row('functional.crossEntropy, of probabilities', pair, f.crossEntropy, {
      options: () => ({ weight: weight(), labelSmoothing: 0.25, reduction }),
    }),
    row('functional.cosineSimilarity', pair, f.cosineSimilarity, { options: options.similarity }),
    row('functional.cosineEmbeddingLoss', signs, f.cosineEmbeddingLoss, {
      options: options.embedding,
    }),
    row('functional.tripletMarginLoss', three, f.tripletMarginLoss, { options: options.triplet }),
    row('nn.L1Loss', pair, (x, y, each) => new nn.L1Loss(each).forward(x, y), {
      options: options.plain,
    }),
    row('nn.SmoothL1Loss', pair, (x, y, each) => new nn.SmoothL1Loss(each).forward(x, y), {
      options: options.smooth,
    }),
    row('nn.HuberLoss', pair, (x, y, each) => new nn.HuberLoss(each).forward(x, y), {
      options: options.huber,
    }),
    row('nn.KLDivLoss', pair, (x, y, each) => new nn.KLDivLoss(each).forward(x, y), {
      options: options.divergence,
    }),
    row('nn.BCELoss', probabilities, (x, y, each) => new nn.BCELoss(each).forward(x, y), {
      options: options.binary,
    }),
    row(
      'nn.BCEWithLogitsLoss',
      logits,
      (x, y, each) => new nn.BCEWithLogitsLoss(each).forward(x, y),
      { options: options.logits },
    ),
    row('nn.NLLLoss', classes, (x, y, each) => new nn.NLLLoss(each).forward(x, y), {
      options: options.likelihood,
    }),
    row('nn.CosineSimilarity', pair, (x, y, each) => new nn.CosineSimilarity(each).forward(x, y), {
      options: options.similarity,
    }),
    row(
      'nn.CosineEmbeddingLoss',
      signs,
      (x, y, z, each) => new nn.CosineEmbeddingLoss(each).forward(x, y, z),
      { options: options.embedding },
    ),
    row(
      'nn.TripletMarginLoss',
      three,
      (x, y, z, each) => new nn.TripletMarginLoss(each).forward(x, y, z),
      { options: options.triplet },
    ),
  ];
}
