// The platforms that a binary can be made for on Linux with Debian's compilers. macOS and Windows build on
// machines of their own: .github/workflows/prebuild.yml.
import { existsSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { Missing, must, needPrograms } from '../tools.mjs';
import { linkAgainstMusl } from './musl.mjs';
import { linkAgainstOldGlibc } from './old-glibc.mjs';

/**
 * @typedef {object} Target
 * @property {string} name - as src/addon/platform.ts has it; the folder under prebuilds/
 * @property {string} cpu - CMake's name
 * @property {string} triple - `${triple}-g++` is the compiler
 * @property {'glibc' | 'musl'} libc
 */

/** @type {Target[]} */
export const TARGETS = [
  { name: 'linux-x64', cpu: 'x86_64', triple: 'x86_64-linux-gnu', libc: 'glibc' },
  { name: 'linux-arm64', cpu: 'aarch64', triple: 'aarch64-linux-gnu', libc: 'glibc' },
  { name: 'linuxmusl-x64', cpu: 'x86_64', triple: 'x86_64-linux-gnu', libc: 'musl' },
];

/**
 * Compiles a target's addon.
 * @param {Target} target
 * @param {string} source - a checkout
 * @param {string} build - the folder to build in
 * @param {boolean} install - whether missing Debian packages may be installed
 * @returns {string} the addon
 */
export function compile(target, source, build, install) {
  const { cpu, triple } = target;
  const compiler = `${triple}-g++`;
  const packages = ['cmake', 'make', `g++-${triple.replace('_', '-')}`];
  needPrograms([compiler, `${triple}-objdump`, 'cmake', 'make'], packages, install);
  const stubs = join(build, `stubs-${target.libc}`);
  mkdirSync(stubs, { recursive: true });
  const libc =
    target.libc === 'musl'
      ? linkAgainstMusl(stubs, `${triple}-`)
      : linkAgainstOldGlibc(stubs, `${triple}-`, folderOfLibc(triple));
  const shims = join(stubs, 'shims.o');
  must(compiler, ['-O2', '-fPIC', '-c', join(source, 'scripts/prebuild/shims.cc'), '-o', shims]);
  // libstdc++ is in the binary, and nobody outside sees it (CMakeLists.txt has the version script).
  // libgcc_s is the process's own, Node needs it too: an exception must find one unwinder.
  const linker = ['-static-libstdc++', '-Wl,--gc-sections,--build-id=none,-s', libc, shims];
  // Neither the folder nor the day is in the binary: two builds have one hash.
  const flags = [`-ffile-prefix-map=${build}=build`, `-ffile-prefix-map=${source}=.`];
  const system = [`-DCMAKE_SYSTEM_NAME=Linux`, `-DCMAKE_SYSTEM_PROCESSOR=${cpu}`];
  must('cmake', [
    ...['-S', source, '-B', build, ...system, '-DCMAKE_BUILD_TYPE=Release'],
    `-DCMAKE_CXX_COMPILER=${compiler}`,
    `-DCMAKE_CXX_FLAGS=${flags.join(' ')} -Werror=date-time`,
    `-DCMAKE_SHARED_LINKER_FLAGS=${linker.join(' ')}`,
  ]);
  const parallel = ['--parallel', String(availableParallelism())];
  must('cmake', ['--build', build, ...parallel, '--target', 'evenkeel']);
  return join(build, 'Release', 'evenkeel.node');
}

/** @param {string} triple */
function folderOfLibc(triple) {
  const folders = [`/usr/lib/${triple}`, `/usr/${triple}/lib`];
  const found = folders.find((each) => existsSync(join(each, 'libc.so.6')));
  if (found === undefined) throw new Missing(`no libc.so.6 in ${folders.join(' or ')}`);
  return found;
}
