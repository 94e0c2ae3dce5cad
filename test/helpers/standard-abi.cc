// An MPI with the standard binary interface of MPI 5 (libmpi_abi.so), as much of it as the addon calls. Messages are files
// in MPI_STUB_FOLDER; PMI_RANK and PMI_SIZE say who and how many. It is strict: a handle or a constant that is not the
// standard's is refused, so that a caller with those of Open MPI or MPICH fails.
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Handle = struct Anything*;

Handle handle(std::uintptr_t value) { return reinterpret_cast<Handle>(value); }

// The values of the standard's mpi.h.
const Handle kWorld = handle(0x101);
const Handle kErrorsReturn = handle(0x142);
const Handle kNoRequest = handle(0x180);
const Handle kByte = handle(0x247);
constexpr int kThreadMultiple = 4096;
constexpr int kErrCount = 2, kErrType = 3, kErrTag = 4, kErrComm = 5, kErrRank = 6;
constexpr int kErrTruncate = 15, kErrOther = 16, kErrErrhandler = 61;

struct Status {
  int source, tag, error, internal[5];
};
static_assert(sizeof(Status) == 32);

struct Communicator {
  bool returns_errors = false;
  std::map<int, int> sent, awaited;  // messages by peer
};

struct Request {
  std::string file;  // empty: it was sent
  void* to;
  int count, from;
};

bool running = false;
std::vector<Communicator*> communicators;  // of Comm_dup, in its order

int number(const char* name) { return std::atoi(std::getenv(name)); }

std::string path(const std::string& name) {
  return std::string(std::getenv("MPI_STUB_FOLDER")) + "/" + name;
}

void write(const std::string& name, const void* data, std::size_t bytes) {
  const std::string part = path("part-" + std::to_string(getpid()));
  std::ofstream(part, std::ios::binary)
      .write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
  std::filesystem::rename(part, path(name));
}

Communicator& world() {
  static Communicator one;
  return one;
}

// -> its number, from 0 for the world; -1: it is none.
int index_of(Handle comm) {
  if (comm == kWorld) return 0;
  for (std::size_t i = 0; i < communicators.size(); ++i) {
    if (handle(reinterpret_cast<std::uintptr_t>(communicators[i])) == comm)
      return static_cast<int>(i) + 1;
  }
  return -1;
}

Communicator& at(int index) {
  return index == 0 ? world() : *communicators[static_cast<std::size_t>(index) - 1];
}

// As MPI has it: an error ends the process, unless its communicator has MPI_ERRORS_RETURN.
int fail(int code, const char* what, bool returns) {
  if (returns) return code;
  std::fprintf(stderr, "standard ABI: %s, error class %d\n", what, code);
  std::fflush(stderr);
  std::_Exit(code);
}

std::string name_of(int comm, int from, int to, int message) {
  return "message-" + std::to_string(comm) + "-" + std::to_string(from) + "-" + std::to_string(to) +
         "-" + std::to_string(message);
}

int check(int count, Handle type, int peer, int tag, Handle comm, const char* who) {
  const int index = index_of(comm);
  if (index < 0) return fail(kErrComm, who, world().returns_errors);
  const bool returns = at(index).returns_errors;
  if (type != kByte) return fail(kErrType, who, returns);
  if (count < 0) return fail(kErrCount, who, returns);
  if (tag < 0) return fail(kErrTag, who, returns);
  if (peer < 0 || peer >= number("PMI_SIZE")) return fail(kErrRank, who, returns);
  return 0;
}

}  // namespace

