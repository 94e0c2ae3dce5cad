// Peers that are missing say so in a line; PyTorch's protocol, with a stand-in for Python; the ONNX
// model's bytes. None of the peers has to be installed.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { allCases } from '../../bench/cases.js';
import { Absent } from '../../bench/contender.js';
import { makeJob } from '../../bench/data.js';
import { select } from '../../bench/filter.js';
import { batchNormModel } from '../../bench/peers/onnx-model.js';
import { loadPackage } from '../../bench/peers/packages.js';
import { openTorch } from '../../bench/peers/pytorch.js';

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-test-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A program that is run as Python would be, and is not. */
function standIn(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/usr/bin/env node\n${body}`);
  chmodSync(path, 0o755);
  return path;
}

describe('a package that is not there', () => {
  it('is said to be missing, and how to get it', () => {
    expect(() => loadPackage('onnxruntime-node', [folder])).toThrow(
      new Absent("no package 'onnxruntime-node' (in a checkout, npm run bench:peers installs it)"),
    );
  });

  it('is said not to load, with the first line of why', () => {
    const place = join(folder, 'node_modules', 'broken');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'package.json'), '{ "version": "1.2.3" }');
    writeFileSync(join(place, 'index.js'), 'throw new Error("no such CPU\\nat all")');
    expect(() => loadPackage('broken', [folder])).toThrow(
      new Absent('broken 1.2.3 does not load: no such CPU'),
    );
  });
});

describe.skipIf(process.platform === 'win32')('PyTorch', () => {
  it('is absent without Python', async () => {
    const python = join(folder, 'no-python');
    await expect(openTorch(python)).rejects.toThrow(
      new Absent(`spawn ${python} ENOENT (${python}; EVENKEEL_PYTHON names another Python)`),
    );
  });

  it('is absent when its Python has no torch', async () => {
    const python = standIn('bare', `console.log('{"error": "No module named \\'torch\\'"}')`);
    await expect(openTorch(python)).rejects.toThrow(
      new Absent(`No module named 'torch' (${python}; EVENKEEL_PYTHON names another Python)`),
    );
  });

  it('is absent when its Python ends without a word', async () => {
    const python = standIn('mute', '');
    await expect(openTorch(python)).rejects.toThrow(/^its process has ended \(/);
  });

  it('is given the arrays, told when to take its turn, and asked for its output', async () => {
    const python = standIn(
      'fake',
      `const fs = require('node:fs');
      console.log('{"version": "0", "threads": 3}');
      let x;
      require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
        const command = JSON.parse(line);
        const answers = {
          case: () => { x = fs.readFileSync(command.x); return {}; },
          turn: () => ({ us: 100 * command.threads + command.calls }),
          output: () => { fs.writeFileSync(command.path, x); return {}; },
          release: () => ({}),
        };
        console.log(JSON.stringify(answers[command.do]()));
      });`,
    );
    const peer = await openTorch(python);
    try {
      const job = makeJob(select(allCases(2 ** 20), 'forward 32x64')[0]!);
      const contenders = await peer.contenders(job);
      expect(contenders.map(({ name }) => name)).toEqual([
        'PyTorch, 3 threads',
        'PyTorch, 1 thread',
      ]);
      expect(await contenders[0]!.turn(7)).toBe(307);
      expect(await contenders[1]!.turn(5)).toBe(105);
      expect(await contenders[1]!.output!()).toEqual(job.x);
      await peer.release();
    } finally {
      await peer.close();
    }
  });
});

describe('batchNormModel', () => {
  it('is one BatchNormalization node of opset 15, in protobuf', () => {
    const model = fields(batchNormModel(true));
    expect(model.get(1)).toEqual([8]); // IR version
    expect(fields(bytesIn(model, 8)).get(2)).toEqual([15]);
    const graph = fields(bytesIn(model, 7));
    const node = fields(bytesIn(graph, 1));
    expect(texts(node, 4)).toEqual(['BatchNormalization']);
    expect(texts(node, 1)).toEqual(['x', 'weight', 'bias', 'runningMean', 'runningVar']);
    expect(texts(node, 2)).toEqual(['y', 'newMean', 'newVar']);
    expect(graph.get(11)).toHaveLength(5);
    expect(graph.get(12)).toHaveLength(3);
    const attributes = (node.get(5) as Uint8Array[]).map(fields);
    expect(attributes.flatMap((each) => texts(each, 1))).toEqual([
      'epsilon',
      'momentum',
      'training_mode',
    ]);
    expect(attributes.map((each) => each.get(2)?.[0])).toEqual([
      Math.fround(1e-5),
      Math.fround(0.9),
      undefined,
    ]);
    expect(attributes[2]!.get(3)).toEqual([1]);
  });

  it('returns y alone in evaluation', () => {
    const graph = fields(bytesIn(fields(batchNormModel(false)), 7));
    expect(graph.get(12)).toHaveLength(1);
    const node = fields(bytesIn(graph, 1));
    expect((node.get(5) as Uint8Array[]).map(fields)[2]!.get(3)).toEqual([0]);
  });
});

type Field = number | Uint8Array;

/** The fields of a protobuf message: varints and floats as numbers, the rest as bytes. */
function fields(bytes: Uint8Array): Map<number, Field[]> {
  const found = new Map<number, Field[]>();
  let at = 0;
  const varint = (): number => {
    let [value, shift] = [0, 1];
    for (;;) {
      const byte = bytes[at++]!;
      value += (byte % 128) * shift;
      shift *= 128;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    let value: Field;
    if (key % 8 === 0) value = varint();
    else if (key % 8 === 5)
      value = new DataView(bytes.slice(at, (at += 4)).buffer).getFloat32(0, true);
    else {
      const length = varint();
      value = bytes.slice(at, (at += length));
    }
    found.set(key >> 3, [...(found.get(key >> 3) ?? []), value]);
  }
  return found;
}

function bytesIn(message: Map<number, Field[]>, field: number): Uint8Array {
  return message.get(field)![0] as Uint8Array;
}

function texts(message: Map<number, Field[]>, field: number): string[] {
  return (message.get(field) as Uint8Array[]).map((bytes) => new TextDecoder().decode(bytes));
}
