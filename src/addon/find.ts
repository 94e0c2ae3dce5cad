// Where the package is, and where its addon may be.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

import { platformName } from './platform.js';
import { VERSION } from './version.js';

export interface Place {
  /**
   * `environment`: EVENKEEL_NATIVE names it. `checkout`: build/Release of a checkout. `own build`: what
   * `evenkeel build` made. `prebuilt`: what the package brings.
   */
  readonly kind: 'environment' | 'checkout' | 'own build' | 'prebuilt';
  readonly path: string;
}

export interface Package {
  /** The folder of the package; undefined for a copy in a bundle that finds none. */
  readonly root: string | undefined;
  /** Whether this code is a copy in a bundle. */
  readonly isBundled: boolean;
}

/** The package that this file belongs to; for a copy in a bundle, the same version installed beside it. */
export function findPackage(): Package {
  // This file is src/addon/find.ts or dist/cjs/addon/find.js.
  for (const up of ['../..', '../../..']) {
    const root = join(__dirname, up);
    if (isPackage(root)) return { root, isBundled: false };
  }
  const starts = [__dirname, dirname(process.argv[1] ?? ''), process.cwd()];
  for (const start of starts) {
    try {
      const manifest = createRequire(join(start, 'any.js')).resolve('evenkeel/package.json');
      if (isPackage(dirname(manifest))) return { root: dirname(manifest), isBundled: true };
    } catch {
      // Not installed there.
    }
  }
  return { root: undefined, isBundled: true };
}

function isPackage(root: string): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly name?: string;
      readonly version?: string;
    };
    return manifest.name === 'evenkeel' && manifest.version === VERSION;
  } catch {
    return false;
  }
}

/** Where an addon may be, best first. What EVENKEEL_NATIVE names is the only one. */
export function* places({ root }: Package): IterableIterator<Place> {
  const named = process.env['EVENKEEL_NATIVE'];
  if (named !== undefined && named !== '') {
    yield { kind: 'environment', path: named };
    return;
  }
  if (root !== undefined) {
    yield { kind: 'checkout', path: join(root, 'build', 'Release', 'evenkeel.node') };
  }
  const own = ownBuild();
  if (own !== undefined) yield { kind: 'own build', path: own };
  if (root !== undefined) {
    yield { kind: 'prebuilt', path: join(root, 'prebuilds', platformName(), 'evenkeel.node') };
  }
}

/**
 * Where `evenkeel build` puts what it makes: no package manager empties it, and each version has its own. Undefined
 * for a user without a home.
 */
export function ownBuild(): string | undefined {
  const cache = cacheFolder();
  return cache && join(cache, 'evenkeel', VERSION, platformName(), 'evenkeel.node');
}

function cacheFolder(): string | undefined {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = process.env;
  if (xdg !== undefined && xdg !== '') return xdg;
  if (process.platform === 'win32' && local !== undefined && local !== '') return local;
  try {
    const inHome = process.platform === 'darwin' ? ['Library', 'Caches'] : ['.cache'];
    return join(homedir(), ...inHome);
  } catch {
    return undefined; // a container's user that the system does not know
  }
}

/** Whether the package is a checkout of the repository and not an installed copy. */
export function isCheckout(root: string): boolean {
  return existsSync(join(root, 'package-lock.json'));
}
