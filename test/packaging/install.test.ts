// The package as a user gets it, in the short form of `npm run test:install`: the tarball, installed by npm
// offline and without scripts, through every door with an empty PATH.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('installs from its tarball and runs through every door', async () => {
  const child = spawn(process.execPath, ['scripts/test-install.mjs', '--short'], { cwd: root });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect({ code, output }).toMatchObject({
    code: 0,
    output: expect.stringMatching(
      /^install: (16 right, 0 wrong, 0|15 right, 0 wrong, 1|14 right, 0 wrong, 2) skipped$/m,
    ),
  });
}, 300_000);
