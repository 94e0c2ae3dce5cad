// Finding and configuring the addon: what a user reads when it is not there or cannot be as asked.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { platformName } from '../../src/addon/platform.js';
import { VERSION } from '../../src/addon/version.js';
import { addon } from '../../src/addon/control.js';
import { ADDON, BUILT, runChild, well, type Ended } from '../helpers/child.js';

/** The hash of the sources that the built package asks for. */
const { SOURCES } = createRequire(import.meta.url)(join(dirname(BUILT), 'addon', 'version.js')) as {
  SOURCES: string;
};

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

  test.each(addon.availableIsas())('EVENKEEL_ISA=%s pins that instruction set', async (isa) => {
    const program = 'const { native } = load(); console.log(native.isa, native.threads);';
    const env = { EVENKEEL_ISA: isa, EVENKEEL_THREADS: '3' };
    expect(await runChild(program, { env })).toEqual(well(`${isa} 3\n`));
  });

  test('an uncaught error of loading ends the process with code 1 and no signal', async () => {
    const ended = await runChild('load();', { env: { EVENKEEL_ISA: 'nonsense' } });
    expect(ended).toMatchObject({ code: 1, signal: null });
  });
});

const root = join(dirname(BUILT), '..', '..');

describe('the addon of a package', () => {
  let folder = '';
  let built = '';
  const release = (): string => join(folder, 'build', 'Release', 'evenkeel.node');
  const prebuilt = (): string => join(folder, 'prebuilds', platformName(), 'evenkeel.node');
  /** The addon of this checkout, as if `change` had been built. */
  const install = (path: string, change: (bytes: Buffer) => Buffer = (bytes) => bytes): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, change(readFileSync(ADDON)));
  };
  const inStamp =
    (from: string, to: string) =>
    (bytes: Buffer): Buffer =>
      Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');
  /** Which file was taken, and what was said. */
  const taken =
    "load(); const { place } = require(require('node:path').join(process.env.EVENKEEL_TEST_BUILT, '..', 'addon', 'load.js')).load(); console.log(place.kind, place.path);";
  /** An empty home, so that no build of the developer's is found. */
  const run = (program: string, env: Record<string, string> = {}): Promise<Ended> =>
    runChild(program, {
      built,
      env: { HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), ...env },
    });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'evenkeel-loading-'));
    cpSync(dirname(BUILT), join(folder, 'dist', 'cjs'), { recursive: true });
    for (const name of [
      'package.json',
      'package-lock.json',
      'CMakeLists.txt',
      'native',
      'binding',
    ]) {
      cpSync(join(root, name), join(folder, name), { recursive: true, preserveTimestamps: true });
    }
    built = join(folder, 'dist', 'cjs', 'index.js');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('missing: the message says for what, where it looked and what to run', async () => {
    const { stdout, ...rest } = await run(report);
    expect({ ...rest, stdout: '' }).toEqual(well());
    expect(stdout).toContain(`Error: evenkeel: expected a native addon for ${platformName()} (`);
    expect(stdout).toContain(`(Node ${process.version}), got none that loads.\n`);
    expect(stdout).toContain(`${join(folder, 'build', 'Release', 'evenkeel.node')} is not there`);
    expect(stdout).toContain(`${prebuilt()} is not there`);
    expect(stdout).toMatch(/npm (ci|install).* && npm run build:native/);
  });

  test('broken: the message carries what the system says', async () => {
    install(release(), () => Buffer.from('not a library'));
    const { stdout, code, signal } = await run(report);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(stdout).toContain('got none that loads.\n');
    expect(stdout).toContain(`${release()} is no library (13 bytes), and this Node is `);
  });

  test('a broken build is passed over for the binary of the package, with a warning', async () => {
    install(prebuilt());
    const { stdout, stderr, code } = await run(taken);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `prebuilt ${prebuilt()}\n` });
    expect(stderr).toMatch(/EVENKEEL_PASSED_OVER\] EvenkeelWarning: evenkeel: .* is no library/);
    expect(stderr).toContain(`Loaded ${prebuilt()} instead.`);
    install(release());
    expect(await run(taken)).toEqual(well(`checkout ${release()}\n`));
  });

  test('a build of another version is not loaded', async () => {
    rmSync(dirname(prebuilt()), { recursive: true, force: true });
    install(release(), inStamp(`\0${VERSION}\0`, '\0' + '9'.repeat(VERSION.length) + '\0'));
    const { stdout } = await run(report);
    expect(stdout).toContain(
      `${release()} was built from version ${'9'.repeat(VERSION.length)}, and this is ${VERSION}\n`,
    );
    expect(stdout).toMatch(/npm ci && npm run build:native\n$/);
  });

  test('a build without a stamp is not loaded', async () => {
    install(release(), inStamp('\0stamp\0', '\0stomp\0'));
    const { stdout } = await run(report);
    expect(stdout).toContain('does not say which version it was built from\n');
  });

  test('a build that is older than its sources is not loaded; a new time alone does not matter', async () => {
    install(release());
    const source = join(folder, 'native', 'kernels', 'dispatch.cc');
    const later = new Date(Date.now() + 60_000);
    utimesSync(source, later, later);
    expect(await run(taken)).toEqual(well(`checkout ${release()}\n`));
    writeFileSync(source, `${readFileSync(source, 'utf8')}// changed\n`);
    utimesSync(source, later, later);
    const { stdout } = await run(report);
    expect(stdout).toContain(
      `${release()} is older than its sources (native/kernels/dispatch.cc)\n`,
    );
    cpSync(join(root, 'native', 'kernels', 'dispatch.cc'), source, { preserveTimestamps: true });
  });

  test('EVENKEEL_NATIVE is the only one that is tried', async () => {
    const named = join(folder, 'named.node');
    const { stdout } = await run(report, { EVENKEEL_NATIVE: named });
    expect(stdout).toContain(`Tried:\n  EVENKEEL_NATIVE: ${named} is not there\n`);
    expect(stdout).toMatch(
      /\nCorrect EVENKEEL_NATIVE, or unset it to load the binary of the package\.\n$/,
    );
    install(named);
    expect(await run(taken, { EVENKEEL_NATIVE: named })).toEqual(well(`environment ${named}\n`));
  });

  test('what `evenkeel build` made comes before the binary of the package', async () => {
    rmSync(release());
    install(prebuilt());
    const own = join(folder, 'cache', 'evenkeel', VERSION, platformName(), 'evenkeel.node');
    install(own);
    expect(await run(taken)).toEqual(well(`own build ${own}\n`));
    rmSync(own);
    expect(await run(taken)).toEqual(well(`prebuilt ${prebuilt()}\n`));
  });

  test('an installed package refuses a binary of other sources', async () => {
    const lock = join(folder, 'package-lock.json');
    rmSync(lock); // an installed package has none
    expect(await run(taken)).toEqual(well(`prebuilt ${prebuilt()}\n`));
    install(prebuilt(), inStamp(SOURCES, SOURCES.replace(/^./, 'x')));
    const { stdout } = await run(report);
    expect(stdout).toContain(`${prebuilt()} was built from other sources of version ${VERSION}\n`);
    expect(stdout).toMatch(/\n {2}npx evenkeel build\n$/);
  });

  test('--no-addons is said as such', async () => {
    const { stdout } = await runChild(report, { built, flags: ['--no-addons'] });
    expect(stdout).toContain('Required: addons. Start Node without --no-addons');
  });
});
