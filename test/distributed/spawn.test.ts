// A job of Workers of which one cannot be started: those before it do not stay.
import { expect, test } from 'vitest';

import { runChild, well } from '../helpers/child.js';

test('where a Worker cannot be started, those before it end', async () => {
  const program = `
    const { distributed } = require(process.env.EVENKEEL_TEST_BUILT.replace('index.js', 'distributed/index.js'));
    const { join } = require('node:path');
    const file = join(require('node:os').tmpdir(), 'evenkeel-spawn-' + process.pid + '.mjs');
    require('node:fs').writeFileSync(file, 'setInterval(() => undefined, 1000);');
    let copies = 0;
    const given = { get rank() { if (copies++ === 2) throw new Error('not a third time'); return 0; } };
    distributed.spawn(file, { workers: 3, workerData: given })
      .catch((error) => console.log(error.message))
      .finally(() => require('node:fs').rmSync(file));`;
  expect(await runChild(program)).toEqual(well('not a third time\n'));
});
