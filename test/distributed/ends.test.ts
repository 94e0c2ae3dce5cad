// A job whose network is cut ends by itself, on both hosts, in time and with the sentence. The other ends are tests of
// collectives.test.ts; `node scripts/ends.mjs` makes each of them 20 times.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/ends.mjs', import.meta.url));

test('the network is cut, two hosts', { timeout: 240_000 }, () => {
  const args = [script, '--times', '1', '--only', 'network'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  for (const line of stdout.split('\n')) if (/skipped|here$/.test(line)) console.log(line);
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
