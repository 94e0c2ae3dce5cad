// Finds the peers that are npm packages: in the folder that scripts/install-peers.mjs fills, or where
// the command is run, so that a user's own copy takes part. They are never dependencies of ours.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Absent } from '../contender.js';

export interface Package {
  /** What requiring it gives; the caller says what it uses of that. */
  readonly exports: unknown;
  readonly version: string;
  readonly folder: string;
}

/** bench/peers/.packages of the checkout, also when this file is dist/bench/peers/packages.js. */
const installed = ['.packages', '../../../bench/peers/.packages'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** @throws {Absent} when the package is in none of `folders`, or does not load. */
export function loadPackage(
  name: string,
  folders: readonly string[] = [...installed, process.cwd()],
): Package {
  for (const place of folders) {
    const folder = join(place, 'node_modules', name);
    if (!existsSync(join(folder, 'package.json'))) continue;
    const manifest = readFileSync(join(folder, 'package.json'), 'utf8');
    const { version } = JSON.parse(manifest) as { version: string };
    const require = createRequire(join(place, 'peers.cjs'));
    try {
      return { exports: require(name) as unknown, version, folder };
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
      throw new Absent(`${name} ${version} does not load: ${reason ?? ''}`);
    }
  }
  throw new Absent(`no package '${name}' (in a checkout, npm run bench:peers installs it)`);
}

/** Where a package's main file lies. */
export function mainFolder({ folder }: Package): string {
  return dirname(createRequire(join(folder, 'x.cjs')).resolve(folder));
}
