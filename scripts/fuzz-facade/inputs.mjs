// Right arguments: tensors of shapes that fit, in every kind of memory a user may bring.
// @ts-nocheck
import { below, chance, numbers, one } from './draw.mjs';
import { evenkeel } from './package.mjs';
import { made } from './world.mjs';

const { functional, nn, tensor } = evenkeel;

const product = (shape) => shape.reduce((a, b) => a * b, 1);

/** How elements can lie; each returns an array of these. */
const PLACES = {
  plain: (data) => data,
  shared: (data) => {
    const view = new data.constructor(new SharedArrayBuffer(data.byteLength));
    view.set(data);
    return view;
  },
  offset: (data) => {
    const view = new data.constructor(
      new ArrayBuffer(data.byteLength + 256),
      data.BYTES_PER_ELEMENT * (1 + below(5)),
      data.length,
    );
    view.set(data);
    return view;
  },
  resizable: (data) => {
    const { byteLength } = data;
    const buffer = new ArrayBuffer(byteLength, { maxByteLength: byteLength + 64 });
    const view = new data.constructor(buffer, 0, chance(2) ? data.length : undefined);
    view.set(data);
    return view;
  },
  growable: (data) => {
    const { byteLength } = data;
    const buffer = new SharedArrayBuffer(byteLength, { maxByteLength: byteLength + 64 });
    const view = new data.constructor(buffer, 0, data.length);
    view.set(data);
    return view;
  },
};

/** Values of that shape somewhere, and where: 'output' is memory of the package that nobody has seen. */
export function placed(shape, dtype, kind = one([...Object.keys(PLACES), 'output'])) {
  const drawn = numbers(product(shape));
  const values = dtype === 'float64' ? Float64Array.from(drawn) : drawn;
  if (kind !== 'output') return { kind, values, x: tensor(PLACES[kind](values.slice()), shape) };
  const zeros = tensor(new values.constructor(values.length), shape);
  return { kind, values, x: functional.add(tensor(values.slice(), shape), zeros) };
}

const sizes = () => {
  const { c } = made;
  return one([
    ...[
      [4, c],
      [4, c],
      [4, c, 3],
      [1, c],
      [0, c],
    ],
    ...[[2, c, 2, 2], [1, c, 2, 1, 3], [c], [4, 3], []],
  ]);
};

export function input(shape = sizes()) {
  const { x } = placed(shape, chance(6) ? 'float64' : 'float32', chance(4) ? undefined : 'plain');
  if (chance(3)) x.requiresGrad = true;
  return x;
}

export const batch = () => {
  const { c } = made;
  return input(
    one([
      [4, c],
      [4, c, 3],
    ]),
  );
};

export const perChannel = () => tensor(numbers(made.c).map(Math.abs), [made.c]);

/** Right for a layer; large ones have enough elements for a job, or to be copied in turns. */
export function shapeFor(layer, large = false) {
  const { c } = made;
  const each = Math.ceil((chance(12) ? 300_000 : 33_000) / c);
  if (layer instanceof nn.BatchNorm2d) return large ? [3, c, 1, Math.ceil(each / 3)] : [2, c, 2, 2];
  if (layer instanceof nn.BatchNorm3d)
    return large ? [2, c, 1, 1, Math.ceil(each / 2)] : [1, c, 2, 1, 3];
  if (chance(2)) return [large ? each : 4, c];
  const l = large ? Math.ceil(each / 4) : 3;
  return layer.layout === 'NLC' ? [4, l, c] : [4, c, l];
}

/** How many steps each sample of [N, C, L], or of [N, L, C], has. */
export function lengthsOf(shape, layout) {
  const l = shape[layout === 'NLC' ? 1 : 2] ?? 4;
  return Int32Array.from({ length: Math.min(shape[0] ?? 4, 100) }, () => below(l + 1));
}
