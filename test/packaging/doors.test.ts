// The built package through both doors: `import` and `require` give the same names and the same classes.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

function run(type: 'module' | 'commonjs', script: string): string {
  return execFileSync(process.execPath, [`--input-type=${type}`, '--eval', script], {
    cwd: root,
    encoding: 'utf8',
  }).trim();
}

const NAMES = [
  'StateDict',
  'Tensor',
  'arange',
  'checkpoint',
  'data',
  'eye',
  'full',
  'functional',
  'isGradEnabled',
  'keep',
  'linspace',
  'manualSeed',
  'native',
  'nn',
  'noGrad',
  'ones',
  'onesLike',
  'optim',
  'rand',
  'randn',
  'randnLike',
  'randperm',
  'scope',
  'tensor',
  'zeros',
  'zerosLike',
];

describe('the package', () => {
  it('exports the same names to import and to require', () => {
    const list = `console.log(Object.keys(door).filter((name) => !/^(__esModule|module\\.exports|default)$/.test(name)).sort().join())`;
    expect(run('module', `import * as door from 'evenkeel'; ${list}`)).toBe(NAMES.join());
    expect(run('commonjs', `const door = require('evenkeel'); ${list}`)).toBe(NAMES.join());
  });

  it('gives both the same classes and the same random stream', () => {
    const script = `
      import { createRequire } from 'node:module';
      import { Tensor, manualSeed, nn } from 'evenkeel';
      const other = createRequire(import.meta.url)('evenkeel');
      manualSeed(5);
      const a = new nn.Linear(3, 2).weight.toArray();
      other.manualSeed(5);
      const b = new other.nn.Linear(3, 2).weight.toArray();
      console.log(Tensor === other.Tensor, nn.BatchNorm1d === other.nn.BatchNorm1d, JSON.stringify(a) === JSON.stringify(b));`;
    expect(run('module', script)).toBe('true true true');
  });

  it('is one instance: every export of every namespace is the same object behind both', () => {
    const script = `
      import { createRequire } from 'node:module';
      import * as door from 'evenkeel';
      const other = createRequire(import.meta.url)('evenkeel');
      let compared = 0;
      const different = [];
      for (const [name, value] of Object.entries(other)) {
        if (door[name] !== value) different.push(name);
        if (!['checkpoint', 'data', 'functional', 'nn', 'optim'].includes(name)) continue;
        for (const [inner, each] of Object.entries(value)) {
          compared++;
          if (door[name][inner] !== each) different.push(name + '.' + inner);
        }
      }
      console.log(different.join() === '', compared > 30);`;
    expect(run('module', script)).toBe('true true');
  });

  it('says which layer of a model an error is from, with source maps and without', () => {
    const script = `
      import { nn, tensor } from 'evenkeel';
      class Own extends nn.Module {
        forward() { throw new Error('mine'); }
      }
      const x = tensor([[1]]);
      for (const layer of [new nn.Linear(2, 1), new Own()]) {
        try { new nn.Sequential(layer).forward(x); } catch ({ message }) { console.log(message); }
      }`;
    const sentence =
      'linear: expected input with 2 features in its last dimension, got shape [1, 1]';
    expect(run('module', script)).toBe(`${sentence} (in '0').\nmine`);
    expect(run('module', `process.setSourceMapsEnabled(true); ${script}`)).toBe(
      `${sentence} (in '0').\nmine`,
    );
  });

  it('has a second door, to the doctor, onto the same instance', () => {
    const script = `
      import { createRequire } from 'node:module';
      import { nn } from 'evenkeel';
      import * as doctor from 'evenkeel/doctor';
      const other = createRequire(import.meta.url)('evenkeel/doctor');
      const names = Object.keys(other);
      const same = names.every((name) => doctor[name] === other[name]);
      const [finding] = doctor.diagnose(new nn.BatchNorm1d(2).eval()).findings;
      console.log(names.sort().join(), same, finding.id);`;
    expect(run('module', script)).toBe(
      'FINDINGS,diagnose,diagnoseCheckpoint,mendCheckpoint,recalibrate,watch true never-tracked',
    );
  });

  it('has a third door, past one process, onto the same instance', () => {
    const script = `
      import { createRequire } from 'node:module';
      import { nn, tensor } from 'evenkeel';
      import { distributed } from 'evenkeel/distributed';
      const other = createRequire(import.meta.url)('evenkeel/distributed').distributed;
      const same = Object.keys(other).every((name) => distributed[name] === other[name]);
      const world = await distributed.init();
      console.log(Object.keys(other).sort().join(), same, world.size, world === await other.init());`;
    expect(run('module', script)).toBe(
      'DistributedSampler,PeerError,TimeoutError,dataParallel,globalRows,init,share,spawn,verify true 1 true',
    );
  });

  it('trains from CommonJS as from ESM', () => {
    const script = `
      const { nn, tensor } = require('evenkeel');
      const bn = new nn.BatchNorm1d(2, { momentum: 1 });
      bn.forward(tensor([[1, 10], [3, 30]]));
      console.log(JSON.stringify([bn.runningMean.toArray(), bn.runningVar.toArray(), bn.numBatchesTracked]));`;
    expect(run('commonjs', script)).toBe('[[2,20],[2,200],1]');
  });
});
