#include "../native/lengths.h"

#include "args.h"
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

}  // namespace evenkeel::binding
