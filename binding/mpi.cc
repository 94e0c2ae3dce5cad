// MPI for JavaScript: native/distributed/mpi.h, call by call. All of it runs now, on the thread that calls; there is
// one MPI for the process, so only its main thread is to use it (src/distributed/mpi/).
#include "../native/distributed/mpi.h"

#include <algorithm>
#include <limits>
#include <string>

#include "args.h"
#include "functions.h"

namespace evenkeel::binding {
namespace {

Mpi& running(const Args& args) {
  Mpi* const it = mpi();
  if (it == nullptr) throw Napi::Error::New(args.env(), "evenkeel addon: no MPI has been opened.");
  return *it;
}

void check(const Args& args, int error) {
  if (error == 0) return;
  throw Napi::Error::New(args.env(), "MPI: " + running(args).text_of(error));
}

// The bytes that a message goes from or to: (…, bytes: Uint8Array, begin, end) from argument `at` on.
struct Bytes {
  std::byte* data;
  std::size_t size;

  Bytes(const Args& args, Args::Slot at, Args::Slot begin_at, Args::Slot end_at) {
    const Napi::Value value(args.env(), args.value(at));
    if (!value.IsTypedArray()) args.fail("bytes", "a Uint8Array", "something else");
    const auto array = value.As<Napi::TypedArray>();
    if (array.TypedArrayType() != napi_uint8_array) args.fail("bytes", "a Uint8Array", "another");
    auto bytes = value.As<Napi::Uint8Array>();
    const std::size_t begin = args.size(begin_at, "begin"), end = args.size(end_at, "end");
    if (begin > end || end > bytes.ElementLength())
      args.fail("end", "a place in the array behind begin", std::to_string(end));
    data = reinterpret_cast<std::byte*>(bytes.Data()) + begin;
    size = end - begin;
  }
};

int index(const Args& args, Args::Slot at, const char* name) { return args.int32(at, name); }

}  // namespace

// (library, abi: 0 Open MPI, 1 MPICH, 2 the standard one) -> why it did not, or ''
Napi::Value mpi_open(const Args& args) {
  const std::string library = args.text(0, "library");
  const int abi = index(args, 1, "abi");
  if (abi < 0 || abi > 2) args.fail("abi", "0, 1 or 2", std::to_string(abi));
  return Napi::String::New(args.env(), open_mpi(library, static_cast<MpiAbi>(abi)));
}

// () -> why it did not, or ''
Napi::Value mpi_start(const Args& args) {
  return Napi::String::New(args.env(), running(args).start());
}

Napi::Value mpi_version(const Args& args) {
  return Napi::String::New(args.env(), running(args).version());
}

Napi::Value mpi_rank(const Args& args) {
  return Napi::Number::New(args.env(), running(args).rank());
}

Napi::Value mpi_size(const Args& args) {
  return Napi::Number::New(args.env(), running(args).size());
}

// () -> its number
Napi::Value mpi_exchange(const Args& args) {
  return Napi::Number::New(args.env(), running(args).exchange());
}

// (exchange, communicator, peer, tag, bytes, begin, end)
void mpi_send(const Args& args) {
  const Bytes bytes(args, 4, 5, 6);
  check(args,
        running(args).send(index(args, 0, "exchange"), index(args, 1, "communicator"),
                           index(args, 2, "peer"), index(args, 3, "tag"), bytes.data, bytes.size));
}

// (exchange, communicator, peer, tag, bytes, begin, end)
void mpi_receive(const Args& args) {
  const Bytes bytes(args, 4, 5, 6);
  check(args, running(args).receive(index(args, 0, "exchange"), index(args, 1, "communicator"),
                                    index(args, 2, "peer"), index(args, 3, "tag"), bytes.data,
                                    bytes.size));
}

// (exchange, microseconds) -> how many messages are missing; once 0, the number may be another exchange's
Napi::Value mpi_wait(const Args& args) {
  const double most = static_cast<double>(std::numeric_limits<std::int64_t>::max() / 2);
  const double microseconds = std::min(args.number(1, "microseconds"), most);
  const int missing = running(args).wait(index(args, 0, "exchange"),
                                         static_cast<std::int64_t>(std::max(0.0, microseconds)));
  if (missing < 0) check(args, -missing);
  return Napi::Number::New(args.env(), missing);
}

// (exchange) -> the ranks from which something is missing
Napi::Value mpi_silent(const Args& args) {
  Napi::Array ranks = Napi::Array::New(args.env());
  std::uint32_t next = 0;
  for (const int rank : running(args).silent(index(args, 0, "exchange"))) ranks.Set(next++, rank);
  return ranks;
}

void mpi_finalize(const Args&) {
  if (mpi() != nullptr) mpi()->finalize();
}

// (code): once the process exits, after all that is still to be printed
void mpi_abort_at_exit(const Args& args) { abort_mpi_at_exit(index(args, 0, "code")); }

}  // namespace evenkeel::binding
