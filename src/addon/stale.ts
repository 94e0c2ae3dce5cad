// Whether an addon belongs to this package: its stamp (binding/stamp.cmake) against the package.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { isCheckout, type Place } from './find.js';
import { SOURCES, VERSION } from './version.js';

export interface Stamp {
  /** The package's version when the addon was built. */
  readonly version: string;
  /** SHA-256 of the C++ sources it was built from. */
  readonly sources: string;
  readonly compiler: string;
}

/** Why an addon that has loaded is not to be used, or undefined. */
export function whyStale(
  exports: { readonly stamp?: Partial<Stamp> },
  place: Place,
  root: string | undefined,
): string | undefined {
  const { version, sources } = exports.stamp ?? {};
  if (version === undefined) return `does not say which version it was built from`;
  if (version !== VERSION) return `was built from version ${version}, and this is ${VERSION}`;
  if (root === undefined || !isCheckout(root)) {
    const isOurs = SOURCES === '' || sources === SOURCES;
    return isOurs ? undefined : `was built from other sources of version ${version}`;
  }
  if (place.kind !== 'checkout') return undefined;
  const files = sourcesOf(root);
  // A hash takes 3 ms and times take 1. Git sets a new time on what it has not changed, hence both.
  const built = statSync(place.path).mtimeMs;
  const changed = files.filter((file) => statSync(join(root, file)).mtimeMs > built);
  if (changed.length === 0 || sourcesHash(root) === sources) return undefined;
  const more = changed.length > 1 ? ` and ${changed.length - 1} more` : '';
  return `is older than its sources (${changed[0]}${more})`;
}

/** What the addon is built from, in the order of the hash. */
function sourcesOf(root: string): string[] {
  const files = ['native', 'binding'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(root.length)
          .replaceAll('\\', '/')
          .replace(/^\/+/, ''),
      ),
  );
  return ['CMakeLists.txt', ...files].sort((a, b) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
}

/** @public SHA-256 of the C++ sources of a package, as binding/stamp.cmake has it. scripts/prepack.mjs asks, too. */
export function sourcesHash(root: string): string {
  const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
  const lines = sourcesOf(root).map(
    (file) => `${file} ${sha256(readFileSync(join(root, file)))}\n`,
  );
  return sha256(lines.join(''));
}
