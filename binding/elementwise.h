// Activations, arithmetic and sums, element by element.
#pragma once

#include "../native/math/elementwise.h"

#include "args.h"

namespace evenkeel::binding {

// (x, y, n)
template <class T>
struct Relu {
  static constexpr std::size_t kArguments = 3;
  std::size_t n;
  const T* x;
  T* y;

  explicit Relu(const Args& args)
      : n(args.size(2, "n")), x(args.array<T>(0, "x", n)), y(args.array<T>(1, "y", n)) {}
  void run() const { relu(x, y, n); }
};

// (a, b, out, n)
template <class T>
struct Binary {
  static constexpr std::size_t kArguments = 4;
  std::size_t n;
  const T *a, *b;
  T* out;

  explicit Binary(const Args& args)
      : n(args.size(3, "n")),
        a(args.array<T>(0, "a", n)),
        b(args.array<T>(1, "b", n)),
        out(args.array<T>(2, "out", n)) {}
};

// (y, dy, dx, n)
template <class T>
struct ReluBackward : Binary<T> {
  using Binary<T>::Binary;
  void run() const { relu_backward(this->a, this->b, this->out, this->n); }
};

template <class T>
struct Add : Binary<T> {
  using Binary<T>::Binary;
  void run() const { add(this->a, this->b, this->out, this->n); }
};

template <class T>
struct Multiply : Binary<T> {
  using Binary<T>::Binary;
  void run() const { multiply(this->a, this->b, this->out, this->n); }
};

// (x, factor, out, n)
template <class T>
struct Scale {
  static constexpr std::size_t kArguments = 4;
  std::size_t n;
  double factor;
  const T* x;
  T* out;

  explicit Scale(const Args& args)
      : n(args.size(3, "n")),
        factor(args.number(1, "factor")),
        x(args.array<T>(0, "x", n)),
        out(args.array<T>(2, "out", n)) {}
  void run() const { scale(x, factor, out, n); }
};

// (x, n)
template <class T>
struct Reduction {
  static constexpr std::size_t kArguments = 2;
  std::size_t n;
  const T* x;

  explicit Reduction(const Args& args) : n(args.size(1, "n")), x(args.array<T>(0, "x", n)) {}
};

// -> number
template <class T>
struct Sum : Reduction<T> {
  using Reduction<T>::Reduction;
  double run(Workspace& workspace) const { return sum(this->x, this->n, workspace); }
};

// -> number
template <class T>
struct Mean : Reduction<T> {
  using Reduction<T>::Reduction;
  double run(Workspace& workspace) const { return mean(this->x, this->n, workspace); }
};

}  // namespace evenkeel::binding
