// Threads of our own. They are never joined and live until the process ends: what they use is leaked on
// purpose, because at exit() a joinable static thread aborts the process.
#pragma once

namespace evenkeel {

// Runs body(context), whose result nobody looks at, on a new thread, which takes none of the host's signals
// but those of a fault and a profiler's SIGPROF. False where there is none to be had, or no memory for its stack of 1 MB.
bool start_thread(void* (*body)(void* context), void* context);

}  // namespace evenkeel
