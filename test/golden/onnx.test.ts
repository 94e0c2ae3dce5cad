// Operators of the ONNX project with inputs and outputs: an old PyTorch's and those of ONNX's own reference, which owe
// nothing to the PyTorch that the other golden data come from. scripts/golden/onnx_testdata.py says where they are from.
import { functional as F, nn, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { expectAllClose } from '../helpers/expect-close.js';
import { decode, readGolden, type Encoded } from '../helpers/golden.js';

type Values = { readonly shape: number[] } & (Encoded | { readonly integers: number[] });

interface Attributes {
  readonly alpha?: number;
  readonly axes?: number[];
  readonly axis?: number;
  readonly dilations?: number[];
  readonly epsilon?: number;
  readonly group?: number;
  readonly kernel_shape?: number[];
  readonly momentum?: number;
  readonly pads?: number[];
  readonly perm?: number[];
  readonly strides?: number[];
  readonly training_mode?: number;
  readonly transB?: number;
}

interface Node {
  readonly op: string;
  readonly inputs: string[];
  readonly outputs: string[];
  readonly attributes: Attributes;
}

interface Case {
  readonly name: string;
  readonly nodes: Node[];
  readonly values: Readonly<Record<string, Values>>;
  readonly outputs: Readonly<Record<string, Values>>;
}

const golden = readGolden('onnx') as { readonly package: string; readonly cases: Case[] };

const valueOf = (each: Values): Tensor =>
  'integers' in each
    ? tensor(Int32Array.from(each.integers), each.shape)
    : tensor(decode(each), each.shape);

/** Sizes of a window that ONNX gives for each dimension; beyond the first they do nothing here. */
function windowOf({ kernel_shape, strides, pads, dilations }: Attributes): {
  kernel: number;
  stride: number;
  padding: number;
  dilation: number;
} {
  const [kernel = 1] = kernel_shape ?? [];
  const [stride = 1] = strides ?? [];
  const [padding = 0] = pads ?? [];
  const [dilation = 1] = dilations ?? [];
  return { kernel, stride, padding, dilation };
}

/** Over [N, C, L], or [N, C, L, 1]. */
function overLength(x: Tensor, operation: (x: Tensor) => Tensor): Tensor {
  return x.shape.length === 3 ? operation(x) : operation(x.squeeze(3)).unsqueeze(3);
}

type Operator = (inputs: readonly Tensor[], attributes: Attributes) => Tensor | Tensor[];

/** Layers where there is one, and functions. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  Relu: ([x]) => F.relu(x!),
  Sigmoid: ([x]) => F.sigmoid(x!),
  Tanh: ([x]) => F.tanh(x!),
  Softplus: ([x]) => F.softplus(x!),
  Elu: ([x], { alpha }) => F.elu(x!, { alpha }),
  LeakyRelu: ([x], { alpha }) => F.leakyRelu(x!, { negativeSlope: alpha }),
  PRelu: ([x, weight]) => F.prelu(x!, weight!),
  Softmax: ([x], { axis }) => F.softmax(x!, { dim: axis! }),
  LogSoftmax: ([x], { axis }) => F.logSoftmax(x!, { dim: axis! }),
  Mul: ([a, b]) => F.mul(a!, b!),
  Split: ([x], { axis }) => F.chunk(x!, 2, { dim: axis }),
  Squeeze: ([x], { axes }) => x!.squeeze(axes![0]),
  Unsqueeze: ([x], { axes }) => x!.unsqueeze(axes![0]!),
  Transpose: ([x], { perm }) => x!.permute(perm!),
  MatMul: ([a, b]) => F.matmul(a!, b!),
  Gemm([x, weight, bias], { transB }) {
    expect(transB).toBe(1);
    return F.linear(x!, weight!, bias);
  },
  Gather: ([table, index]) => F.embedding(index!, table!),
  Conv([x, weight, bias], attributes) {
    const { stride, padding, dilation } = windowOf(attributes);
    const groups = attributes.group;
    return F.conv1d(x!, weight!, bias, { stride, padding, dilation, groups });
  },
  ConvTranspose: ([x, weight]) => F.convTranspose1d(x!, weight!),
  MaxPool([x], attributes) {
    const { kernel, stride, padding } = windowOf(attributes);
    return F.maxPool1d(x!, kernel, { stride, padding });
  },
  AveragePool([x], attributes) {
    const { kernel, stride, padding } = windowOf(attributes);
    const options = { stride, padding, countIncludePad: false };
    return overLength(x!, (each) => F.avgPool1d(each, kernel, options));
  },
  LayerNormalization([x, weight, bias], { epsilon }) {
    return F.layerNorm(x!, weight!.shape, { weight, bias, eps: epsilon });
  },
  BatchNormalization([x, weight, bias, mean, variance], attributes) {
    const { epsilon = 1e-5, momentum = 0.9, training_mode: training = 0 } = attributes;
    const Layer = x!.shape.length === 4 ? nn.BatchNorm2d : nn.BatchNorm1d;
    const bn = new Layer(weight!.numel, { eps: epsilon, momentum: 1 - momentum });
    bn.loadStateDict(
      new Map([
        ['weight', weight!],
        ['bias', bias!],
        ['running_mean', mean!],
        ['running_var', variance!],
      ]),
    );
    const y = bn.train(training === 1).forward(x!);
    if (training === 0) return y;
    // ONNX keeps the variance of the batch as it is, PyTorch that of the population it is drawn from.
    const count = x!.numel / weight!.numel;
    const step = F.sub(bn.runningVar!, F.mul(variance!, momentum));
    const biased = F.mul(variance!, momentum).add(step.mul((count - 1) / count));
    return [y, bn.runningMean!, biased];
  },
};

/** How many products a result is the sum of. */
function termsOf({ nodes, values }: Case): number {
  const weights = nodes.flatMap(({ op, inputs }) =>
    ['Conv', 'ConvTranspose', 'Gemm', 'Transpose'].includes(op)
      ? values[inputs[Math.min(1, inputs.length - 1)]!]!.shape.slice(1)
      : [],
  );
  return weights.reduce((product, size) => product * size, 1);
}

describe(`operators of ${golden.package}`, () => {
  test.each(golden.cases.map((each) => [each.name, each] as const))('%s', (_, each) => {
    const known = new Map(Object.entries(each.values).map(([name, one]) => [name, valueOf(one)]));
    for (const { op, inputs, outputs, attributes } of each.nodes) {
      const given = inputs.map((name) => known.get(name)!);
      const found = [OPERATORS[op]!(given, attributes)].flat();
      found.forEach((y, i) => known.set(outputs[i]!, y));
    }
    // Both sides round each product and each sum once; a function a few times.
    const k = 2 * (termsOf(each) + 4);
    let compared = 0;
    for (const [name, want] of Object.entries(each.outputs)) {
      const got = known.get(name);
      if (got === undefined) continue; // the statistics of LayerNormalization
      const numbers = decode(want as Encoded);
      const scale = Math.max(1, ...Array.from(numbers, Math.abs));
      expectAllClose(got, { data: numbers, shape: want.shape }, { k, scale }, name);
      compared++;
    }
    expect(compared).toBeGreaterThan(0);
  });

  test('there are as many as the script takes', () => {
    expect(golden.cases.length).toBeGreaterThanOrEqual(48);
    const used = new Set(golden.cases.flatMap(({ nodes }) => nodes.map(({ op }) => op)));
    expect([...used].sort()).toEqual(Object.keys(OPERATORS).sort());
  });
});
