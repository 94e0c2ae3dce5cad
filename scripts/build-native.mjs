// Builds build/Release/evenkeel.node from binding/ and native/, offline. Silent when there is
// nothing to do, one line when it compiles, the whole log and a hint when that fails.
//
//   node scripts/build-native.mjs [--build folder] [--addon file] [--remove]
//
// `evenkeel build` says where: --build is the folder to work in, --addon where the addon goes, --remove deletes
// the folder afterwards. The packages that it needs are looked for in the caller's project, then in this one.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    build: { type: 'string', default: join(root, 'build') },
    addon: { type: 'string' },
    remove: { type: 'boolean', default: false },
  },
});
const { build } = options;
const stamp = join(build, 'configured.json');
const addon = join(build, 'Release', 'evenkeel.node');
const needs =
  'Building the addon needs CMake >= 3.15 and a C++20 compiler: GCC 11 or Clang 14 or later (on Windows clang-cl).';
const isCompiling = /Building CXX object|Linking CXX|\.cc\s*$/m;

const { cmakeJs, nodeAddonApi } = locatePackages();
requireCMake();

// A configured folder keeps its compiler, its options and its place, so a change starts afresh.
const wanted = settings();
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  rmSync(build, { recursive: true, force: true });
  const warnings = process.env['CI'] === 'true' ? 'ON' : 'OFF';
  const headers = `--CDNODE_API_CPP=${nodeAddonApi}`;
  await cmake('configure', `--CDEVENKEEL_WERROR=${warnings}`, headers);
  mkdirSync(build, { recursive: true });
  writeFileSync(stamp, wanted);
}
await cmake('build', '--parallel', String(availableParallelism()));
if (!existsSync(addon)) fail('', `CMake succeeded, but ${addon} is not there.`);
if (options.addon !== undefined) {
  // By a rename, since a process may have the old one loaded.
  mkdirSync(dirname(options.addon), { recursive: true });
  copyFileSync(addon, `${options.addon}.new`);
  renameSync(`${options.addon}.new`, options.addon);
}
if (options.remove) rmSync(build, { recursive: true, force: true });

/**
 * Runs one cmake-js command and keeps its log for the case that it fails.
 * @param {string[]} command
 */
async function cmake(...command) {
  const child = spawn(
    process.execPath,
    [cmakeJs, ...command, '--directory', root, '--out', build],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let log = '';
  let isAnnounced = false;
  /** @param {Buffer} chunk */
  const keep = (chunk) => {
    log += chunk.toString();
    if (isAnnounced || command[0] !== 'build' || !isCompiling.test(log)) return;
    isAnnounced = true;
    console.error('building the native addon…');
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  /** @type {number | null} */
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code === 0) return;
  const hint = `If it was built here before, deleting ${build} starts afresh.`;
  fail(log, `The native addon could not be built: the log above says why. ${needs} ${hint}`);
}

function locatePackages() {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    const require = createRequire(from);
    try {
      require.resolve('node-api-headers/package.json');
      return {
        cmakeJs: join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js'),
        nodeAddonApi: dirname(require.resolve('node-addon-api/package.json')),
      };
    } catch {
      // Not all three are there.
    }
  }
  const packages = 'cmake-js@8 node-addon-api@8 node-api-headers@1';
  const hint = `In a checkout run npm ci, elsewhere npm install --no-save ${packages}.`;
  return fail('', `The packages that build the addon are not installed. ${hint}`);
}

function requireCMake() {
  const { error, stdout } = spawnSync('cmake', ['--version'], { encoding: 'utf8' });
  if (error !== undefined) fail('', `No cmake was found on the PATH. ${needs}`);
  const [version = '', major, minor] = /(\d+)\.(\d+)[.\d]*/.exec(stdout) ?? [];
  if (Number(major) * 1000 + Number(minor) < 3015) {
    fail('', `The cmake on the PATH is version ${version}. ${needs}`);
  }
}

/** Everything that the configured folder depends on and CMake does not watch itself. */
function settings() {
  const { CI, CC, CXX, CXXFLAGS, LDFLAGS } = process.env;
  const environment = { isCI: CI === 'true', CC, CXX, CXXFLAGS, LDFLAGS };
  return JSON.stringify({ root, cmakeJs, nodeAddonApi, arch: process.arch, ...environment });
}

/**
 * @param {string} log
 * @param {string} message
 * @returns {never}
 */
function fail(log, message) {
  if (log !== '') console.error(log.trimEnd());
  console.error(`evenkeel: ${message}`);
  process.exit(1);
}