extern "C" {

int MPI_Init_thread(int*, char***, int required, int* provided) {
  if (running || required != kThreadMultiple) return fail(kErrOther, "MPI_Init_thread", true);
  running = true;
  *provided = required;
  return 0;
}

int MPI_Initialized(int* flag) {
  *flag = running ? 1 : 0;
  return 0;
}

int MPI_Get_library_version(char* text, int* length) {
  std::strcpy(text, "a stub of the standard ABI, for a launcher of MPICH\n");
  *length = static_cast<int>(std::strlen(text));
  return 0;
}

int MPI_Comm_rank(Handle comm, int* rank) {
  if (index_of(comm) < 0) return fail(kErrComm, "MPI_Comm_rank", false);
  *rank = number("PMI_RANK");
  return 0;
}

int MPI_Comm_size(Handle comm, int* size) {
  if (index_of(comm) < 0) return fail(kErrComm, "MPI_Comm_size", false);
  *size = number("PMI_SIZE");
  return 0;
}

int MPI_Comm_dup(Handle comm, Handle* made) {
  if (index_of(comm) < 0) return fail(kErrComm, "MPI_Comm_dup", false);
  communicators.push_back(new Communicator{at(index_of(comm)).returns_errors, {}, {}});
  *made = handle(reinterpret_cast<std::uintptr_t>(communicators.back()));
  return 0;
}

int MPI_Comm_set_errhandler(Handle comm, Handle handler) {
  const int index = index_of(comm);
  if (index < 0) return fail(kErrComm, "MPI_Comm_set_errhandler", false);
  if (handler != kErrorsReturn) return fail(kErrErrhandler, "MPI_Comm_set_errhandler", false);
  at(index).returns_errors = true;
  return 0;
}

int MPI_Isend(const void* data, int count, Handle type, int to, int tag, Handle comm,
              Handle* made) {
  if (const int error = check(count, type, to, tag, comm, "MPI_Isend"); error != 0) return error;
  const int index = index_of(comm);
  write(name_of(index, number("PMI_RANK"), to, at(index).sent[to]++), data,
        static_cast<std::size_t>(count));
  *made = handle(reinterpret_cast<std::uintptr_t>(new Request{"", nullptr, 0, 0}));
  return 0;
}

int MPI_Irecv(void* to, int count, Handle type, int from, int tag, Handle comm, Handle* made) {
  if (const int error = check(count, type, from, tag, comm, "MPI_Irecv"); error != 0) return error;
  const int index = index_of(comm);
  const std::string file =
      path(name_of(index, from, number("PMI_RANK"), at(index).awaited[from]++));
  *made = handle(reinterpret_cast<std::uintptr_t>(new Request{file, to, count, from}));
  return 0;
}

int MPI_Test(Handle* which, int* done, void* to) {
  Status status{-1, -1, 0, {}};
  *done = 1;
  if (*which != kNoRequest) {
    auto* const request = reinterpret_cast<Request*>(*which);
    if (!request->file.empty()) {
      std::error_code none;
      const auto bytes = std::filesystem::file_size(request->file, none);
      *done = none ? 0 : 1;
      if (none) return 0;
      if (bytes > static_cast<std::uintmax_t>(request->count)) return kErrTruncate;
      std::ifstream(request->file, std::ios::binary)
          .read(static_cast<char*>(request->to), static_cast<std::streamsize>(bytes));
      std::filesystem::remove(request->file);
      status.source = request->from;
      status.tag = 0;
    }
    delete request;
    *which = kNoRequest;
  }
  std::memcpy(to, &status, sizeof status);
  return 0;
}

int MPI_Error_string(int error, char* text, int* length) {
  *length = std::snprintf(text, 512, "standard ABI: error class %d", error);
  return 0;
}

int MPI_Finalize() {
  while (std::getenv("EVENKEEL_TEST_FINALIZE_HANGS") != nullptr)
    std::this_thread::sleep_for(std::chrono::seconds(1));
  write("finalized-" + std::to_string(number("PMI_RANK")), "", 0);
  running = false;
  return 0;
}

int MPI_Abort(Handle comm, int code) {
  if (index_of(comm) < 0) return fail(kErrComm, "MPI_Abort", false);
  write("aborted-" + std::to_string(number("PMI_RANK")) + "-" + std::to_string(code), "", 0);
  std::_Exit(code);
}
}
