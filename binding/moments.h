// The statistics of a batch apart from its normalisation. Moments are 4 * C doubles (native/batchnorm/moments.h).
#pragma once

#include "../native/batchnorm/moments.h"

#include "args.h"
#include "batchnorm.h"

namespace evenkeel::binding {

// (x, moments, n, c, l)
template <class T>
struct BatchMoments {
  static constexpr std::size_t kArguments = 5;
  BatchShape shape;
  const T* x;
  double* moments;

  explicit BatchMoments(const Args& args) : shape(shape_at(args, 2, 3, 4)) {
    x = args.array<T>(0, "x", elements_of(args, shape));
    moments = args.array<double>(1, "moments", args.product(4, shape.c));
  }
  void run(Workspace& workspace) const { batch_moments(shape, x, moments, workspace); }
};

// (x, shift, sums, n, c, l): sums [2, C], sum (x - shift) and sum (x - shift)^2, of samples that are a part of a batch.
template <class T>
struct BatchSums {
  static constexpr std::size_t kArguments = 6;
  BatchShape shape;
  const T *x, *shift;
  double* sums;

  explicit BatchSums(const Args& args) : shape(shape_at(args, 3, 4, 5)) {
    x = args.array<T>(0, "x", elements_of(args, shape));
    shift = args.array<T>(1, "shift", shape.c);
    sums = args.array<double>(2, "sums", args.product(2, shape.c));
  }
  void run(Workspace& workspace) const { batch_sums(shape, x, shift, sums, workspace); }
};

// (x, shift, n, c, l): the shift of a batch that begins with these samples.
template <class T>
struct FirstShift {
  static constexpr std::size_t kArguments = 5;
  BatchShape shape;
  const T* x;
  T* shift;

  explicit FirstShift(const Args& args) : shape(shape_at(args, 2, 3, 4)) {
    const std::size_t elements = elements_of(args, shape);
    x = args.array<T>(0, "x", elements);
    shift = args.array<T>(1, "shift", shape.c);
    if (elements == 0) args.fail("x", "at least one sample", "none");
  }
  void run() const { first_shift(shape, x, shift); }
};

// (shift, sums, moments, count, c)
template <class T>
struct MomentsOfSums {
  static constexpr std::size_t kArguments = 5;
  std::size_t channels;
  const T* shift;
  const double* sums;
  double *moments, count;

  explicit MomentsOfSums(const Args& args) : channels(args.size(4, "c")) {
    shift = args.array<T>(0, "shift", channels);
    sums = args.array<double>(1, "sums", args.product(2, channels));
    moments = args.array<double>(2, "moments", args.product(4, channels));
    count = args.number(3, "count");
  }
  void run() const { moments_of_sums(shift, sums, count, moments, channels); }
};

// (into, count, from, more, c)
struct MergeMoments {
  static constexpr std::size_t kArguments = 5;
  std::size_t channels;
  double *into, count;
  const double* from;
  double more;

  explicit MergeMoments(const Args& args) : channels(args.size(4, "c")) {
    const std::size_t length = args.product(4, channels);
    into = args.array<double>(0, "into", length);
    count = args.number(1, "count");
    from = args.array<double>(2, "from", length);
    more = args.number(3, "more");
  }
  void run() const { merge_moments(into, count, from, more, channels); }
};

// (moments, count, c, float64) -> boolean
struct FiniteMoments {
  static constexpr std::size_t kArguments = 4;
  std::size_t channels;
  const double* moments;
  double count;
  bool float64;

  explicit FiniteMoments(const Args& args) : channels(args.size(2, "c")) {
    moments = args.array<double>(0, "moments", args.product(4, channels));
    count = args.number(1, "count");
    float64 = args.flag(3, "float64");
  }
  bool run() const {
    return float64 ? finite_moments<double>(moments, count, channels)
                   : finite_moments<float>(moments, count, channels);
  }
};

// (runningMean, runningVar, moments, count, momentum, c)
template <class T>
struct MoveByMoments {
  static constexpr std::size_t kArguments = 6;
  std::size_t channels;
  T *running_mean, *running_var;
  const double* moments;
  double count, momentum;

  explicit MoveByMoments(const Args& args) : channels(args.size(5, "c")) {
    running_mean = args.array<T>(0, "runningMean", channels);
    running_var = args.array<T>(1, "runningVar", channels);
    moments = args.array<double>(2, "moments", args.product(4, channels));
    count = args.number(3, "count");
    momentum = args.number(4, "momentum");
  }
  void run() const {
    move_by_moments(running_mean, running_var, moments, count, momentum, channels);
  }
};

}  // namespace evenkeel::binding
