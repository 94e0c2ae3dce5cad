#include "../native/moments.h"

#include "args.h"
#include "async.h"
#include "exports.h"

namespace evenkeel::binding {

namespace {

template <class T>
struct BatchMoments {
  BatchShape shape;
  const T* x;
  double* moments;

  explicit BatchMoments(const Args& args)
      : shape{args.size(2, "n"), args.size(3, "c"), args.size(4, "l")} {
    x = args.array<T>(0, "x", args.product(args.product(shape.n, shape.c), shape.l));
    moments = args.array<double>(1, "moments", args.product(4, shape.c));
  }
  void operator()(Workspace& workspace) const {
    evenkeel::batch_moments(shape, x, moments, workspace);
  }
};

}  // namespace

// (x, moments, n, c, l)
void batch_moments(const Args& args) {
  args.by_dtype(0, "x", [&]<class T>() {
    const BatchMoments<T> call(args);
    call(args.workspace());
  });
}

// (…, ticket) -> promise
Napi::Value start_batch_moments(const Args& args) {
  return args.by_dtype(0, "x", [&]<class T>() { return start(args, 5, BatchMoments<T>(args)); });
}

// (into, count, from, more, c)
void merge_moments(const Args& args) {
  const std::size_t channels = args.size(4, "c"), length = args.product(4, channels);
  evenkeel::merge_moments(args.array<double>(0, "into", length), args.number(1, "count"),
                          args.array<double>(2, "from", length), args.number(3, "more"), channels);
}

// (moments, count, c, float64) -> boolean
Napi::Value finite_moments(const Args& args) {
  const std::size_t channels = args.size(2, "c");
  const double* moments = args.array<double>(0, "moments", args.product(4, channels));
  const double count = args.number(1, "count");
  const bool finite = args.flag(3, "float64")
                          ? evenkeel::finite_moments<double>(moments, count, channels)
                          : evenkeel::finite_moments<float>(moments, count, channels);
  return Napi::Boolean::New(args.env(), finite);
}

// (runningMean, runningVar, moments, count, momentum, c)
void move_by_moments(const Args& args) {
  args.by_dtype(0, "runningMean", [&]<class T>() {
    const std::size_t channels = args.size(5, "c");
    evenkeel::move_by_moments(args.array<T>(0, "runningMean", channels),
                              args.array<T>(1, "runningVar", channels),
                              args.array<double>(2, "moments", args.product(4, channels)),
                              args.number(3, "count"), args.number(4, "momentum"), channels);
  });
}

}  // namespace evenkeel::binding
