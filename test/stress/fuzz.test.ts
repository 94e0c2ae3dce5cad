// A few seconds of the two fuzzers; `npm run test:stress` and scripts/sanitize.mjs run them for longer.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

async function fuzz(script: string, runs: number): Promise<string> {
  const file = fileURLToPath(new URL(`../../scripts/${script}.mjs`, import.meta.url));
  // Calls in any order have steps that find no gradient.
  const flags = ['--disable-warning=EVENKEEL_NO_GRADIENTS'];
  const args = [...flags, file, '--runs', String(runs), '--seed', '20261124'];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  expect(stderr).toBe('');
  return stdout;
}

test('the addon survives sixty thousand calls with arguments that are right but for a few', async () => {
  expect(await fuzz('fuzz-addon', 60_000)).toMatch(
    /^addon: 60000 calls of \d+ functions, \d{5} refused with nothing written; seed 20261124\n$/,
  );
});

test('the public door refuses what is wrong in our words and changes nothing, at once or later', async () => {
  expect(await fuzz('fuzz-facade', 30_000)).toMatch(
    /^facade: 300\d\d calls of \d+ operations in \d+ episodes, \d{4} asynchronous \(\d{3} fulfilled as jobs\), \d{5} accepted, \d{4,5} refused with state kept, 0 findings; seed 20261124\n$/,
  );
});
