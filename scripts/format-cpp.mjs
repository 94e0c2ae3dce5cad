// Formats the C++ of native/, binding/, test/ and scripts/ with the clang-format that npm installed; `--check` only
// looks.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const clangFormat = bundled();

if (clangFormat === undefined) {
  console.log(`C++ format: skipped, no clang-format for ${process.platform}-${process.arch}`);
} else if (process.argv.includes('--check')) {
  const { status, stderr } = run(clangFormat, ['--dry-run', '-Werror', '--ferror-limit=1']);
  const files = new Set([...stderr.matchAll(/^(.+?):\d+:\d+: error:/gm)].map(([, file]) => file));
  for (const file of files) console.error(`${file ?? ''} is not formatted: npm run format`);
  if (status !== 0 && files.size === 0) console.error(stderr);
  process.exitCode = status === 0 ? 0 : 1;
} else {
  const { status, stderr } = run(clangFormat, ['-i']);
  if (status !== 0) console.error(stderr);
  process.exitCode = status === 0 ? 0 : 1;
}

/**
 * @param {string} program
 * @param {string[]} mode
 */
function run(program, mode) {
  const sources = ['binding', 'native', 'test', 'scripts'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(cc|h)$/.test(file))
      .map((file) => join(folder, file)),
  );
  return spawnSync(program, ['--style=file', ...mode, ...sources], { cwd: root, encoding: 'utf8' });
}

/** The package holds three programs; on Apple silicon the Intel one runs. */
function bundled() {
  const require = createRequire(import.meta.url);
  const folder = join(dirname(require.resolve('clang-format/package.json')), 'bin');
  if (process.platform === 'win32') return join(folder, 'win32', 'clang-format.exe');
  if (process.platform === 'darwin') return join(folder, 'darwin_x64', 'clang-format');
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  return join(folder, 'linux_x64', 'clang-format');
}
