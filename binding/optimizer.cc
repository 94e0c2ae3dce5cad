#include "../native/elementwise.h"
#include "args.h"
#include "exports.h"

namespace evenkeel::binding {

// (parameter, gradient, momentum?, n, lr, momentum, dampening, weightDecay, nesterov, maximize, first)
void sgd_step(const Args& args) {
  args.by_dtype(0, "parameter", [&]<class T>() {
    const std::size_t n = args.size(3, "n");
    const SgdStep step{args.number(4, "lr"),        args.number(5, "momentum"),
                       args.number(6, "dampening"), args.number(7, "weightDecay"),
                       args.flag(8, "nesterov"),    args.flag(9, "maximize"),
                       args.flag(10, "first")};
    T* parameter = args.array<T>(0, "parameter", n);
    const T* gradient = args.array<T>(1, "gradient", n);
    evenkeel::sgd_step(parameter, gradient, args.array_or_null<T>(2, "momentum", n), n, step);
  });
}

// (parameter, gradient, m, v, n, lr, beta1, beta2, eps, weightDecay, biasCorrection1,
//  biasCorrection2Sqrt, decoupled, maximize)
void adam_step(const Args& args) {
  args.by_dtype(0, "parameter", [&]<class T>() {
    const std::size_t n = args.size(4, "n");
    const AdamStep step{args.number(5, "lr"),
                        args.number(6, "beta1"),
                        args.number(7, "beta2"),
                        args.number(8, "eps"),
                        args.number(9, "weightDecay"),
                        args.number(10, "biasCorrection1"),
                        args.number(11, "biasCorrection2Sqrt"),
                        args.flag(12, "decoupled"),
                        args.flag(13, "maximize")};
    T* parameter = args.array<T>(0, "parameter", n);
    const T* gradient = args.array<T>(1, "gradient", n);
    T* m = args.array<T>(2, "m", n);
    evenkeel::adam_step(parameter, gradient, m, args.array<T>(3, "v", n), n, step);
  });
}

}  // namespace evenkeel::binding
