// The musl binary under musl's loader. No Node for musl is to be had from npm, so a program of ours (host.c) loads
// it and calls it; the same program on glibc must print the same: instruction sets, hashes, an exception's message.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { Missing, must, needPrograms } from '../tools.mjs';
import { home, run } from './project.mjs';

/**
 * @param {string} place - a project with evenkeel in it
 * @param {boolean} install
 * @returns {string} empty where all is right
 */
export function musl(place, install) {
  if (process.arch !== 'x64') throw new Missing(`this machine is ${process.arch}`);
  needPrograms(['musl-gcc', 'gcc'], ['musl-tools', 'musl', 'gcc'], install);
  const source = join(import.meta.dirname, 'host.c');
  const libraries = join(home, 'libgcc');
  mkdirSync(libraries, { recursive: true });
  const libgcc = must('gcc', ['-print-file-name=libgcc_s.so.1']).trim();
  if (!existsSync(libgcc)) throw new Missing('no libgcc_s.so.1');
  copyFileSync(libgcc, join(libraries, 'libgcc_s.so.1'));
  const [here, there] = [
    { compiler: 'gcc', platform: 'linux-x64', env: {} },
    { compiler: 'musl-gcc', platform: 'linuxmusl-x64', env: { LD_LIBRARY_PATH: libraries } },
  ].map(({ compiler, platform, env }) => {
    const program = join(home, `host-${compiler}`);
    must(compiler, ['-O1', '-w', '-rdynamic', source, '-o', program, '-ldl', '-lm']);
    const addon = join(place, 'node_modules', 'evenkeel', 'prebuilds', platform, 'evenkeel.node');
    return run([program, addon], place, env);
  });
  const isRight =
    there?.code === 0 && there.stdout === here?.stdout && /\nhash \w+\n/.test(there.stdout);
  return isRight ? '' : `${there?.stdout}${there?.stderr}\nnot\n${here?.stdout}${here?.stderr}`;
}
