// Finding and configuring the addon: what a user reads when it is not there or cannot be as asked.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { addon } from '../../src/native.js';
import { BUILT, runChild, well } from '../helpers/child.js';

/** Prints the message of the error that loading throws. */
const report =
  'try { load(); console.log("loaded"); } catch (e) { console.log(`${e.name}: ${e.message}`); }';

describe('the environment', () => {
  test('an unknown EVENKEEL_ISA is an error that lists the known ones', async () => {
    const list = addon.availableIsas().join(', ');
    expect(await runChild(report, { env: { EVENKEEL_ISA: 'nonsense' } })).toEqual(
      well(
        `RangeError: evenkeel: expected EVENKEEL_ISA to be one of ${list} ` +
          "(what this CPU supports), got 'nonsense'.\n",
      ),
    );
  });

  test.each(['0', '-1', '1.5', '65', 'many', 'NaN', 'Infinity'])(
    'EVENKEEL_THREADS=%s is an error that names it',
    async (threads) => {
      expect(await runChild(report, { env: { EVENKEEL_THREADS: threads } })).toEqual(
        well(
          `RangeError: evenkeel: expected EVENKEEL_THREADS to be a whole number from 1 to 64, got '${threads}'.\n`,
        ),
      );
    },
  );

  test.each(addon.availableIsas())('EVENKEEL_ISA=%s pins that family', async (isa) => {
    const program = 'const { native } = load(); console.log(native.isa, native.threads);';
    const env = { EVENKEEL_ISA: isa, EVENKEEL_THREADS: '3' };
    expect(await runChild(program, { env })).toEqual(well(`${isa} 3\n`));
  });

  test('an uncaught error of loading ends the process with code 1 and no signal', async () => {
    const ended = await runChild('load();', { env: { EVENKEEL_ISA: 'nonsense' } });
    expect(ended).toMatchObject({ code: 1, signal: null });
  });
});

describe('an addon that does not load', () => {
  let folder = '';
  let built = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'evenkeel-loading-'));
    cpSync(dirname(BUILT), join(folder, 'dist', 'cjs'), { recursive: true });
    cpSync(join(dirname(BUILT), '..', '..', 'package.json'), join(folder, 'package.json'));
    built = join(folder, 'dist', 'cjs', 'index.js');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('missing: the message says for what, where it looked and what to run', async () => {
    const { stdout, ...rest } = await runChild(report, { built });
    expect({ ...rest, stdout: '' }).toEqual(well());
    const platform = `${process.platform}(musl)?-${process.arch}`;
    expect(stdout).toMatch(new RegExp(`^Error: evenkeel: expected a native addon for ${platform}`));
    expect(stdout).toContain(`(Node ${process.version}), got none that loads:\n`);
    expect(stdout).toContain(`${join(folder, 'build', 'Release', 'evenkeel.node')}: no such file`);
    expect(stdout).toContain(join(folder, 'prebuilds', 'evenkeel-'));
    expect(stdout).toMatch(/npm (ci|install).* && npm run build:native/);
  });

  test('broken: the message carries what the system says', async () => {
    const release = join(folder, 'build', 'Release');
    mkdirSync(release, { recursive: true });
    writeFileSync(join(release, 'evenkeel.node'), 'not a library');
    const { stdout, code, signal } = await runChild(report, { built });
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(stdout).toContain('got none that loads:\n');
    expect(stdout).toContain(join(release, 'evenkeel.node'));
    expect(stdout).not.toContain(`${join(release, 'evenkeel.node')}: no such file`);
  });
});
