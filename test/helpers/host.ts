// Builds host.cc, the hostile host, where there is a compiler for it: once, into build/test/.
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Ended } from './child.js';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');

/** Builds a C++ file of this folder into build/test/; returns the path, or null where nothing can. */
function build(source: string, ending: string, flags: readonly string[]): string | null {
  if (process.platform !== 'linux') return null;
  const path = join(here, source);
  const compiler = process.env.CXX ?? 'c++';
  const args = ['-std=c++20', '-O1', '-Wall', '-Wextra', '-pthread', path, ...flags];
  const key = createHash('sha256').update(JSON.stringify([compiler, args]));
  const included = join(root, 'native', 'runtime', 'parallel.cc'); // by slow-pause.cc
  for (const each of [path, included, ...flags.filter((flag) => flag.endsWith('.cc'))]) {
    key.update(readFileSync(each));
  }
  const made = join(root, 'build', 'test', `${key.digest('hex').slice(0, 16)}${ending}`);
  if (existsSync(made)) return made;
  mkdirSync(dirname(made), { recursive: true });
  const part = `${made}.${process.pid}`; // two tests may build it at once
  const { error, status, stderr } = spawnSync(compiler, [...args, '-o', part], {
    encoding: 'utf8',
  });
  if (error !== undefined) {
    console.warn(`${source}: skipped, no ${compiler} on the PATH`);
    return null;
  }
  if (status !== 0) throw new Error(stderr);
  renameSync(part, made);
  return made;
}

/** The hostile host as a library to preload and to load, or null where it cannot be built. */
export function hostLibrary(): string | null {
  const require = createRequire(import.meta.url);
  const { include_dir: headers } = require('node-api-headers') as { include_dir: string };
  return build('host.cc', '.node', ['-shared', '-fPIC', '-I', headers, '-ldl']);
}

/** The program of fork.cc, or null where it cannot be built. */
export function forkProgram(): string | null {
  const sources = ['parallel.cc', 'jobs.cc', 'thread.cc', 'workspace.cc'];
  return build(
    'fork.cc',
    '',
    sources.map((name) => join(root, 'native', 'runtime', name)),
  );
}

/** The program of slow-pause.cc, or null where it cannot be built. */
export function slowPauseProgram(): string | null {
  return build('slow-pause.cc', '', [join(root, 'native', 'runtime', 'thread.cc')]);
}

/** The library of standard-abi.cc, an MPI of the standard binary interface, or null where it cannot be built. */
export function standardAbiLibrary(): string | null {
  return build('standard-abi.cc', '-libmpi_abi.so', ['-shared', '-fPIC']);
}

/** What the compiler says of a C++ text beside binding/; '' where it compiles, null without a compiler. */
export function compile(text: string): string | null {
  const require = createRequire(import.meta.url);
  const { include_dir: headers } = require('node-api-headers') as { include_dir: string };
  const { include_dir: wrapper } = require('node-addon-api') as { include_dir: string };
  const given = ['-std=c++20', '-fsyntax-only', '-DNODE_ADDON_API_CPP_EXCEPTIONS_ALL'];
  const folders = [headers, join(root, wrapper), join(root, 'binding')].flatMap((each) => ['-I', each]); // prettier-ignore
  const args = [...given, ...folders, '-x', 'c++', '-'];
  const { error, stderr } = spawnSync(process.env.CXX ?? 'c++', args, {
    input: text,
    encoding: 'utf8',
    cwd: root,
  });
  return error === undefined ? stderr : null;
}

/** Runs a program to its end. */
export function run(program: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { encoding: 'utf8' }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr });
    });
  });
}
