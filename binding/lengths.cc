#include "../native/lengths.h"

#include <vector>

#include "args.h"
#include "async.h"
#include "exports.h"

namespace evenkeel::binding {
namespace {

// (x, packed, lengths, n, c, l, unit), lengths whole numbers from 0 to l: asked again here, because they say
// where memory is touched. Of a copy: those of a shared array could change after the check.
template <class T>
struct Padded {
  PaddedShape shape;
  const std::int32_t* lengths;
  T* x;
  T* packed;

  explicit Padded(const Args& args)
      : shape{args.size(3, "n"), args.size(4, "c"), args.size(5, "l"), args.size(6, "unit")},
        lengths(args.copied<std::int32_t>(2, "lengths", shape.n)) {
    std::size_t steps = 0;
    for (std::size_t i = 0; i < shape.n; ++i) {
      if (lengths[i] < 0 || static_cast<std::size_t>(lengths[i]) > shape.l) {
        args.fail("lengths", "whole numbers from 0 to l", std::to_string(lengths[i]));
      }
      steps += static_cast<std::size_t>(lengths[i]);
    }
    const std::size_t row = args.product(shape.c, shape.unit);
    x = args.array<T>(0, "x", args.product(args.product(shape.n, shape.l), row));
    packed = args.array<T>(1, "packed", args.product(steps, row));
  }
};

// The same for a job, which outlives this call's copy of the lengths.
template <class T>
struct PaddedLater : Padded<T> {
  std::vector<std::int32_t> kept;

  explicit PaddedLater(const Args& args)
      : Padded<T>(args), kept(this->lengths, this->lengths + this->shape.n) {}
};

}  // namespace

void pack(const Args& args) {
  args.by_dtype(0, "x", [&]<class T>() {
    const Padded<T> call(args);
    evenkeel::pack(call.x, call.packed, call.lengths, call.shape, args.workspace());
  });
}

void unpack(const Args& args) {
  args.by_dtype(0, "x", [&]<class T>() {
    const Padded<T> call(args);
    evenkeel::unpack(call.packed, call.x, call.lengths, call.shape, args.workspace());
  });
}

// (…, ticket) -> promise
Napi::Value start_pack(const Args& args) {
  return args.by_dtype(0, "x", [&]<class T>() {
    return start(args, 7, [call = PaddedLater<T>(args)](Workspace& workspace) {
      evenkeel::pack(call.x, call.packed, call.kept.data(), call.shape, workspace);
    });
  });
}

Napi::Value start_unpack(const Args& args) {
  return args.by_dtype(0, "x", [&]<class T>() {
    return start(args, 7, [call = PaddedLater<T>(args)](Workspace& workspace) {
      evenkeel::unpack(call.packed, call.x, call.kept.data(), call.shape, workspace);
    });
  });
}

}  // namespace evenkeel::binding
