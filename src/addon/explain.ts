// What a user reads when no addon loads: what was tried, found and required, and the one command.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { isCheckout, type Package, type Place } from './find.js';
import { platformName } from './platform.js';

export interface Failure {
  readonly place: Place;
  /** Continues a sentence that begins with the path. */
  readonly why: string;
}

export const ABSENT = 'is not there';

const NAMES: Readonly<Record<Place['kind'], string>> = {
  environment: 'EVENKEEL_NATIVE',
  checkout: 'a build of this checkout',
  'own build': 'a build of yours',
  prebuilt: 'the prebuilt binary',
};

/**
 * @param failures - in the order in which they were tried
 * @param bundleAdvice - what is said of a copy in a bundle
 */
export function explain(
  { root, isBundled }: Package,
  failures: readonly Failure[],
  bundleAdvice: string,
): string {
  const platform = platformName();
  const tried = failures.map(({ place, why }) => `  ${NAMES[place.kind]}: ${place.path} ${why}`);
  return [
    `evenkeel: expected a native addon for ${platform} (Node ${process.version}), got none that loads.`,
    'Tried:',
    ...tried,
    ...found(root, platform),
    ...advice(root, isBundled, platform, failures, bundleAdvice),
  ].join('\n');
}

/** Which binaries the package has, where this platform's is not among them. */
function found(root: string | undefined, platform: string): string[] {
  if (root === undefined) return [];
  const folder = join(root, 'prebuilds');
  const all = existsSync(folder) ? readdirSync(folder).sort() : [];
  if (all.includes(platform)) return [];
  return [
    `Found: ${all.length === 0 ? 'no prebuilt binary at all' : `binaries for ${all.join(', ')}`}.`,
  ];
}

function advice(
  root: string | undefined,
  isBundled: boolean,
  platform: string,
  failures: readonly Failure[],
  bundleAdvice: string,
): string[] {
  if (failures.some(({ why }) => why.startsWith('may not be loaded'))) {
    return [
      'Required: addons. Start Node without --no-addons; with --permission, add --allow-addons.',
    ];
  }
  if (isBundled && root === undefined) {
    return [`This copy of evenkeel is in a bundle (${__dirname}). ${bundleAdvice}`];
  }
  if (failures[0]?.place.kind === 'environment') {
    return ['Correct EVENKEEL_NATIVE, or unset it to load the binary of the package.'];
  }
  const libc = /^linuxmusl/.test(platform) ? 'musl' : 'glibc 2.28 or later';
  const system = platform.startsWith('linux') ? `${libc}, libgcc_s (every Node has it), ` : '';
  const required = `Required: Node 20.17 or later, ${system}and a binary for ${platform}.`;
  const needs = 'needs CMake 3.15 or later and GCC or Clang with C++20';
  if (root !== undefined && isCheckout(root)) {
    return [
      required,
      `To build it (${needs}), run:`,
      `  cd ${root} && npm ci && npm run build:native`,
    ];
  }
  return [required, `To compile it on this machine (${needs}), run:`, '  npx evenkeel build'];
}

/** What a failed process.dlopen means, as the end of a sentence that begins with the path. */
export function whyNotLoaded(path: string, error: unknown): string {
  // Of an error that may be of another realm.
  const said = String((error as { message?: unknown } | null | undefined)?.message ?? error);
  const code = (error as { readonly code?: unknown } | null)?.code;
  return `${meaning(path, said, code) ?? 'does not load'} (${said.split('\n')[0]})`;
}

function meaning(path: string, said: string, code: unknown): string | undefined {
  if (code === 'ERR_DLOPEN_DISABLED' || code === 'ERR_ACCESS_DENIED') return 'may not be loaded';
  const [, glibc] = /version [`']GLIBC_([\d.]+)' not found/.exec(said) ?? [];
  if (glibc !== undefined) return `needs glibc ${glibc} or later, and this system has an older one`;
  if (/failed to map segment/.test(said))
    return `is in a place that forbids execution (${dirname(path)})`;
  const kind = kindOf(path);
  const wanted = platformName();
  if (kind !== undefined && !kind.fits) return `is ${kind.name}, and this Node is ${wanted}`;
  if (/ld-linux|libc\.so\.6/.test(said)) return 'is for glibc, and this system has none';
  if (/libc\.musl/.test(said)) return 'is for musl, and this system has none';
  const [, library] =
    /(lib[\w.+-]+\.so[.\d]*): cannot open|loading shared library (\S+):/.exec(said) ?? [];
  return library === undefined ? undefined : `needs ${library}, which this system does not have`;
}

const CPUS: Readonly<Record<number, string>> = { 3: 'ia32', 40: 'arm', 62: 'x64', 183: 'arm64' };

/** What a file is, from its first bytes. */
function kindOf(path: string): { readonly name: string; readonly fits: boolean } | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return undefined;
  }
  const magic = bytes.length < 20 ? 0 : bytes.readUInt32BE(0);
  if (magic === 0x7f454c46) {
    const cpu = CPUS[bytes.readUInt16LE(18)] ?? 'another CPU';
    return {
      name: `for linux on ${cpu}`,
      fits: process.platform === 'linux' && cpu === process.arch,
    };
  }
  if (magic === 0xcffaedfe || magic === 0xcafebabe) {
    return { name: 'for macOS', fits: process.platform === 'darwin' };
  }
  if (magic >>> 16 === 0x4d5a) return { name: 'for Windows', fits: process.platform === 'win32' };
  return { name: `no library (${bytes.length} bytes)`, fits: false };
}
