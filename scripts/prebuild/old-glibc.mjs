// Stub libraries that make a linker beside a new glibc produce a binary for an old one. A stub has the
// symbols and versions of the real library, up to GLIBC_2.28, and no code. The linker takes the newest
// version that it sees, so the binary asks for nothing newer; what came later is not there at all, and a
// binary that needs it does not link. 2.28 is what Node's own binaries ask for.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { must } from '../tools.mjs';
import { isNewer, symbolsOf } from './elf.mjs';

export const NEWEST_GLIBC = '2.28';

/** glibc 2.34 moved these libraries into libc; for 2.28 a binary must name them. */
const APART = [
  { library: 'libpthread.so.0', names: /^(pthread_|sem_)/ },
  { library: 'libdl.so.2', names: /^dl(sym|open|close|error|addr|info|vsym|mopen)$/ },
];

/**
 * Makes the stubs; gives the linker's option for them.
 * @param {string} folder - where they go
 * @param {string} prefix - of the names of the compiler and binutils, as in `aarch64-linux-gnu-`
 * @param {string} libraries - the folder of the real libc.so.6
 */
export function linkAgainstOldGlibc(folder, prefix, libraries) {
  mkdirSync(folder, { recursive: true });
  const loader = readdirSync(libraries).find((name) => /^ld-linux.*\.so\.\d$/.test(name));
  if (loader === undefined) throw new Error(`no ld-linux in ${libraries}`);
  /** @type {Map<string, import('./elf.mjs').VersionedSymbol[]>} */
  const stubs = new Map(APART.map(({ library }) => [library, []]));
  for (const library of ['libc.so.6', 'libm.so.6', loader]) {
    for (const symbol of newestOldEnough(join(libraries, library), prefix)) {
      const apart = APART.find(({ names }) => library === 'libc.so.6' && names.test(symbol.name));
      const into = apart?.library ?? library;
      stubs.set(into, [...(stubs.get(into) ?? []), symbol]);
    }
  }
  for (const [library, symbols] of stubs) makeStub(folder, library, symbols, prefix);
  const optional = [...APART.map(({ library }) => library), loader];
  // The names that the compiler asks for. What of libc is code in every binary (atexit,
  // pthread_atfork) is in libc_nonshared.a.
  const parts = optional.map((name) => join(folder, name)).join(' ');
  const own = join(libraries, 'libc_nonshared.a');
  const libc = join(folder, 'libc.so.6');
  writeFileSync(join(folder, 'libc.so'), `GROUP(${libc} ${own} AS_NEEDED(${parts}))\n`);
  writeFileSync(join(folder, 'libm.so'), `INPUT(AS_NEEDED(${join(folder, 'libm.so.6')}))\n`);
  return `-L${folder}`;
}

/**
 * @param {string} library
 * @param {string} prefix
 */
function newestOldEnough(library, prefix) {
  /** @type {Map<string, import('./elf.mjs').VersionedSymbol>} */
  const best = new Map();
  for (const symbol of symbolsOf(library, prefix, ['--defined-only'])) {
    if (symbol.kind !== 'GLIBC' || isNewer(symbol.version, NEWEST_GLIBC)) continue;
    const other = best.get(symbol.name);
    if (other === undefined || isNewer(symbol.version, other.version)) {
      best.set(symbol.name, symbol);
    }
  }
  return best.values();
}

/**
 * @param {string} folder
 * @param {string} library
 * @param {import('./elf.mjs').VersionedSymbol[]} symbols
 * @param {string} prefix
 */
function makeStub(folder, library, symbols, prefix) {
  const assembly = symbols.flatMap(({ name, version, isFunction }, i) => [
    `.globl stub_${i}`,
    `.type stub_${i}, %${isFunction ? 'function' : 'object'}`,
    `.symver stub_${i}, ${name}@@GLIBC_${version}`,
    `stub_${i}: .skip 8`,
    ...(isFunction ? [] : [`.size stub_${i}, 8`]),
  ]);
  const versions = [...new Set(symbols.map(({ version }) => version))];
  const map = versions.map((version) => `GLIBC_${version} { global: *; };`);
  const source = join(folder, `${library}.s`);
  const script = join(folder, `${library}.map`);
  writeFileSync(source, `.data\n${assembly.join('\n')}\n`);
  writeFileSync(script, `${map.join('\n')}\n`);
  const linker = [`-Wl,-soname,${library}`, `-Wl,--version-script=${script}`];
  const flags = ['-shared', '-nostdlib', ...linker];
  must(`${prefix}gcc`, [...flags, source, '-o', join(folder, library)]);
}
