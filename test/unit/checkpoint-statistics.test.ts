// Running statistics that are not finite are a warning when they come from a file, with every key.
import { afterEach, describe, expect, test, vi } from 'vitest';

import { checkpoint, nn, StateDict, tensor } from '../../src/index.js';
import { op, torchZip } from '../helpers/checkpoint-files.js';
import { thrownBy } from '../helpers/snapshot.js';

const emitted = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
afterEach(() => void emitted.mockClear());

const warnings = (): unknown[] => emitted.mock.calls;

const file = (...entries: [string, number[]][]): Uint8Array =>
  checkpoint.encodeSafetensors(
    new StateDict(entries.map(([key, values]) => [key, tensor(values)])),
  );

describe('a warning', () => {
  test('names the key, the value and the channel', async () => {
    await checkpoint.loadSafetensors(
      file(
        ['bn.running_mean', [0, NaN]],
        ['bn.running_var', [1, 1]],
        ['running_var', [Infinity, 1]],
        ['deep.er.running_mean', [0, 0, -Infinity]],
      ),
    );
    expect(warnings()).toEqual([
      [
        "loadSafetensors: expected finite running statistics, got NaN in 'bn.running_mean' (channel 1), -Infinity in " +
          "'deep.er.running_mean' (channel 2), Infinity in 'running_var' (channel 0). A BatchNorm that is loaded with " +
          'them gives NaN or infinities in evaluation.',
        { code: 'EVENKEEL_NON_FINITE_STATISTICS' },
      ],
    ]);
  });

  test('is one a file, and names eight keys at most', async () => {
    await checkpoint.loadSafetensors(
      file(
        ...Array.from({ length: 11 }, (_, i): [string, number[]] => [`${i}.running_var`, [NaN]]),
      ),
    );
    expect(warnings()).toHaveLength(1);
    expect(emitted.mock.calls[0]![0]).toMatch(/ in '6\.running_var' \(channel 0\) and 3 more\. /);
  });

  test('comes of a .pt too', async () => {
    const values = new Uint8Array(Float32Array.of(1, NaN).buffer);
    const variance = op.tensor(
      op.storage('FloatStorage', '0', op.int(2)),
      op.int(0),
      [op.int(2)],
      [op.int(1)],
    );
    const pickle = op.pickle(op.dict(op.text('1.running_var'), variance));
    await checkpoint.loadTorch(torchZip(pickle, { '0': values }));
    expect(emitted.mock.calls[0]![0]).toContain("NaN in '1.running_var' (channel 1)");
  });
});

test('there is none for finite ones, for other keys, and for integers', async () => {
  const state = new StateDict([
    ['weight', tensor([NaN])],
    ['my_running_var', tensor([NaN])],
    ['running_variance', tensor([NaN])],
    ['running_var', tensor(BigInt64Array.of(1n))],
    ['bn.running_mean', tensor([1e38, -1e38])],
  ]);
  await checkpoint.loadSafetensors(checkpoint.encodeSafetensors(state));
  expect(warnings()).toEqual([]);
});

test('what is NaN or negative in a running_var is refused by the layer, after the warning', async () => {
  const bn = new nn.BatchNorm1d(2, { affine: false });
  const state = bn.stateDict().clone();
  (state.get('running_var')!.data as Float32Array)[1] = NaN;
  const loaded = await checkpoint.loadSafetensors(checkpoint.encodeSafetensors(state));
  expect(warnings()).toHaveLength(1);
  expect(thrownBy(() => bn.loadStateDict(loaded))).toContain(
    'expected variances of at least 0, got NaN in channel 1',
  );
});
