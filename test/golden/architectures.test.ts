// The architectures of examples/architectures against PyTorch: each loads a checkpoint that PyTorch has written, is
// evaluated, and trained one step; every output, the loss, every gradient and the whole state afterwards are compared.
import { readFileSync } from 'node:fs';

import type { nn } from 'evenkeel';
import { checkpoint, functional as F, noGrad, optim, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { DGCNNHead } from '../../examples/architectures/dgcnn-head.js';
import { ECAPA } from '../../examples/architectures/ecapa.js';
import { ECGResNet } from '../../examples/architectures/ecg-resnet.js';
import { GAN } from '../../examples/architectures/gan.js';
import { ArcFace, BNNeck } from '../../examples/architectures/identity-heads.js';
import { M5 } from '../../examples/architectures/m5.js';
import { featureTransformRegularizer, PointNet } from '../../examples/architectures/pointnet.js';
import { SimSiam, simSiamLoss } from '../../examples/architectures/simsiam.js';
import { TabNet } from '../../examples/architectures/tabnet.js';
import { TabularModel } from '../../examples/architectures/tabular.js';
import { VAE, vaeLoss } from '../../examples/architectures/vae.js';
import { XVector } from '../../examples/architectures/x-vector.js';
import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { decode, readGolden, type DTypeName, type Encoded } from '../helpers/golden.js';

type Values = { readonly shape: number[] } & Encoded;

interface Golden {
  readonly torch: string;
  readonly optimizer: 'SGD' | 'Adam' | 'AdamW';
  readonly options: { readonly lr: number };
  readonly inputs: (Values | { readonly shape: number[]; readonly integers: number[] })[];
  readonly results: Readonly<Record<string, Values & { readonly moved: number }>>;
}

/** What comes of a batch: outputs in PyTorch's order, and the loss. */
type Run = (...inputs: Tensor[]) => [outputs: Tensor[], loss: Tensor];

/** A model with the sizes of scripts/golden/architecture_models.py, and what is computed of its inputs. */
type Make = (dtype: DTypeName) => [model: nn.Module, run: Run];

/** A model with one output, a score for each class. */
const classifier = (
  model: nn.Module & { forward(x: Tensor): Tensor },
  labelSmoothing = 0,
): [nn.Module, Run] => [
  model,
  (x, label) => {
    const scores = model.forward(x);
    return [[scores], F.crossEntropy(scores, label, { labelSmoothing })];
  },
];

const MODELS: Readonly<Record<string, Make>> = {
  pointnet(dtype) {
    const model = new PointNet({ k: 5, widths: [8, 12, 16], hidden: [12, 8], dropout: 0, dtype });
    return [
      model,
      (points, label) => {
        const outputs = model.forward(points);
        const apart = featureTransformRegularizer(outputs[2]);
        return [outputs, F.nllLoss(outputs[0], label).add(apart.mul(0.001))];
      },
    ];
  },
  'dgcnn-head': (dtype) =>
    classifier(
      new DGCNNHead({
        ...{ classes: 5, features: 12, embDims: 16, hidden: [12, 10] },
        ...{ dropout: 0, dtype },
      }),
      0.2,
    ),
  'x-vector': (dtype) =>
    classifier(
      new XVector({
        ...{ speakers: 5, features: 6, width: 8, wide: 12, hidden: 10 },
        ...{ dropout: 0, dtype },
      }),
    ),
  ecapa: (dtype) =>
    classifier(
      new ECAPA({
        ...{ features: 6, channels: 16, wide: 12, attention: 8, embedding: 10 },
        ...{ scale: 4, bottleneck: 6, dtype },
      }),
    ),
  m5(dtype) {
    const model = new M5({ outputs: 5, channels: 6, dtype });
    return [
      model,
      (sound, label) => {
        const scores = model.forward(sound);
        return [[scores], F.nllLoss(scores.squeeze(1), label)];
      },
    ];
  },
  'ecg-resnet'(dtype) {
    const model = new ECGResNet({
      ...{ input: [4, 128], classes: 3, kernelSize: 9, dropout: 0, dtype },
      ...{ blocks: [[6, 64], [8, 16], [8, 16], [10, 4]] }, // prettier-ignore
    });
    return [
      model,
      (signal, disease) => {
        const scores = model.forward(signal);
        const posWeight = tensor([2, 3, 1], { dtype });
        return [[scores], F.binaryCrossEntropyWithLogits(scores, disease, { posWeight })];
      },
    ];
  },
  tabnet(dtype) {
    const model = new TabNet({
      ...{ numbers: 5, categories: [[4, 2], [3, 1]], outputs: 3, nD: 4, nA: 4 }, // prettier-ignore
      ...{ virtualBatchSize: 8, dtype },
    });
    return [
      model,
      (category, numbers, label) => {
        const [scores, sparsity] = model.forward(category, numbers);
        return [[scores, sparsity], F.crossEntropy(scores, label).sub(sparsity.mul(0.001))];
      },
    ];
  },
  tabular(dtype) {
    const model = new TabularModel({
      ...{ embeddings: [[7, 4], [5, 3], [3, 2]], numbers: 4, outputs: 1, layers: [16, 8], dtype }, // prettier-ignore
    });
    return [
      model,
      (category, numbers, target) => {
        const value = model.forward(category, numbers);
        return [[value], F.smoothL1Loss(value, target, { beta: 0.5 })];
      },
    ];
  },
  simsiam(dtype) {
    const model = new SimSiam({ width: 12, dim: 16, predDim: 6, dtype });
    return [
      model,
      (x1, x2) => {
        const outputs = model.forward(x1, x2);
        return [outputs, simSiamLoss(outputs)];
      },
    ];
  },
  bnneck(dtype) {
    const model = new BNNeck(24, 6, { dtype });
    return [
      model,
      (x, positive, negative, label) => {
        const [result, features] = model.forward(x);
        const triplet = F.tripletMarginLoss(features, positive, negative, { margin: 0.3 });
        if (!model.training) return [[result], triplet];
        return [[result], triplet.add(F.crossEntropy(result, label, { labelSmoothing: 0.1 }))];
      },
    ];
  },
  arcface(dtype) {
    const model = new ArcFace({ width: 12, embedding: 8, classes: 6, s: 8, m: 0.5, dtype });
    return [
      model,
      (x, label) => {
        const [embedding, scores] = model.forward(x, label);
        return [[embedding, scores], F.crossEntropy(scores, label)];
      },
    ];
  },
  vae(dtype) {
    const model = new VAE({ inputs: 10, latent: 3, layers: 2, hidden: 12, dropout: 0, dtype });
    return [
      model,
      (x, noise) => {
        const outputs = model.forward(x, noise);
        return [outputs, vaeLoss(x, outputs)];
      },
    ];
  },
  gan(dtype) {
    const model = new GAN({ latent: 6, widths: [8, 12, 16], pixels: 20, judge: [12, 8], dtype });
    return [
      model,
      (z) => {
        const [pictures, valid] = model.forward(z);
        const real = valid.detach().mul(0).add(1);
        return [[pictures, valid], F.binaryCrossEntropy(valid, real)];
      },
    ];
  },
};

const folder = new URL('data/architectures/', import.meta.url);

/**
 * Roundings that a result may be off by, of one unit at its largest value and of what one rounding of every weight, layer
 * output and gradient does to it (`moved`, which PyTorch has measured). A layer rounds a sum several times; in float64 both
 * sides do.
 */
const ROUNDINGS = { float32: 4, float64: 16 } as const;

function inputsOf({ inputs }: Golden, dtype: DTypeName): Tensor[] {
  return inputs.map((each) =>
    'integers' in each
      ? tensor(Int32Array.from(each.integers), each.shape)
      : tensor(decode(each), each.shape, { dtype }),
  );
}

/** Everything that scripts/golden/architectures.py has put down, by the same names. */
function resultsOf(
  golden: Golden,
  model: nn.Module,
  run: Run,
  inputs: Tensor[],
): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  model.eval();
  noGrad(() => run(...inputs))[0].forEach((y, i) => found.set(`evaluated ${i}`, y));
  model.train();
  const [outputs, loss] = run(...inputs);
  outputs.forEach((y, i) => found.set(`trained ${i}`, y.detach()));
  found.set('loss', loss.detach());
  loss.backward();
  const learned = [...model.namedParameters()].filter(([, { requiresGrad }]) => requiresGrad);
  for (const [name, { grad }] of learned) if (grad !== null) found.set(`gradient ${name}`, grad);
  const parameters = learned.map(([, parameter]) => parameter);
  new optim[golden.optimizer](parameters, golden.options).step();
  for (const [name, each] of model.stateDict()) found.set(`after ${name}`, each);
  return found;
}

