// What a user reads when no addon loads.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { platformName } from './find.js';

/** @param failures - one line for each place that was tried */
export function explain(folder: string, failures: readonly string[]): string {
  return (
    `evenkeel: expected a native addon for ${platformName()} (Node ${process.version}), got none that loads:\n` +
    `${failures.join('\n')}\n` +
    'To build it here (needs CMake 3.15 or later and a C++20 compiler), run:\n' +
    `  cd ${folder} && ${installCommand(folder)} && npm run build:native`
  );
}

/** An installed package brings no lock file. */
function installCommand(folder: string): string {
  return existsSync(join(folder, 'package-lock.json')) ? 'npm ci' : 'npm install --ignore-scripts';
}
