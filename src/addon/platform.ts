// Which binary this process can load.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

export type Libc = 'glibc' | 'musl';

/** `linux-x64`, `linuxmusl-arm64`, `darwin-arm64`, …: a folder of prebuilds/. glibc and musl need different files. */
export function platformName(): string {
  const libc = process.platform === 'linux' && libcOf(process.execPath) === 'musl' ? 'musl' : '';
  return `${process.platform}${libc}-${process.arch}`;
}

/**
 * The C library of a program, cheapest question first: the loader that the program names, then what ldd says of
 * itself (for a statically linked program), then Node's report, which takes 7 to 19 ms.
 */
export function libcOf(program: string, ldd = '/usr/bin/ldd'): Libc {
  const loader = interpreterOf(program);
  if (loader !== undefined) return /[/-]musl/.test(loader) ? 'musl' : 'glibc';
  try {
    const text = readFileSync(ldd, 'latin1');
    if (text.includes('musl')) return 'musl';
    if (/GLIBC|GNU C Library|GNU libc/.test(text)) return 'glibc';
  } catch {
    // No ldd, or not ours to read.
  }
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

const PT_INTERP = 3;

/** The path of the dynamic loader in the program header of a 64-bit ELF file, if it names one. */
function interpreterOf(program: string): string | undefined {
  try {
    const file = openSync(program, 'r');
    try {
      const bytes = Buffer.alloc(2048);
      const size = readSync(file, bytes, 0, bytes.length, 0);
      const isLittleElf64 =
        bytes.readUInt32BE(0) === 0x7f454c46 && bytes.readUInt16BE(4) === 0x0201;
      if (!isLittleElf64) return undefined;
      const start = Number(bytes.readBigUInt64LE(32));
      const entrySize = bytes.readUInt16LE(54);
      for (let i = 0; i < bytes.readUInt16LE(56); i++) {
        const at = start + i * entrySize;
        if (at + entrySize > size) return undefined;
        if (bytes.readUInt32LE(at) !== PT_INTERP) continue;
        const length = Math.min(Number(bytes.readBigUInt64LE(at + 32)), 256);
        const path = Buffer.alloc(length);
        readSync(file, path, 0, length, Number(bytes.readBigUInt64LE(at + 8)));
        return path.toString('latin1').replace(/\0.*$/s, '');
      }
    } finally {
      closeSync(file);
    }
  } catch {
    // Not to be read: ask elsewhere.
  }
  return undefined;
}
