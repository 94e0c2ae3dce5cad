// `evenkeel run`: lines behind their ranks, exit codes, mistakes.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = join(root, 'dist', 'cjs', 'cli', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'evenkeel-run-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const train = join(folder, 'train.mjs');
writeFileSync(
  train,
  `import { distributed } from ${JSON.stringify(`file://${join(root, 'dist', 'distributed', 'index.mjs')}`)};
   const world = await distributed.init({ timeout: 20000 });
   console.log(\`\${world.rank} of \${world.size}: \${process.argv.slice(2).join(' ')}\`);
   if (process.argv.includes('--long')) console.log('x yz'.repeat(10_000));
   if (process.argv.includes('--indent')) console.log(' one\\n  two\\n\\n\\tthree');
   if (process.argv.includes('--fail') && world.rank === 1) throw new RangeError('no such epoch');
   world.barrier();`,
);

function run(...args: readonly string[]): {
  status: number | null;
  lines: string[];
  errors: string;
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'run', ...args], {
    encoding: 'utf8',
    timeout: 50_000,
  });
  return { status, lines: stdout.trim().split('\n').sort(), errors: stderr };
}

const launchers = ['mpirun.openmpi', 'mpirun.mpich'].filter(
  (each) => spawnSync(each, ['--version']).error === undefined,
);

describe.each(['workers', ...launchers])('on %s', (backend) => {
  const how =
    backend === 'workers' ? ['--backend', 'workers'] : ['--allow-run-as-root', '--threads', '1'];
  const start = (...args: readonly string[]): ReturnType<typeof run> => {
    process.env['EVENKEEL_MPIRUN'] = backend;
    try {
      return run('-n', '2', ...how, train, ...args);
    } finally {
      delete process.env['EVENKEEL_MPIRUN'];
    }
  };

  it('prints lines behind their ranks, and hands on arguments', () => {
    const { status, lines, errors } = start('--epochs', '3');
    expect([status, lines]).toEqual([0, ['[0] 0 of 2: --epochs 3', '[1] 1 of 2: --epochs 3']]);
    expect(errors.split('\n').length).toBeLessThanOrEqual(2);
  });

  it('prints a long line as it is', () => {
    const { status, lines } = start('--long');
    const long = 'x yz'.repeat(10_000);
    const said = [0, 1].flatMap((rank) => [`[${rank}] ${long}`, `[${rank}] ${rank} of 2: --long`]);
    expect([status, lines]).toEqual([0, said.sort()]);
  });

  it('prints what a line begins with', () => {
    const { status, lines } = start('--indent');
    const said = [0, 1].flatMap((rank) =>
      [`${rank} of 2: --indent`, ' one', '  two', '', '\tthree'].map((line) => `[${rank}] ${line}`),
    );
    expect([status, lines]).toEqual([0, said.sort()]);
  });

  it('ends with the first failure: its code, and its message last', () => {
    const { status, errors } = start('--fail');
    expect(status).toBe(1);
    const last = errors.slice(errors.lastIndexOf('evenkeel run:'));
    expect(last).toContain('evenkeel run: rank 1 of 2');
    expect(last).toContain('RangeError: no such epoch');
  });
});

it('says what is wrong with its options', () => {
  expect(run('-n', '2')).toMatchObject({
    status: 2,
    errors: 'evenkeel run: expected a program to run, got none.\n',
  });
  expect(run('-n', '0', train).errors).toContain(
    'expected --processes to be a whole number from 1',
  );
  expect(run('--backend', 'gloo', train).errors).toBe(
    "evenkeel run: expected --backend to be mpi or workers, got 'gloo'.\n",
  );
  expect(run(join(folder, 'none.mjs')).status).toBe(2);
});
