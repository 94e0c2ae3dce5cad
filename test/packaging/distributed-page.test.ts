// docs/distributed.md shows what docs/distributed.json and the model of scripts/ranks/scale.mjs say.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/distributed-page.mjs', import.meta.url));

it('has the table and the chart of the committed data', () => {
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});
