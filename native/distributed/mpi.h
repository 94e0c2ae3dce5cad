// MPI, found at run time: dlopen instead of linking, and declarations of our own instead of mpi.h, so that one binary
// runs with whichever MPI has started the process. It moves bytes between processes and does nothing else: sums are
// ours, because an MPI adds in an order of its own. Nothing is loaded before open_mpi().
//
// For one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace evenkeel {

// The three kinds of binary interface: what a handle is, and which values stand for what.
enum class MpiAbi {
  open_mpi,  // libmpi.so.40: handles are addresses of objects that the library exports
  mpich,     // libmpi.so.12, libmpich.so.12: handles are ints
  standard,  // libmpi_abi.so: MPI 5's own; handles are pointers with fixed values
};

class Mpi {
 public:
  // Communicators by number: what data goes through, and one for the end of the job alone, so that no goodbye is ever
  // taken for data.
  static constexpr int kData = 0, kEnd = 1;

  virtual ~Mpi() = default;

  // MPI_Init_thread, once a process. -> why not, or nothing.
  virtual std::string start() = 0;
  virtual std::string version() = 0;
  virtual int rank() = 0;
  virtual int size() = 0;

  // A set of messages under way: -> its number.
  virtual int exchange() = 0;
  // Adds one. The bytes stay where they are, and of what is received nobody reads, until wait() has said 0.
  // -> MPI's error code, 0 for none.
  virtual int send(int exchange, int communicator, int peer, int tag, const std::byte* data,
                   std::size_t bytes) = 0;
  virtual int receive(int exchange, int communicator, int peer, int tag, std::byte* data,
                      std::size_t bytes) = 0;
  // Waits until all of them have arrived, at most so many microseconds, 0: only looks. It asks again and again for some
  // 5 us, then yields in between for 1 ms, then sleeps in between: processes that spin on one core stop each other for
  // milliseconds, and a process that sleeps wakes up late.
  // -> how many are missing; below 0: minus MPI's error code. Once it has said 0 the number may be another set's.
  virtual int wait(int exchange, std::int64_t microseconds) = 0;
  // The ranks from which something is missing still.
  virtual std::vector<int> silent(int exchange) = 0;
  virtual std::string text_of(int error) = 0;

  // The end: MPI_Finalize, which waits for the other processes, and ends this one with code 0 where it does not return; or MPI_Abort, which ends them all, too.
  virtual void finalize() = 0;
  virtual void abort(int code) = 0;
};

// Loads a library, whose name or path it is. -> why not, or nothing: then mpi() is there. Once a process.
std::string open_mpi(const std::string& library, MpiAbi abi);

// nullptr before open_mpi() has loaded one.
Mpi* mpi();

// Has exit() call MPI_Abort(code), after all that Node has still to print.
void abort_mpi_at_exit(int code);

}  // namespace evenkeel
