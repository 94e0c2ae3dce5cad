// Files of weights: examined without a model, and mended into a new file.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { checkpoint, nn, tensor, type Tensor } from 'evenkeel';
import { diagnoseCheckpoint, FINDINGS, mendCheckpoint, type FindingId } from 'evenkeel/doctor';
import { afterAll, describe, expect, it } from 'vitest';

import { accuracy, batches, digitNet, layerOf, train, trained } from './digits.js';

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));
const real = fileURLToPath(new URL('data/ssd-mobilenet-v1.safetensors', import.meta.url));

describe('diagnoseCheckpoint', () => {
  it('names the variances that quantising has rounded to 0 in a real model', async () => {
    const report = await diagnoseCheckpoint(real, { eps: 1e-3 });
    expect(report.subject).toBe('ssd-mobilenet-v1.safetensors');
    expect(report.layers).toHaveLength(13);
    const dead = report.findings.find(({ id }) => id === 'dead-channel')!;
    const named = Object.entries(dead.measured)
      .filter(([name]) => name.startsWith('channels'))
      .map(([, channels]) => (channels as number[]).length);
    expect(named.reduce((sum, each) => sum + each, 0)).toBe(93);
    expect(named).toHaveLength(1 + dead.alsoIn.length);
    expect(dead.layer).toBe('Conv2d_1_depthwise');
    expect(report.findings.map(({ id }) => id)).toContain('exploding-gain');
    expect(report.healthy).toBe(false);
  });

  it('takes paths, URLs, bytes and buffers', async () => {
    const bytes = readFileSync(real);
    const expected = JSON.stringify((await diagnoseCheckpoint(real)).findings);
    const sources = [pathToFileURL(real), new Uint8Array(bytes), new Uint8Array(bytes).buffer];
    for (const source of sources) {
      expect(JSON.stringify((await diagnoseCheckpoint(source)).findings)).toBe(expected);
    }
  });

  it('finds the state dict of a training program’s .pt', async () => {
    const file = fileURLToPath(
      new URL('../golden/data/checkpoints/checkpoint.pt', import.meta.url),
    );
    await expect(checkpoint.loadTorch(file)).rejects.toThrow(/key/);
    expect((await diagnoseCheckpoint(file)).layers.length).toBeGreaterThan(0);
  });

  it('refuses what is no checkpoint, and one without BatchNorm', async () => {
    await expect(diagnoseCheckpoint(join(folder, 'none.pt'))).rejects.toThrow(
      /^diagnoseCheckpoint: expected a file that can be read, got '.*none\.pt'\.$/,
    );
    writeFileSync(join(folder, 'empty.pt'), '');
    await expect(diagnoseCheckpoint(join(folder, 'empty.pt'))).rejects.toThrow(RangeError);
    writeFileSync(join(folder, 'text.pt'), 'no weights at all');
    await expect(diagnoseCheckpoint(join(folder, 'text.pt'))).rejects.toThrow(RangeError);
    const linear = checkpoint.encodeSafetensors(new nn.Linear(2, 2).stateDict());
    await expect(diagnoseCheckpoint(linear)).rejects.toThrow('BatchNorm layers');
    await expect(diagnoseCheckpoint(linear, { epsilon: 1 } as object)).rejects.toThrow(/epsilon/);
  });
});

describe('mendCheckpoint', () => {
  const stateWith = (
    model: nn.Module,
    change: (state: Map<string, Tensor>) => void,
  ): Uint8Array => {
    const state = new Map(model.stateDict().clone());
    change(state);
    return checkpoint.encodeSafetensors(state);
  };

  it('adds missing counters, and writes over nothing', async () => {
    const old = stateWith(trained(1), (state) => {
      for (const key of [...state.keys()]) if (key.endsWith('tracked')) state.delete(key);
    });
    const out = join(folder, 'counted.safetensors');
    const { mended, left, report } = await mendCheckpoint(old, { out });
    expect([mended, left]).toEqual([['counter-missing'], []]);
    expect(report.healthy).toBe(true);
    const again = digitNet().loadStateDict(await checkpoint.loadSafetensors(out));
    expect(again.missingKeys).toEqual([]);
    const written = readFileSync(out);
    await expect(mendCheckpoint(old, { out })).rejects.toThrow(
      /overwrite: true, got '.*', which is there/,
    );
    expect(readFileSync(out)).toEqual(written);
    await mendCheckpoint(old, { out, overwrite: true });
  });

  it('recomputes statistics with the model and data', async () => {
    const model = trained(2);
    const good = accuracy(model);
    const old = stateWith(model, (state) => {
      (state.get('1.running_var')!.data as Float32Array)[5] = -1;
      (state.get('5.running_mean')!.data as Float32Array)[0] = NaN;
    });
    const out = join(folder, 'recomputed.safetensors');
    const fresh = digitNet();
    const { mended, left } = await mendCheckpoint(old, {
      out,
      model: fresh,
      loader: batches(train, 100),
    });
    expect(new Set(mended)).toEqual(new Set(['negative-variance', 'non-finite-statistics']));
    expect(left).toEqual([]);
    const loaded = digitNet();
    loaded.loadStateDict(await checkpoint.loadSafetensors(out));
    expect(accuracy(loaded.eval())).toBeGreaterThan(good - 0.03);
    expect(layerOf(loaded, 1).runningVar!.toArray()).toEqual(
      layerOf(fresh, 1).runningVar!.toArray(),
    );
  });

  it.each<[FindingId, (state: Map<string, Tensor>) => void]>([
    [
      'never-tracked',
      (state) => {
        (state.get('1.running_mean')!.data as Float32Array).fill(0);
        (state.get('1.running_var')!.data as Float32Array).fill(1);
      },
    ],
    [
      'non-finite-statistics',
      (state) => (state.get('1.running_var')!.data as Float32Array).fill(NaN),
    ],
    ['negative-variance', (state) => ((state.get('1.running_var')!.data as Float32Array)[2] = -2)],
    ['dead-channel', (state) => ((state.get('1.running_var')!.data as Float32Array)[2] = 0)],
    ['exploding-gain', (state) => ((state.get('1.running_var')!.data as Float32Array)[2] = 0)],
  ])('%s is mended by data, as FINDINGS says, and not without', async (id, harm) => {
    expect(FINDINGS.find((each) => each.id === id)!.mendedBy).toBe('data');
    const old = stateWith(trained(4), harm);
    const out = join(folder, `${id}.safetensors`);
    expect((await mendCheckpoint(old, { out })).left).toContain(id);
    const given = { out, overwrite: true, model: digitNet(), loader: batches(train, 100) };
    const { mended, left } = await mendCheckpoint(old, given);
    expect(mended).toContain(id);
    expect(left).toEqual([]);
  });

  it('leaves what needs data where there are none', async () => {
    const old = stateWith(trained(3), (state) => {
      state.set('1.running_mean', tensor(new Float32Array(48).fill(Infinity)));
    });
    const { mended, left } = await mendCheckpoint(old, { out: join(folder, 'left.safetensors') });
    expect([mended, left]).toEqual([[], ['non-finite-statistics']]);
  });

  it('asks for a model and a loader together', async () => {
    const out = join(folder, 'never.safetensors');
    await expect(mendCheckpoint(real, { out, model: digitNet() })).rejects.toThrow(
      /model and loader/,
    );
    expect(existsSync(out)).toBe(false);
  });
});
