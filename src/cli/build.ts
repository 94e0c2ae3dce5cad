// `evenkeel build`: compiles the addon on this machine, for a platform that the package has no binary for.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { ownBuild } from '../addon/find.js';
import { readOptions, type Usage } from './options.js';

const USAGE: Usage = {
  name: 'build',
  text: `Compiles the addon from the sources in the package, offline, with CMake and GCC
or Clang. It goes where evenkeel looks before it takes the prebuilt binary, and
where no package manager deletes it:
  ${ownBuild() ?? '(this user has no home: --out is needed)'}`,
  options: {
    out: {
      type: 'string',
      hint: '<file>',
      help: 'write the addon here; load it with EVENKEEL_NATIVE',
    },
    json: { type: 'boolean', help: 'print one object' },
  },
  examples: [
    'npx evenkeel build',
    'npx evenkeel build --out ./native/evenkeel.node && EVENKEEL_NATIVE=./native/evenkeel.node node app.js',
  ],
  exitCodes: '0 it was built and loads, 1 not, 2 an unknown option',
};

export async function build(args: readonly string[]): Promise<number> {
  const values = readOptions(USAGE, args);
  if (typeof values === 'number') return values;
  const { out, json } = values;
  const path = typeof out === 'string' ? resolve(out) : ownBuild();
  if (path === undefined) {
    console.error('evenkeel build: expected --out or a home folder, got neither.');
    return 2;
  }
  const script = join(__dirname, '..', '..', '..', 'scripts', 'build-native.mjs');
  const folder = join(dirname(path), 'evenkeel-build');
  const code = await run([script, '--build', folder, '--addon', path, '--remove']);
  if (code !== 0) return code;
  if (!existsSync(path)) {
    console.error(`evenkeel build: expected ${path} to be there after a build, got no such file.`);
    return 1;
  }
  // What is there is no proof that it runs here.
  const check = 'require(process.argv[1]).load()';
  const load = join(__dirname, '..', 'addon', 'load.js');
  const loads = await run(['-e', check, load], { EVENKEEL_NATIVE: path });
  if (loads !== 0) return 1;
  const isFound = path === ownBuild();
  const use = isFound ? 'evenkeel loads it from now on.' : `To load it: EVENKEEL_NATIVE=${path}`;
  console.log(json === true ? JSON.stringify({ path, isFound }) : `built ${path}\n${use}`);
  return 0;
}

/** @returns The exit code of a Node process; 1 when a signal ended it. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  const child = spawn(process.execPath, [...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  return new Promise((done, reject) => {
    child.on('error', reject);
    child.on('close', (code) => done(code ?? 1));
  });
}
