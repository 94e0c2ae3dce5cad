// Arithmetic, reductions, shapes, indexing and activations against PyTorch in float64.
import { describeGoldenCases } from '../helpers/golden-cases.js';

describeGoldenCases('operations', {
  bent: new Set([
    ...['clamp', 'hardtanh', 'relu6', 'abs', 'leakyRelu', 'elu'],
    ...['max', 'min', 'amax', 'amin'],
  ]),
});
