// Loads the addon: the first that is there, loads and belongs to this package. One that is there and is passed
// over is a warning, never silence.
import { existsSync } from 'node:fs';

import { MARK_AS_EXTERNAL } from './bundled.js';
import { ABSENT, explain, whyNotLoaded, type Failure } from './explain.js';
import { findPackage, places, type Place } from './find.js';
import { whyStale, type Stamp } from './stale.js';
import type { Addon } from './types.js';
import { VERSION } from './version.js';

export interface Loaded {
  readonly addon: Addon;
  readonly version: string;
  /** Of this copy of the package; of the bundle, where it is in one. */
  readonly folder: string;
  readonly place: Place;
  readonly stamp: Stamp;
  /** What was tried before, and why it was not taken. */
  readonly failures: readonly Failure[];
}

/** Node-API's version that the addon is compiled for (CMakeLists.txt). */
const NODE_API = 8;

let loaded: Loaded | undefined;

/** @throws {Error} when no addon loads; the message says what was tried, and what to do. */
export function load(): Loaded {
  loaded ??= loadFirst();
  return loaded;
}

function loadFirst(): Loaded {
  const found = findPackage();
  const failures: Failure[] = [];
  const napi = Number(process.versions.napi ?? NODE_API);
  if (napi < NODE_API) {
    throw new Error(
      `evenkeel: expected a runtime with Node-API ${NODE_API} or later (Node 20.17), got Node-API ${napi} (${process.version}).`,
    );
  }
  for (const place of places(found)) {
    const result = attempt(place, found.root);
    if (typeof result !== 'string') {
      warnOf(failures, place);
      const folder = found.isBundled ? __dirname : (found.root ?? __dirname);
      return { ...result, version: VERSION, folder, place, failures };
    }
    failures.push({ place, why: result });
  }
  throw new Error(explain(found, failures, MARK_AS_EXTERNAL));
}

/** The addon at a place, or why there is none to be used. */
function attempt(
  place: Place,
  root: string | undefined,
): { readonly addon: Addon; readonly stamp: Stamp } | string {
  if (!existsSync(place.path)) return ABSENT;
  const library: { exports: unknown } = { exports: {} };
  try {
    process.dlopen(library, place.path);
  } catch (error) {
    return whyNotLoaded(place.path, error);
  }
  const addon = library.exports as Addon & { readonly stamp: Stamp };
  return whyStale(addon, place, root) ?? { addon, stamp: addon.stamp };
}

function warnOf(failures: readonly Failure[], taken: Place): void {
  const passedOver = failures.filter(({ why }) => why !== ABSENT);
  if (passedOver.length === 0) return;
  const lines = passedOver.map(({ place, why }) => `${place.path} ${why}`);
  process.emitWarning(`evenkeel: ${lines.join('; ')}. Loaded ${taken.path} instead.`, {
    type: 'EvenkeelWarning',
    code: 'EVENKEEL_PASSED_OVER',
    detail: 'Build it again, or delete it: npx evenkeel info says what was tried.',
  });
}
