// Loads the addon.
import { existsSync } from 'node:fs';

import { explain } from './explain.js';
import { candidates, findPackage } from './find.js';
import type { Addon } from './types.js';

/** @throws {Error} when no addon loads; the message says what was tried. */
export function load(): { addon: Addon; version: string; folder: string } {
  const { root: folder, version } = findPackage();
  const failures: string[] = [];
  for (const path of candidates(folder)) {
    if (!existsSync(path)) {
      failures.push(`  ${path}: no such file`);
      continue;
    }
    const loaded: { exports: unknown } = { exports: {} };
    try {
      process.dlopen(loaded, path);
      return { addon: loaded.exports as Addon, version, folder };
    } catch (error) {
      failures.push(`  ${path}: ${messageOf(error)}`);
    }
  }
  throw new Error(explain(folder, failures));
}

/** Of an error that may be of another realm. */
function messageOf(error: unknown): string {
  return String((error as { message?: unknown } | null | undefined)?.message ?? error);
}
