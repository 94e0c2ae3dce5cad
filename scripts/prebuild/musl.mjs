// A binary for musl by Debian's compiler, which has glibc's headers: there is no C++ compiler for musl among
// Debian's packages. The objects are those of the glibc binary, with its kernels to the bit; they are linked
// against a stub of musl that has the functions below and nothing else. Each of them is in musl, and what it
// takes and gives has the same layout there on x86-64. What is not in the list is refused by check.mjs: look it
// up in musl's headers before it is added.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { must } from '../tools.mjs';

export const SAME_IN_MUSL = [
  // bytes and numbers
  'abort aligned_alloc floor fma free ilogb ldexp malloc memchr memcmp memcpy memmove memset realloc strcmp strlen strncmp strerror',
  // 40, 48 and 56 bytes: mutex, condition, attributes; a signal set has 128, a CPU set 128
  'pthread_atfork pthread_attr_destroy pthread_attr_init pthread_attr_setdetachstate pthread_attr_setstacksize',
  'pthread_cond_broadcast pthread_cond_destroy pthread_cond_signal pthread_cond_wait',
  'pthread_create pthread_detach pthread_getspecific pthread_join pthread_key_create pthread_key_delete',
  'pthread_mutex_lock pthread_mutex_trylock pthread_mutex_unlock pthread_once pthread_setspecific pthread_sigmask',
  'clock_gettime get_nprocs nanosleep sched_getaffinity __sched_cpucount sched_yield sigdelset sigfillset',
  // numbers of the kernel's
  'close ioctl madvise mmap munmap open read syscall getentropy __errno_location',
  // a FILE is a pointer that nobody looks behind
  'fclose fopen fputc fputs fwrite __isoc99_fscanf snprintf sprintf stderr vsnprintf',
  // RTLD_LAZY, RTLD_NOW and RTLD_GLOBAL are 1, 2 and 256 in both
  'dlopen dlsym dlerror atexit _Exit',
  // what the compiler itself asks for
  '__cxa_atexit __cxa_finalize __tls_get_addr gettext',
].flatMap((line) => line.split(' '));

const SONAME = 'libc.musl-x86_64.so.1';

/**
 * Makes the stub; gives the linker's option for it.
 * @param {string} folder - where it goes
 * @param {string} prefix - of the names of the compiler and binutils
 */
export function linkAgainstMusl(folder, prefix) {
  mkdirSync(folder, { recursive: true });
  const source = join(folder, 'musl.s');
  const symbols = SAME_IN_MUSL.map((name) => {
    const type = name === 'stderr' ? 'object' : 'function';
    return `.globl ${name}\n.type ${name}, %${type}\n${name}: .skip 8\n.size ${name}, 8\n`;
  });
  writeFileSync(source, `.data\n${symbols.join('')}`);
  const stub = join(folder, SONAME);
  must(`${prefix}gcc`, ['-shared', '-nostdlib', `-Wl,-soname,${SONAME}`, source, '-o', stub]);
  writeFileSync(join(folder, 'libc.so'), `INPUT(${stub})\n`);
  writeFileSync(join(folder, 'libm.so'), `INPUT(AS_NEEDED(${stub}))\n`);
  return `-L${folder}`;
}
