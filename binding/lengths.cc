#include "../native/lengths.h"

#include <vector>

#include "args.h"
#include "async.h"
#include "exports.h"

namespace evenkeel::binding {
namespace {

struct Padded {
  PaddedShape shape;
  const std::int32_t* lengths;
  std::size_t elements, packed;
};

// (x, packed, lengths, n, c, l, unit), lengths whole numbers from 0 to l: asked again here, because
// they say where memory is touched.
Padded padded(const Args& args) {
  const PaddedShape shape{args.size(3, "n"), args.size(4, "c"), args.size(5, "l"),
                          args.size(6, "unit")};
  const std::int32_t* lengths = args.array<std::int32_t>(2, "lengths", shape.n);
  std::size_t steps = 0;
  for (std::size_t i = 0; i < shape.n; ++i) {
    if (lengths[i] < 0 || static_cast<std::size_t>(lengths[i]) > shape.l) {
      args.fail("lengths", "whole numbers from 0 to l", std::to_string(lengths[i]));
    }
    steps += static_cast<std::size_t>(lengths[i]);
  }
  const std::size_t row = args.product(shape.c, shape.unit);
  return {shape, lengths, args.product(args.product(shape.n, shape.l), row),
          args.product(steps, row)};
}

// The lengths are copied: they say where memory is touched, and what is read later may have changed.
template <class T>
struct Unpadding {
  PaddedShape shape;
  std::vector<std::int32_t> lengths;
  T* x;
  T* packed;

  explicit Unpadding(const Args& args) {
    const Padded call = padded(args);
    shape = call.shape;
    lengths.assign(call.lengths, call.lengths + shape.n);
    x = args.array<T>(0, "x", call.elements);
    packed = args.array<T>(1, "packed", call.packed);
  }
};

}  // namespace

void pack(const Args& args) {
  args.by_dtype(0, "x", [&]<class T>() {
    const Padded call = padded(args);
    evenkeel::pack(args.array<T>(0, "x", call.elements), args.array<T>(1, "packed", call.packed),
                   call.lengths, call.shape, args.workspace());
  });
}

void unpack(const Args& args) {
  args.by_dtype(0, "x", [&]<class T>() {
    const Padded call = padded(args);
    evenkeel::unpack(args.array<T>(1, "packed", call.packed), args.array<T>(0, "x", call.elements),
                     call.lengths, call.shape, args.workspace());
  });
}

// (…, ticket) -> promise
Napi::Value start_pack(const Args& args) {
  return args.by_dtype(0, "x", [&]<class T>() {
    return start(args, 7, [call = Unpadding<T>(args)](Workspace& workspace) {
      evenkeel::pack(call.x, call.packed, call.lengths.data(), call.shape, workspace);
    });
  });
}

Napi::Value start_unpack(const Args& args) {
  return args.by_dtype(0, "x", [&]<class T>() {
    return start(args, 7, [call = Unpadding<T>(args)](Workspace& workspace) {
      evenkeel::unpack(call.packed, call.x, call.lengths.data(), call.shape, workspace);
    });
  });
}

}  // namespace evenkeel::binding
