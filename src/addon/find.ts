// Where the package is, and where its addon may be.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The package this file belongs to: the nearest package.json of that name above it. */
export function findPackage(): { root: string; version: string } {
  for (let folder = __dirname; ; folder = join(folder, '..')) {
    const path = join(folder, 'package.json');
    if (existsSync(path)) {
      const { name, version = '' } = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
      if (name === 'evenkeel') return { root: folder, version };
    }
    if (folder === join(folder, '..')) {
      throw new Error(`evenkeel: no package.json above ${__dirname}.`);
    }
  }
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
}

/** `linux-x64`, `linuxmusl-arm64`, `darwin-arm64`, … : glibc and musl need different files. */
export function platformName(): string {
  const header = (process.report.getReport() as { header: { glibcVersionRuntime?: string } })
    .header;
  const musl = process.platform === 'linux' && header.glibcVersionRuntime === undefined;
  return `${process.platform}${musl ? 'musl' : ''}-${process.arch}`;
}

/** Where an addon may be, best first: a build of this checkout, then a prebuilt one. */
export function* candidates(folder: string): IterableIterator<string> {
  yield join(folder, 'build', 'Release', 'evenkeel.node');
  // Only now: the report behind platformName() takes 11 ms.
  yield join(folder, 'prebuilds', `evenkeel-${platformName()}.node`);
}
