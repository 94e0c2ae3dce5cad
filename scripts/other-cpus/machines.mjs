// What there is to try: emulated CPUs and other Nodes, each with the programs and the project built for it.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';

import { Missing, VITEST, folder, must, needNode, needPrograms, root } from '../tools.mjs';

/**
 * @typedef {object} Machine
 * @property {string} project - the project, built for it
 * @property {string} node - runs a program as that machine; its process.execPath is this again
 * @property {string[]} vitest - the command that starts the tests' own process, which is never emulated
 * @property {(() => string[]) | null} program - builds the native program; null: nothing new to be seen by it
 * @property {string | null} isa - the instruction set it must choose
 * @property {boolean} isEmulated
 * @property {boolean} isThorough - whether scripts/one-hash.mjs tries every setting on it
 * @property {Record<string, string>} environment - of the tests
 * @property {boolean} hasGuards - whether pages that cannot be touched can be told from those that can
 */

/** This one, which the others are held against. @type {Machine} */
export const thisMachine = {
  project: root,
  node: process.execPath,
  vitest: [process.execPath, VITEST],
  program: () => [nativeProgram()],
  isa: null,
  isEmulated: false,
  isThorough: true,
  environment: {},
  hasGuards: true,
};

/**
 * @param {string} version
 * @param {boolean} install
 * @returns {Machine}
 */
export function otherNode(version, install) {
  const node = needNode(version, process.arch, install);
  const vitest = [node, VITEST];
  return { ...thisMachine, node, vitest, program: null, isThorough: false };
}

/**
 * An x86-64 of qemu's: qemu64 has no AVX and no SSE4, Nehalem has SSE4.2, max has AVX2.
 * @param {string} cpu
 * @param {boolean} install
 * @returns {Machine}
 */
export function x86(cpu, install) {
  if (process.arch !== 'x64') throw new Missing(`this machine is ${process.arch}`);
  needPrograms(['qemu-x86_64-static'], ['qemu-user-static'], install);
  const emulator = ['qemu-x86_64-static', '-cpu', cpu];
  return {
    ...thisMachine,
    ...emulatedNode(cpu, emulator, process.execPath),
    program: () => [...emulator, nativeProgram()],
    isa: cpu === 'max' ? 'avx2' : 'scalar',
    isThorough: false,
    // Its masked loads of AVX2 read what they leave out, and so touch the guard pages.
    hasGuards: cpu !== 'max',
  };
}

/**
 * In a copy of the project, since the addon lies in there: cross-compiled.
 * @param {boolean} install
 * @returns {Machine}
 */
export function aarch64(install) {
  const packages = ['qemu-user-static', 'g++-aarch64-linux-gnu', 'libc6-dev-arm64-cross'];
  needPrograms(['qemu-aarch64-static', 'aarch64-linux-gnu-g++'], packages, install);
  const emulator = ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'];
  const node = emulatedNode('aarch64', emulator, needNode('20', 'arm64', install));
  const project = copyOfProject(join(folder, 'aarch64', 'project'));
  const build = join(project, 'build');
  const target = ['-DCMAKE_SYSTEM_NAME=Linux', '-DCMAKE_SYSTEM_PROCESSOR=aarch64'];
  const compiler = '-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++';
  compile(project, build, [...target, compiler], ['evenkeel', 'evenkeel-check']);
  return {
    ...node,
    project,
    program: () => [...emulator, join(build, 'evenkeel-check')],
    isa: 'neon',
    isThorough: true,
    environment: { CXX: 'aarch64-linux-gnu-g++' },
    hasGuards: true,
  };
}

/**
 * An executable that is Node in the emulator, for the processes of a test. The tests' own process stays
 * outside, where it is ten times as fast; it has the executable as its process.execPath.
 * @param {string} name
 * @param {string[]} emulator
 * @param {string} node
 */
function emulatedNode(name, [emulator = '', ...options], node) {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  const executable = join(home, 'node');
  const preload = join(home, 'exec-path.cjs');
  const esbuild = createRequire(import.meta.url).resolve(
    `@esbuild/linux-${process.arch}/bin/esbuild`,
  );
  writeFileSync(
    preload,
    `process.execPath = ${JSON.stringify(executable)};\n` +
      // tsx starts esbuild, and a program of another CPU can be started by a path only.
      `if (process.arch !== '${process.arch}') process.env.ESBUILD_BINARY_PATH = ${JSON.stringify(esbuild)};\n`,
  );
  const command = [pathOf(emulator), ...options, node, '--require', preload];
  const source = join(import.meta.dirname, 'emulated-node.cc');
  const list = command.map((each) => JSON.stringify(each)).join();
  const flags = ['-std=c++20', '-O1', '-static', `-DCOMMAND=${list}`];
  try {
    must('c++', [...flags, source, '-o', executable]);
  } catch (error) {
    throw new Missing(`no static program can be made: ${String(error)}`);
  }
  const vitest = [process.execPath, '--require', preload, VITEST];
  return { node: executable, vitest, isEmulated: true };
}

/** @param {string} into */
function copyOfProject(into) {
  mkdirSync(into, { recursive: true });
  for (const entry of readdirSync(into)) {
    if (entry !== 'build') rmSync(join(into, entry), { recursive: true });
  }
  const apart = new Set(['.git', 'build', 'build-check', 'node_modules', 'prebuilds']);
  for (const entry of readdirSync(root)) {
    const options = { recursive: true, preserveTimestamps: true };
    if (!apart.has(entry)) cpSync(join(root, entry), join(into, entry), options);
  }
  symlinkSync(join(root, 'node_modules'), join(into, 'node_modules'));
  return into;
}

/** evenkeel-check for this machine. */
function nativeProgram() {
  const build = join(folder, 'plain');
  compile(root, build, [], ['evenkeel-check']);
  return join(build, 'evenkeel-check');
}

/**
 * @param {string} source
 * @param {string} build
 * @param {string[]} options
 * @param {string[]} targets
 */
function compile(source, build, options, targets) {
  must('cmake', ['-S', source, '-B', build, '-DEVENKEEL_CHECK=ON', ...options]);
  const parallel = ['--parallel', String(availableParallelism())];
  must('cmake', ['--build', build, ...parallel, '--target', ...targets]);
}

/** @param {string} program - on the PATH */
function pathOf(program) {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((each) => join(each, program)).find((each) => existsSync(each)) ?? program;
}
