// `npm run prebuilds`: makes prebuilds/<platform>/evenkeel.node, the binaries that the package ships, and
// checks what each asks of the system it will run on.
//
//   node scripts/prebuilds.mjs [--only linux-x64,linux-arm64,linuxmusl-x64] [--install] [--twice]
//
// --install: apt-get installs the compilers that are missing; without, a platform is skipped with a line that
// says so. --twice: builds each again from a copy in another folder, and compares. On macOS and Windows it
// makes the binary of that machine. (`prebuild` would be what npm runs before `build`.)
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { problemsOf } from './prebuild/check.mjs';
import { TARGETS, compile } from './prebuild/targets.mjs';
import { Missing, chosen, folder, must, root } from './tools.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    install: { type: 'boolean', default: false },
    twice: { type: 'boolean', default: false },
  },
});
const names = TARGETS.map(({ name }) => name);
const only = values.only && chosen('--only', values.only, names);

if (process.platform === 'linux') {
  for (const target of TARGETS) {
    if (!only || only.includes(target.name)) tryMaking(target);
  }
} else {
  must(process.execPath, [join(root, 'scripts', 'build-native.mjs')]);
  const name = `${process.platform}-${process.arch}`;
  const size = keep(join(root, 'build', 'Release', 'evenkeel.node'), name);
  console.log(`${name}: ${size}, built on this machine and not checked`);
}

/** @param {import('./prebuild/targets.mjs').Target} target */
function tryMaking(target) {
  const { name } = target;
  try {
    make(target);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof Missing) {
      console.log(`${name}: skipped, ${message}`);
      // Asked for by name, it is not to be missing.
      if (!only) return;
    } else {
      console.error(`${name}: ${message}`);
    }
    process.exitCode = 1;
  }
}

/** @param {import('./prebuild/targets.mjs').Target} target */
function make(target) {
  const { name, triple } = target;
  console.log(`${name}: compiling…`);
  // The musl binary is the objects of the glibc one, linked anew.
  const build = join(folder, 'prebuild', triple);
  const addon = compile(target, root, build, values.install);
  const problems = problemsOf(addon, target);
  if (problems.length > 0)
    throw new Error(`it would not run everywhere: it ${problems.join(', ')}`);
  const symbols = ['--build', build, '--addon', addon, '--nm', `${triple}-nm`];
  must(process.execPath, [join(root, 'scripts', 'check-symbols.mjs'), ...symbols]);
  if (values.twice) compareWithCopy(target, addon);
  console.log(`${name}: ${keep(addon, name)}`);
}

/**
 * @param {import('./prebuild/targets.mjs').Target} target
 * @param {string} addon
 */
function compareWithCopy(target, addon) {
  const copy = join(folder, 'another', 'place-of-the-sources');
  mkdirSync(copy, { recursive: true });
  for (const entry of ['native', 'binding', 'scripts/prebuild', 'CMakeLists.txt', 'package.json']) {
    rmSync(join(copy, entry), { recursive: true, force: true });
    cpSync(join(root, entry), join(copy, entry), { recursive: true, preserveTimestamps: true });
  }
  const packages = join(copy, 'node_modules');
  if (!existsSync(packages)) symlinkSync(join(root, 'node_modules'), packages);
  const other = compile(target, copy, join(copy, 'out', target.triple), false);
  if (hash(other) === hash(addon)) return;
  throw new Error(`two builds differ: ${addon} and ${other}`);
}

/**
 * @param {string} addon
 * @param {string} name
 * @returns {string} its size and hash, to be printed
 */
function keep(addon, name) {
  const kept = join(root, 'prebuilds', name, 'evenkeel.node');
  mkdirSync(dirname(kept), { recursive: true });
  copyFileSync(addon, kept);
  const bytes = readFileSync(kept).length;
  return `${(bytes / 1e6).toFixed(2)} MB, sha256 ${hash(kept).slice(0, 16)}…`;
}

/** @param {string} file */
function hash(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
