// A process that is killed while it saves, at any moment, or that runs out of disk: the file is the old
// one or the new one, whole.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { checkpoint, tensor } from '../../src/index.js';
import { BUILT } from '../helpers/child.js';
import { uniformFrom } from '../helpers/random.js';

const KILLS = 50;
/** 2 MB: some ms to write and to sync, so that most kills come while it does. */
const NUMEL = 2 ** 19;

const PROGRAM = `
const { checkpoint, tensor } = require(process.argv[1]);
const path = process.argv[2];
(async () => {
  for (let round = 0; ; round++) {
    const state = new Map([['a', tensor(new Float32Array(${NUMEL}).fill(round))], ['b', tensor([round])]]);
    await checkpoint.saveSafetensors(path, state);
    if (round === 0) process.stdout.write('saved');
  }
})();`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-kill-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a process that saves for ever, waits until there is a file, and kills it a little later. */
async function killed(path: string, delay: number): Promise<NodeJS.Signals | null> {
  const child = spawn(process.execPath, ['-e', PROGRAM, BUILT, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('exit', (_, signal) => resolve(signal));
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', () => reject(new Error('the child ended before it had saved')));
  });
  await setTimeout(delay);
  child.kill('SIGKILL');
  return ended;
}

test(`${KILLS} kills: always a whole file`, async () => {
  const uniform = uniformFrom(4);
  let [caught, rounds] = [0, 0];
  const one = async (i: number): Promise<void> => {
    const home = join(folder, String(i));
    const path = join(home, 'm.safetensors');
    mkdirSync(home);
    expect(await killed(path, 40 * uniform())).toBe('SIGKILL');
    const state = await checkpoint.loadSafetensors(path);
    const round = state.get('b')!.item();
    expect(state.get('a')!.numel).toBe(NUMEL);
    expect((state.get('a')!.data as Float32Array).every((value) => value === round)).toBe(true);
    rounds += round;
    // what the killed process was writing is left beside it, and is never taken for the file
    const [temporary, ...more] = readdirSync(home).filter((name) => name !== 'm.safetensors');
    expect(more).toEqual([]);
    if (temporary !== undefined) {
      caught++;
      expect(temporary).toMatch(/^\.evenkeel-[0-9a-f]{16}\.tmp$/);
      expect(readFileSync(join(home, temporary)).length).toBeLessThanOrEqual(2 ** 21 + 200);
    }
    rmSync(home, { recursive: true });
  };
  for (let i = 0; i < KILLS; i += 2) await Promise.all([one(i), one(i + 1)]);
  // or the kills all missed
  expect(caught).toBeGreaterThan(KILLS / 10);
  expect(rounds).toBeGreaterThan(0);
});

// a limit on the size of files fails like a full disk: in the middle, after some bytes are there
test.skipIf(process.platform === 'win32')('no room for the new file', async () => {
  const home = join(folder, 'full');
  const path = join(home, 'm.safetensors');
  mkdirSync(home);
  const old = new Map([['a', tensor([1, 2, 3])]]);
  await checkpoint.saveSafetensors(path, old);
  const before = readFileSync(path);
  const program = `
    const { checkpoint, tensor } = require(process.argv[1]);
    const state = new Map([['a', tensor(new Float32Array(${NUMEL}))]]);
    checkpoint.saveSafetensors(process.argv[2], state).catch((e) => console.log(String(e), e.cause.code));`;
  const limited = 'ulimit -f 1024 && exec "$@"'; // 512 KB or 1 MB, as the shell counts
  const args = ['-c', limited, 'sh', process.execPath, '-e', program, BUILT, path];
  expect(execFileSync('sh', args, { encoding: 'utf8' })).toBe(
    'Error: saveSafetensors: m.safetensors: expected a file that can be written, got EFBIG: file too ' +
      'large, write. EFBIG\n',
  );
  expect(readdirSync(home)).toEqual(['m.safetensors']);
  expect(readFileSync(path).equals(before)).toBe(true);
});
