// The checks of this program. Each prints one line and returns whether it passed; a failure says how
// to repeat it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace evenkeel::check {

struct Settings {
  std::uint64_t seed = 1;
  std::size_t cases = 2000;
  bool guards = true;  // false: no guard pages. QEMU 7.2 reads what a masked AVX load leaves out
  bool signed_zeros =
      true;              // false: 0 and -0 are the same. valgrind's c - a * b has the wrong zero
  std::size_t only = 0;  // this case alone, counted from 1; 0: all
};

// One hash a case: over instruction sets, thread counts, places in memory, in place or not, and the host's
// floating-point mode. The digest of all hashes is the same on every machine.
bool fuzz(const Settings& settings);

// Every kernel of every instruction set at every length from 0 to 200, against pages that cannot be touched.
bool guards(const Settings& settings);

// Several threads call at once while the number of pool threads changes; a forked child; threads that
// cannot be made.
bool pool(const Settings& settings);

// Jobs of several owners, started, cancelled, taken and dropped at random; a forked child; a thread that
// cannot be made.
bool jobs(const Settings& settings);

// Work that is stopped: what has not been computed is not looked at.
bool stopped(const Settings& settings);

// Every allocation of every operation fails in turn, once or from there on.
bool allocations(const Settings& settings);

// Arrays of more than 2^31 elements.
bool large(const Settings& settings);

// The errors of exp, log and their kind in float32, at `cases` inputs.
bool ulps(const Settings& settings);

// Names what runs, for the report if it crashes.
void now(const char* format, ...) __attribute__((format(printf, 1, 2)));
// Prints that, `what`, and returns false.
bool failed(const char* what);

// Injected failures (faults.cc). Threads after the next `count` cannot be made; a negative count: all can.
void fail_threads_after(long count);
// The allocation number `nth` from now fails, and with `from_there_on` all behind it; 0: none does.
void fail_allocation(long nth, bool from_there_on);
// Whether it has failed since.
bool allocation_failed();
// What operator new has given and nobody has given back.
std::size_t allocated_bytes();

}  // namespace evenkeel::check
