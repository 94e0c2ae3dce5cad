// What an ELF file says of itself, by binutils.
import { must } from '../tools.mjs';

/**
 * @typedef {object} VersionedSymbol
 * @property {string} name
 * @property {string} kind - GLIBC, GLIBCXX, CXXABI, GCC, …; empty for a symbol without a version
 * @property {string} version - as in `2.28`
 * @property {boolean} isFunction
 * @property {boolean} isWeak
 */

/**
 * @param {string} file
 * @param {string} prefix - of the names of binutils, as in `aarch64-linux-gnu-`
 * @param {string[]} options - of nm
 * @returns {VersionedSymbol[]}
 */
export function symbolsOf(file, prefix, options) {
  const text = output(`${prefix}nm`, ['-D', '--with-symbol-versions', ...options, file]);
  const line = /^[\da-f ]* ([A-Za-z]) ([^\s@]+)(?:@@?([A-Z]+)_([\d.]+))?$/gm;
  return [...text.matchAll(line)].map(([, type = '', name = '', kind = '', version = '']) => ({
    name,
    kind,
    version,
    isFunction: 'TtWwiIU'.includes(type),
    isWeak: 'wv'.includes(type),
  }));
}

/**
 * The libraries that a file names.
 * @param {string} file
 * @param {string} prefix
 */
export function neededBy(file, prefix) {
  const text = output(`${prefix}objdump`, ['-p', file]);
  return [...text.matchAll(/^ +NEEDED +(\S+)$/gm)].map(([, name = '']) => name);
}

/**
 * Whether version `a` is newer than `b`, both as in `2.28`.
 * @param {string} a
 * @param {string} b
 */
export function isNewer(a, b) {
  const [x, y] = [a, b].map((each) => each.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (x?.[i] ?? 0) - (y?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function output(command, args) {
  return must(command, args, { env: { ...process.env, LC_ALL: 'C' } });
}