describe.each(Object.entries(MODELS))('%s', (name, make) => {
  const golden = readGolden(`architectures/${name}`) as Golden;

  test.each(['float32', 'float64'] as const)('as PyTorch has it, in %s', async (dtype) => {
    const state = await checkpoint.loadTorch(readFileSync(new URL(`${name}.pt`, folder)));
    const [model, run] = make(dtype);
    expect([...model.stateDict().keys()]).toEqual([...state.keys()]);
    model.loadStateDict(state);

    const found = resultsOf(golden, model, run, inputsOf(golden, dtype));
    expect([...found.keys()]).toEqual(Object.keys(golden.results));
    for (const [key, { moved, shape, ...encoded }] of Object.entries(golden.results)) {
      const want = decode(encoded);
      const scale = moved + Math.max(0, ...want.map(Math.abs));
      const limit = { k: ROUNDINGS[dtype], unit: ROUNDING[dtype], scale };
      expectAllClose(found.get(key), { data: want, shape }, limit, key);
    }
  });

  test('running statistics are not where they began, and move', () => {
    const statistics = Object.entries(golden.results).filter(([key]) => key.endsWith('tracked'));
    const counts = statistics.map(([, value]) => decode(value)[0]!);
    expect(counts.length).toBeGreaterThan(0);
    expect(Math.max(...counts)).toBeGreaterThan(3); // three batches of PyTorch, and the step
  });
});
