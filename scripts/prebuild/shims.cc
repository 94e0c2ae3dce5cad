// What a new libstdc++.a asks of its libc and an old one does not have. Hidden: only this copy sees it.

// glibc 2.32. "No thread was ever started" is never said: reference counts stay atomic.
extern "C" __attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
