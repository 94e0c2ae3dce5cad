// What src/addon decides without loading anything: the platform, the C library, the sentence.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { explain, whyNotLoaded, type Failure } from '../../src/addon/explain.js';
import { libcOf, platformName } from '../../src/addon/platform.js';
import { VERSION } from '../../src/addon/version.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-addon-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The first bytes of a 64-bit ELF file that names `loader`, or is linked statically. */
function elf(name: string, loader: string | null, cpu = 62): string {
  const bytes = Buffer.alloc(256);
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeUInt16LE(cpu, 18);
  bytes.writeBigUInt64LE(64n, 32); // where the program headers are
  bytes.writeUInt16LE(56, 54); // the size of one
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(loader === null ? 1 : 3, 64); // PT_LOAD or PT_INTERP
  bytes.writeBigUInt64LE(128n, 72);
  bytes.writeBigUInt64LE(BigInt((loader ?? '').length + 1), 96);
  bytes.write(`${loader ?? ''}\0`, 128, 'latin1');
  return written(name, bytes);
}

function written(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test('the version in the source is that of package.json', () => {
  const path = fileURLToPath(new URL('../../package.json', import.meta.url));
  expect(VERSION).toBe((JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version);
});

describe('the C library', () => {
  test.each([
    ['/lib/ld-musl-x86_64.so.1', 'musl'],
    ['/lib64/ld-linux-x86-64.so.2', 'glibc'],
    ['/lib/ld-linux-aarch64.so.1', 'glibc'],
    ['/nix/store/x8b2-glibc-2.39-52/lib/ld-linux-x86-64.so.2', 'glibc'],
  ])('of a program that names %s is %s', (loader, libc) => {
    expect(libcOf(elf('program', loader), join(folder, 'no-ldd'))).toBe(libc);
  });

  test.each([
    ['#!/bin/sh\nexec /lib/ld-musl-x86_64.so.1 --list "$@"\n', 'musl'],
    ['#!/bin/bash\n# Copyright\necho "ldd (GNU libc) 2.36"\n', 'glibc'],
  ])('of a static program is what ldd says: %j', (ldd, libc) => {
    expect(libcOf(elf('static', null), written('ldd', ldd))).toBe(libc);
  });

  test.runIf(process.platform === 'linux')('is Node’s where nothing else says it', () => {
    const { glibcVersionRuntime } = (
      process.report.getReport() as { header: { glibcVersionRuntime?: string } }
    ).header;
    const own = glibcVersionRuntime === undefined ? 'musl' : 'glibc';
    expect(libcOf(written('text', 'no ELF'), join(folder, 'no-ldd'))).toBe(own);
    expect(libcOf(process.execPath)).toBe(own);
  });
});

describe('a failed load', () => {
  const other = process.arch === 'x64' ? { cpu: 183, name: 'arm64' } : { cpu: 62, name: 'x64' };
  const cases: [string, () => string, string, RegExp][] = [
    [
      'another CPU',
      () => elf('other-cpu', null, other.cpu),
      'cannot open shared object file',
      new RegExp(`^is for linux on ${other.name}, and this Node is `),
    ],
    [
      'a text',
      () => written('text.node', 'not a library'),
      'invalid ELF header',
      /^is no library \(13 bytes\), /,
    ],
    [
      'a newer glibc',
      () => elf('newer', null),
      "/lib/libc.so.6: version `GLIBC_2.99' not found (required by x.node)",
      /^needs glibc 2\.99 or later, and this system has an older one \(/,
    ],
    [
      'a mount without execution',
      () => elf('noexec', null),
      'x.node: failed to map segment from shared object',
      /^is in a place that forbids execution \(/,
    ],
  ];
  test.each(cases)('of %s says so', (_, make, said, sentence) => {
    if (process.platform !== 'linux') return;
    expect(whyNotLoaded(make(), new Error(said))).toMatch(sentence);
  });

  test('by a flag of Node is named as the reason', () => {
    const error = Object.assign(new Error('Cannot load native addon'), {
      code: 'ERR_DLOPEN_DISABLED',
    });
    const failures: Failure[] = [
      { place: { kind: 'prebuilt', path: '/x' }, why: whyNotLoaded('/x', error) },
    ];
    expect(explain({ root: folder, isBundled: false }, failures, '')).toMatch(
      /\nRequired: addons\. Start Node without --no-addons; with --permission, add --allow-addons\.$/,
    );
  });

  test('says what was tried, found and required, and one command', () => {
    const failures: Failure[] = [
      { place: { kind: 'own build', path: '/home/x.node' }, why: 'is not there' },
      { place: { kind: 'prebuilt', path: '/p/x.node' }, why: 'is not there' },
    ];
    const lines = explain({ root: folder, isBundled: false }, failures, '').split('\n');
    expect(lines).toEqual([
      `evenkeel: expected a native addon for ${platformName()} (Node ${process.version}), got none that loads.`,
      'Tried:',
      '  a build of yours: /home/x.node is not there',
      '  the prebuilt binary: /p/x.node is not there',
      'Found: no prebuilt binary at all.',
      expect.stringMatching(/^Required: Node 20\.17 or later, .*and a binary for /),
      expect.stringMatching(
        /^To compile it on this machine \(needs CMake 3\.15 or later and GCC or Clang/,
      ),
      '  npx evenkeel build',
    ]);
  });

  test('of a copy in a bundle names the bundlers’ options', () => {
    const text = explain({ root: undefined, isBundled: true }, [], 'Mark evenkeel as external.');
    expect(text).toMatch(
      /\nThis copy of evenkeel is in a bundle \(.*\)\. Mark evenkeel as external\.$/,
    );
  });
});
