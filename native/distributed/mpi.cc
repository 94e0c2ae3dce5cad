// Longer than 250 lines because one template has all calls of an MPI, whose constants differ from one MPI to another.
#include "mpi.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>

#ifndef _WIN32
#include <dlfcn.h>
#endif

namespace evenkeel {
namespace {

using Clock = std::chrono::steady_clock;

// A waiting process asks without a pause at first, then lets others have its core in between, then sleeps in between. A
// yield costs nothing where nobody else wants the core; where the process it waits for does, each pause that it does not
// make delays both.
constexpr std::int64_t kSpinMicroseconds = 5, kYieldMicroseconds = 1000, kNapMicroseconds = 20;
// MPI_Finalize may take so long; then this process ends without it. All have said goodbye by then, so nothing is lost.
// MPICH 4.0 between two hosts does hang there: one process waits for the launcher, the other one for a last message of it.
constexpr std::int64_t kFinalizeSeconds = 10;
// A message of MPI has a length of type int.
constexpr std::size_t kLongestPiece = std::size_t{1} << 30;

void* loaded = nullptr;  // never closed: MPI leaves threads and handlers behind

void* symbol(const char* name) {
#ifdef _WIN32
  static_cast<void>(name);
  return nullptr;
#else
  return dlsym(loaded, name);
#endif
}

// What stands for what, where a handle is a Handle.
template <class Handle>
struct Constants {
  Handle world, byte, errors_return;
  int thread_multiple;
};

// The functions, with the types of one interface.
template <class Handle>
struct Functions {
  int (*Init_thread)(int*, char***, int, int*);
  int (*Initialized)(int*);
  int (*Get_library_version)(char*, int*);
  int (*Comm_rank)(Handle, int*);
  int (*Comm_size)(Handle, int*);
  int (*Comm_dup)(Handle, Handle*);
  int (*Comm_set_errhandler)(Handle, Handle);
  int (*Isend)(const void*, int, Handle, int, int, Handle, Handle*);
  int (*Irecv)(void*, int, Handle, int, int, Handle, Handle*);
  int (*Test)(Handle*, int*, void*);
  int (*Error_string)(int, char*, int*);
  int (*Finalize)();
  int (*Abort)(Handle, int);

  // -> the name of one that is missing, or nothing.
  std::string find() {
    std::string missing;
    const auto take = [&](auto& function, const char* name) {
      void* const address = symbol(name);
      if (address == nullptr) missing = name;
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
    };
    take(Init_thread, "MPI_Init_thread");
    take(Initialized, "MPI_Initialized");
    take(Get_library_version, "MPI_Get_library_version");
    take(Comm_rank, "MPI_Comm_rank");
    take(Comm_size, "MPI_Comm_size");
    take(Comm_dup, "MPI_Comm_dup");
    take(Comm_set_errhandler, "MPI_Comm_set_errhandler");
    take(Isend, "MPI_Isend");
    take(Irecv, "MPI_Irecv");
    take(Test, "MPI_Test");
    take(Error_string, "MPI_Error_string");
    take(Finalize, "MPI_Finalize");
    take(Abort, "MPI_Abort");
    return missing;
  }
};

template <class Handle>
class MpiOf final : public Mpi {
 public:
  MpiOf(Constants<Handle> constants, Functions<Handle> functions)
      : constants_(constants), call_(functions) {}

  std::string start() override {
    int running = 0, provided = -1;
    call_.Initialized(&running);
    if (running != 0) return "it is running already";
    int error = call_.Init_thread(nullptr, nullptr, constants_.thread_multiple, &provided);
    if (error != 0) return "MPI_Init_thread failed with code " + std::to_string(error);
    started_ = true;
    call_.Comm_set_errhandler(constants_.world, constants_.errors_return);
    communicators_.resize(2);
    for (Handle& each : communicators_) {
      if (error == 0) error = call_.Comm_dup(constants_.world, &each);
      if (error == 0) error = call_.Comm_set_errhandler(each, constants_.errors_return);
    }
    return error == 0 ? "" : text_of(error);
  }

  std::string version() override {
    std::vector<char> text(8192);  // MPI_MAX_LIBRARY_VERSION_STRING of the longest
    int length = 0;
    call_.Get_library_version(text.data(), &length);
    return std::string(text.data(), std::min(text.size(), static_cast<std::size_t>(length)));
  }

  int rank() override {
    int rank = -1;
    call_.Comm_rank(constants_.world, &rank);
    return rank;
  }

  int size() override {
    int size = 0;
    call_.Comm_size(constants_.world, &size);
    return size;
  }

  int exchange() override {
    const auto free = std::find_if(exchanges_.begin(), exchanges_.end(),
                                   [](const auto& each) { return !each.used; });
    const auto number = static_cast<std::size_t>(free - exchanges_.begin());
    if (number == exchanges_.size()) exchanges_.emplace_back();
    exchanges_[number].used = true;
    return static_cast<int>(number);
  }

  int send(int exchange, int communicator, int peer, int tag, const std::byte* data,
           std::size_t bytes) override {
    return in_pieces(bytes, [&](std::size_t at, int length) {
      Message& message = added(exchange, -1);
      const Handle on = communicators_.at(static_cast<std::size_t>(communicator));
      return call_.Isend(data + at, length, constants_.byte, peer, tag, on, &message.request);
    });
  }

  int receive(int exchange, int communicator, int peer, int tag, std::byte* data,
              std::size_t bytes) override {
    return in_pieces(bytes, [&](std::size_t at, int length) {
      Message& message = added(exchange, peer);
      const Handle on = communicators_.at(static_cast<std::size_t>(communicator));
      return call_.Irecv(data + at, length, constants_.byte, peer, tag, on, &message.request);
    });
  }

