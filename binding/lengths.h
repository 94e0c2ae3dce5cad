// Samples of unequal length in one padded array, and packed behind one another.
#pragma once

#include "../native/batchnorm/lengths.h"

#include <cstdint>
#include <string>

#include "args.h"

namespace evenkeel::binding {

// (x, packed, lengths, n, c, l, unit), lengths whole numbers from 0 to l: asked again here, because they say
// where memory is touched. Of a copy: those of a shared array could change after the check.
template <class T>
struct Padded {
  static constexpr std::size_t kArguments = 7;
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

template <class T>
struct Pack : Padded<T> {
  using Padded<T>::Padded;
  void run(Workspace& workspace) const {
    pack(this->x, this->packed, this->lengths, this->shape, workspace);
  }
};

template <class T>
struct Unpack : Padded<T> {
  using Padded<T>::Padded;
  void run(Workspace& workspace) const {
    unpack(this->packed, this->x, this->lengths, this->shape, workspace);
  }
};

}  // namespace evenkeel::binding
