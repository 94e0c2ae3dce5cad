// Convolutions, pooling, norms by sample, interpolation and embeddings against PyTorch in float64.
import { functional, nn, tensor, type Tensor } from 'evenkeel';

import { describeGoldenCases } from '../helpers/golden-cases.js';

type Options = Readonly<Record<string, unknown>>;

/** Whatever is a tensor first, as the cases have it: x, and weight and bias where they are given. */
function split(args: readonly unknown[]): { tensors: Tensor[]; rest: unknown[] } {
  const isTensor = (each: unknown): boolean =>
    typeof each === 'object' && each !== null && 'requiresGrad' in each;
  return {
    tensors: args.filter(isTensor) as Tensor[],
    rest: args.filter((each) => !isTensor(each)),
  };
}

function affine(weight: Tensor | undefined, bias: Tensor | undefined, more: unknown): Options {
  return { ...(weight === undefined ? {} : { weight, bias }), ...(more as Options | undefined) };
}

describeGoldenCases('convolution', {
  // The row of paddingIdx of an embedding has no gradient, though the result depends on it.
  bent: new Set(['maxPool1d', 'adaptiveMaxPool1d', 'embedding']),
  adapters: {
    layerNorm: (...args) => {
      const { tensors, rest } = split(args);
      const [x, weight, bias] = tensors as [Tensor, Tensor?, Tensor?];
      return functional.layerNorm(x, rest[0] as number[], affine(weight, bias, rest[1]));
    },
    groupNorm: (...args) => {
      const { tensors, rest } = split(args);
      const [x, weight, bias] = tensors as [Tensor, Tensor?, Tensor?];
      return functional.groupNorm(x, rest[0] as number, affine(weight, bias, rest[1]));
    },
    instanceNorm: (...args) => {
      const { tensors, rest } = split(args);
      const [x, weight, bias] = tensors as [Tensor, Tensor?, Tensor?];
      return functional.instanceNorm(x, affine(weight, bias, rest[0]));
    },
    embeddingBag: (...args) => {
      const { tensors, rest } = split(args);
      const [weight, perSampleWeights] = tensors as [Tensor, Tensor?];
      const [index, options] = rest as [number[] | number[][], Options];
      const flat = index.flat();
      const places =
        flat.length === index.length
          ? flat
          : tensor(Int32Array.from(flat), [index.length, flat.length / index.length]);
      return functional.embeddingBag(places, weight, { ...options, perSampleWeights });
    },
    Conv1d: (x, sizes, options, weight, bias) => {
      const { dtype } = x as Tensor;
      const layer = new nn.Conv1d(...(sizes as [number, number, number]), {
        ...(options as Options),
        dtype: dtype as 'float32',
      });
      layer
        .requiresGrad_(false)
        .weight.copy_(tensor(weight as number[], { dtype }).reshape([...layer.weight.shape]));
      layer.bias!.copy_(tensor(bias as number[], { dtype }));
      return layer.forward(x as Tensor);
    },
    embedding: (weight, index, options) =>
      functional.embedding(index as number[], weight as Tensor, options as Options),
  },
});
