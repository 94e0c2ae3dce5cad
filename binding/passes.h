// Batch normalisation pass by pass, for a batch that lies in several places. Its moments are those of batchMoments,
// merged by mergeMoments, or, with the bits of one place, those of batchSums, added in order (moments.h).
#pragma once

#include "args.h"
#include "batchnorm.h"

namespace evenkeel::binding {

// (x, y, n, c, l, weight?, bias?, moments, saved?, eps, relu): y as batchNormForward writes it, from the statistics in
// moments [4, C]; saved is [3, C]: mean, residual, invstd.
template <class T>
struct NormalizeByMoments {
  static constexpr std::size_t kArguments = 11;
  BatchNormForward<T> call{};

  explicit NormalizeByMoments(const Args& args) {
    call.shape = shape_at(args, 2, 3, 4);
    const std::size_t elements = elements_of(args, call.shape), channels = call.shape.c;
    call.statistics = Statistics::given;
    call.eps = args.number(9, "eps");
    call.relu = args.flag(10, "relu");
    call.x = args.array<T>(0, "x", elements);
    call.y = args.array<T>(1, "y", elements);
    call.weight = args.array_or_null<T>(5, "weight", channels);
    call.bias = args.array_or_null<T>(6, "bias", channels);
    call.moments = args.array<double>(7, "moments", args.product(4, channels));
    call.saved = args.array_or_null<double>(8, "saved", args.product(3, channels));
  }
  void run(Workspace& workspace) const { batchnorm_forward(call, workspace); }
};

// (x, dy?, dyValue, n, c, l, weight?, bias?, saved, sums, dweight?, dbias?, relu): sums [2, C], dweight and dbias of
// these values alone.
template <class T>
struct GradientSums {
  static constexpr std::size_t kArguments = 13;
  BatchNormBackward<T> call{};

  explicit GradientSums(const Args& args) {
    call.shape = shape_at(args, 3, 4, 5);
    const std::size_t elements = elements_of(args, call.shape), channels = call.shape.c;
    call.passes = Passes::sums;
    call.statistics = Statistics::given;
    call.relu = args.flag(12, "relu");
    call.x = args.array<T>(0, "x", elements);
    call.dy = args.array_or_null<T>(1, "dy", elements);
    call.dy_value = static_cast<T>(args.number(2, "dyValue"));
    call.weight = args.array_or_null<T>(6, "weight", channels);
    call.bias = args.array_or_null<T>(7, "bias", channels);
    call.saved = args.array<double>(8, "saved", args.product(3, channels));
    call.sums = args.array<double>(9, "sums", args.product(2, channels));
    call.dweight = args.array_or_null<T>(10, "dweight", channels);
    call.dbias = args.array_or_null<T>(11, "dbias", channels);
  }
  void run(Workspace& workspace) const { batchnorm_backward(call, workspace); }
};

// (x, dy?, dyValue, n, c, l, weight?, bias?, saved, sums, count, dx?, dweight?, dbias?, relu): dx of these values, and
// dweight and dbias of all, from the sums of all `count` values a channel.
template <class T>
struct GradientBySums {
  static constexpr std::size_t kArguments = 15;
  BatchNormBackward<T> call{};

  explicit GradientBySums(const Args& args) {
    call.shape = shape_at(args, 3, 4, 5);
    const std::size_t elements = elements_of(args, call.shape), channels = call.shape.c;
    call.passes = Passes::by_sums;
    call.statistics = Statistics::given;
    call.count = args.number(10, "count");
    call.relu = args.flag(14, "relu");
    call.x = args.array<T>(0, "x", elements);
    call.dy = args.array_or_null<T>(1, "dy", elements);
    call.dy_value = static_cast<T>(args.number(2, "dyValue"));
    call.weight = args.array_or_null<T>(6, "weight", channels);
    call.bias = args.array_or_null<T>(7, "bias", channels);
    call.saved = args.array<double>(8, "saved", args.product(3, channels));
    call.sums = args.array<double>(9, "sums", args.product(2, channels));
    call.dx = args.array_or_null<T>(11, "dx", elements);
    call.dweight = args.array_or_null<T>(12, "dweight", channels);
    call.dbias = args.array_or_null<T>(13, "dbias", channels);
  }
  void run(Workspace& workspace) const { batchnorm_backward(call, workspace); }
};

}  // namespace evenkeel::binding
