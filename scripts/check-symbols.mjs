// Fails when the built addon could break on an older CPU or clash with another addon.
// A weak or unique symbol in a native/kernels/isa object is an inline function that the linker may keep for
// the whole addon, compiled with that file's AVX-512. An export beside Node's two is a name that
// another library in the process can take over. A function that musl has not is not in its binary, which is linked
// from the same objects. Fast-math flags change the numbers.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { SAME_IN_MUSL } from './prebuild/musl.mjs';
import { must, root, run } from './tools.mjs';

// Another build's: `npm run prebuild` gives all three.
const { values: options } = parseArgs({
  options: {
    build: { type: 'string', default: join(root, 'build') },
    addon: { type: 'string', default: join(root, 'build', 'Release', 'evenkeel.node') },
    nm: { type: 'string', default: 'nm' },
  },
});
const { build, addon, nm } = options;

/** @type {string[]} */
const problems = [...fastMathFlags()];

if (process.platform !== 'linux' || !run([nm, '--version']).isStarted) {
  console.log('symbols: skipped, this machine has no GNU nm');
} else {
  problems.push(...sharedSymbols(), ...extraExports());
  // Other binaries than this machine's are checked as a whole: prebuild/check.mjs.
  if (nm === 'nm' && process.arch === 'x64') problems.push(...notInMusl());
}
for (const problem of problems) console.error(`symbols: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;

function fastMathFlags() {
  const lines = readFileSync(join(root, 'CMakeLists.txt'), 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const flag = /-ffast-math|-Ofast|\/fp:fast/.exec(line.replace(/#.*/, ''))?.[0];
    return flag === undefined
      ? []
      : [
          `CMakeLists.txt:${String(index + 1)} has ${flag}, which lets the compiler change results.`,
        ];
  });
}

function objectsOfBuild() {
  const files = existsSync(build) ? readdirSync(build, { recursive: true, encoding: 'utf8' }) : [];
  return files.filter((file) => file.endsWith('.o'));
}

function notInMusl() {
  // Node, C++ and what belongs to the compiler.
  const others = /^(_Z|napi_|node_api_|_Unwind_|_GLOBAL_|__cxa_|__gxx_|__cpu_|__once_)/;
  const names = objectsOfBuild().flatMap((object) =>
    symbols('-u', join(build, object))
      .filter(({ type, name }) => type === 'U' && !others.test(name))
      .map(({ name }) => name),
  );
  return [...new Set(names)]
    .filter((name) => !SAME_IN_MUSL.includes(name))
    .map((name) => `"${name}" is not in the list of scripts/prebuild/musl.mjs: see there.`);
}

function sharedSymbols() {
  const objects = objectsOfBuild().filter((file) => /[\\/]isa[\\/][^\\/]*$/.test(file));
  if (objects.length === 0)
    return ['no object of native/kernels/isa under build/: run npm run build first.'];
  return objects.flatMap((object) =>
    symbols('-C', join(build, object))
      .filter(({ type }) => 'WVu'.includes(type))
      .map(
        ({ type, name }) =>
          `${/[^\\/]+$/.exec(object)?.[0] ?? object} shares "${name}" (${type}) with the other objects: ` +
          'put it in an anonymous namespace, or do not use that header in native/kernels/isa.',
      ),
  );
}

function extraExports() {
  const allowed = /^(napi_register_module_v\d+|node_api_module_get_api_version_v\d+)$/;
  return symbols('-D', '--defined-only', '-C', addon)
    .filter(({ name }) => !allowed.test(name))
    .map(
      ({ type, name }) =>
        `evenkeel.node exports "${name}" (${type}): hide it (visibility, or a linker version script).`,
    );
}

/**
 * The symbols that `nm` lists, one per line: an address or blanks, a letter, a name.
 * @param {string[]} args
 */
function symbols(...args) {
  const lines = must(nm, args).matchAll(/^[\da-f ]* ([A-Za-z]) (.+)$/gm);
  return [...lines].map(([, type = '', name = '']) => ({ type, name }));
}
