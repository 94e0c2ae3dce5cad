// Reading test/golden/data/*.json, which scripts/golden/make.py writes.
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';

export type DTypeName = 'float32' | 'float64';

/** Base64 of the little-endian bytes. */
export type Encoded = { readonly f32: string } | { readonly f64: string };

export function readGolden(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../golden/data/${name}.json`, import.meta.url), 'utf8'));
}

/** The numbers, in memory of their own. */
export function decode(encoded: Encoded): Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> {
  const isSingle = 'f32' in encoded;
  const bytes = Buffer.from(isSingle ? encoded.f32 : encoded.f64, 'base64');
  if (endianness() === 'BE') {
    if (isSingle) bytes.swap32();
    else bytes.swap64();
  }
  const memory = new Uint8Array(bytes).buffer;
  return isSingle ? new Float32Array(memory) : new Float64Array(memory);
}

/** A state dict of an optimiser as the golden data have it: tensors are flat arrays. */
export function plainState<State extends object>(state: State): State {
  return JSON.parse(
    JSON.stringify(state, (_, value: unknown) =>
      typeof value === 'object' && value !== null && 'dtype' in value && 'data' in value
        ? value.data
        : value,
    ),
  ) as State;
}