  int wait(int exchange, std::int64_t microseconds) override {
    Exchange& waited = exchanges_.at(static_cast<std::size_t>(exchange));
    const Clock::time_point begun = Clock::now();
    for (;;) {
      const int missing = look(waited);
      if (missing == 0) {
        waited.messages.clear();
        waited.used = false;
      }
      if (missing <= 0 || microseconds == 0) return missing;
      const auto waiting =
          std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begun).count();
      if (waiting >= microseconds) return missing;
      if (waiting > kSpinMicroseconds && waiting <= kYieldMicroseconds) {
        std::this_thread::yield();
      } else if (waiting > kYieldMicroseconds) {
        std::this_thread::sleep_for(std::chrono::microseconds(kNapMicroseconds));
      }
    }
  }

  std::vector<int> silent(int exchange) override {
    std::vector<int> ranks;
    for (const Message& each : exchanges_.at(static_cast<std::size_t>(exchange)).messages) {
      if (each.done || each.from < 0) continue;
      if (std::find(ranks.begin(), ranks.end(), each.from) == ranks.end())
        ranks.push_back(each.from);
    }
    return ranks;
  }

  std::string text_of(int error) override {
    std::vector<char> text(1024);  // MPI_MAX_ERROR_STRING is 512 at most
    int length = 0;
    call_.Error_string(error, text.data(), &length);
    return std::string(text.data(), std::min(text.size(), static_cast<std::size_t>(length)));
  }

  void finalize() override {
    if (!std::exchange(started_, false)) return;
    // Leaked on purpose: the thread may outlive this call.
    auto* const finished = new std::atomic<bool>(false);
    std::thread([finished] {
      std::this_thread::sleep_for(std::chrono::seconds(kFinalizeSeconds));
      if (!finished->load()) std::_Exit(0);
    }).detach();
    call_.Finalize();
    finished->store(true);
  }

  void abort(int code) override {
    if (std::exchange(started_, false)) call_.Abort(constants_.world, code);
  }

 private:
  struct Message {
    Handle request{};
    int from = -1;  // -1: it is sent
    bool done = false;
  };
  struct Exchange {
    std::deque<Message> messages;  // whose addresses stay
    bool used = false;
  };

  template <class Start>
  int in_pieces(std::size_t bytes, const Start& start) {
    int error = 0;
    for (std::size_t at = 0; at < bytes && error == 0; at += kLongestPiece) {
      error = start(at, static_cast<int>(std::min(kLongestPiece, bytes - at)));
    }
    return error;
  }

  Message& added(int exchange, int from) {
    Message& message = exchanges_.at(static_cast<std::size_t>(exchange)).messages.emplace_back();
    message.from = from;
    return message;
  }

  int look(Exchange& exchange) {
    int missing = 0;
    for (Message& each : exchange.messages) {
      if (each.done) continue;
      int done = 0;
      alignas(16) std::byte status[256];  // MPI_Status has 20 to 32 bytes
      const int error = call_.Test(&each.request, &done, status);
      if (error != 0) return -error;
      each.done = done != 0;
      if (!each.done) ++missing;
    }
    return missing;
  }

  Constants<Handle> constants_;
  Functions<Handle> call_;
  bool started_ = false;
  std::vector<Handle> communicators_;
  std::deque<Exchange> exchanges_;
};

// Leaked on purpose: exit() must not destroy what MPI may still be asked about.
Mpi* the_one = nullptr;

template <class Handle>
std::string make(Constants<Handle> constants) {
  Functions<Handle> functions{};
  const std::string missing = functions.find();
  if (!missing.empty()) return "it has no " + missing;
  the_one = new MpiOf<Handle>(constants, functions);
  return "";
}

}  // namespace

Mpi* mpi() { return the_one; }

std::string open_mpi(const std::string& library, MpiAbi abi) {
  if (the_one != nullptr) return "another one is loaded already";
#ifdef _WIN32
  static_cast<void>(abi);
  return library + ": MPI is not supported on Windows";
#else
  // Global: Open MPI's plugins look for the library's symbols.
  loaded = dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (loaded == nullptr) {
    const char* const why = dlerror();
    return why == nullptr ? library + ": not found" : why;
  }
  switch (abi) {
    case MpiAbi::open_mpi: {
      void* const world = symbol("ompi_mpi_comm_world");
      void* const byte = symbol("ompi_mpi_byte");
      void* const errors_return = symbol("ompi_mpi_errors_return");
      if (world == nullptr || byte == nullptr || errors_return == nullptr)
        return library + ": it is not Open MPI";
      return make<void*>({world, byte, errors_return, 3});
    }
    case MpiAbi::mpich:
      if (symbol("ompi_mpi_comm_world") != nullptr) return library + ": it is Open MPI, not MPICH";
      return make<int>({0x44000000, 0x4c00010d, 0x54000001, 3});
    case MpiAbi::standard: {
      const auto handle = [](std::uintptr_t value) { return reinterpret_cast<void*>(value); };
      return make<void*>({handle(0x101), handle(0x247), handle(0x142), 4096});
    }
  }
  return library + ": unknown binary interface";
#endif
}

void abort_mpi_at_exit(int code) {
  static std::atomic<int> armed{0};
  if (armed.exchange(code) != 0) return;
  std::atexit([] {
    if (the_one != nullptr) the_one->abort(armed.load());
  });
}

}  // namespace evenkeel
