// Whether a binary runs where it is meant to: what it asks of the system, by objdump and nm.
import { neededBy, isNewer, symbolsOf } from './elf.mjs';
import { SAME_IN_MUSL } from './musl.mjs';
import { NEWEST_GLIBC } from './old-glibc.mjs';

/** Versions of libgcc_s that are older than any Node that runs it. */
const NEWEST_GCC = '7.0.0';

/** What a binary may name: glibc's own and the unwinder. No libstdc++: that is inside. */
const LIBRARIES = {
  glibc: /^(libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|ld-linux.*|libgcc_s\.so\.1)$/,
  musl: /^(libc\.musl-x86_64\.so\.1|libgcc_s\.so\.1)$/,
};

/**
 * What is wrong with a binary, a line each.
 * @param {string} file
 * @param {import('./targets.mjs').Target} target
 * @returns {string[]}
 */
export function problemsOf(file, { triple, libc }) {
  const problems = neededBy(file, `${triple}-`)
    .filter((library) => !LIBRARIES[libc].test(library))
    .map((library) => `needs ${library}`);
  const symbols = symbolsOf(file, `${triple}-`, ['--undefined-only']);
  if (symbols.length < 20) problems.push(`only ${symbols.length} undefined symbols were found`);
  for (const { name, kind, version, isWeak } of symbols) {
    // Electron refuses memory that V8 has not allocated itself.
    if (/^napi_create_external_(array)?buffer$/.test(name)) problems.push(`uses ${name}`);
    const isNode = /^(napi|node_api)_/.test(name);
    if (isNode || (kind === 'GCC' && !isNewer(version, NEWEST_GCC))) continue;
    const isThere =
      libc === 'musl'
        ? kind === '' && SAME_IN_MUSL.includes(name)
        : kind === 'GLIBC' && !isNewer(version, NEWEST_GLIBC);
    if (isThere || (isWeak && kind === '')) continue;
    problems.push(`needs ${name}${kind === '' ? '' : ` of ${kind}_${version}`}`);
  }
  return problems;
}
