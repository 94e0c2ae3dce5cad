// A call of the kernels, from JavaScript's arguments to its result, and the two exports that are made of it.
// A call is a struct, or a class template over the element type of its first argument:
//
//   struct Example {
//     static constexpr std::size_t kArguments = 2;  // how many it takes
//     explicit Example(const Args& args);  // reads all of them and checks memory facts (args.h)
//     const char* shared() const;          // optional: the name of a written operand that shares the memory
//                                          // of another one, or null; no such call is run
//     double run() const;                  // the work: void, bool or double; run(Workspace&) if it needs one
//   };
//
// After the constructor it is plain data: pointers, sizes, flags. So it can run later, on another thread.
#pragma once

#include <napi.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "args.h"
#include "async.h"

namespace evenkeel::binding {

template <class Call>
auto run(const Call& call, Workspace& workspace) {
  if constexpr (requires { call.run(workspace); }) {
    return call.run(workspace);
  } else {
    return call.run();
  }
}
template <class Call>
using ResultOf = decltype(run(std::declval<const Call&>(), std::declval<Workspace&>()));

template <class Call>
const char* shared_by(const Call& call) {
  if constexpr (requires { call.shared(); }) {
    return call.shared();
  } else {
    return nullptr;
  }
}

inline napi_value to_value(napi_env env, double result) {
  napi_value value = nullptr;
  napi_create_double(env, result, &value);
  return value;
}
inline napi_value to_value(napi_env env, bool result) {
  napi_value value = nullptr;
  napi_get_boolean(env, result, &value);
  return value;
}
inline napi_value to_value(napi_env env, const char* result) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, result, NAPI_AUTO_LENGTH, &value);
  return value;
}

// Runs a call at once -> its result, or the name of an operand that shares memory: then nothing has been
// done. That is asked here, where the addresses are: `buffer` costs JavaScript 18 ns a time.
template <class Call>
napi_value call_now(const Args& args) {
  args.expect_count(Call::kArguments);
  const Call call(args);
  if (const char* shared = shared_by(call); shared != nullptr) return to_value(args.env(), shared);
  if constexpr (std::is_void_v<ResultOf<Call>>) {
    run(call, args.workspace());
    return nullptr;
  } else {
    return to_value(args.env(), run(call, args.workspace()));
  }
}
template <template <class> class Call>
napi_value call_now(const Args& args) {
  return args.by_dtype([&]<class T>() { return call_now<Call<T>>(args); });
}

// A call as a job, with the copies its arguments were read into.
template <class Call>
class JobOf final : public PendingCall {
 public:
  JobOf(double ticket, Call call, Workspace copies)
      : PendingCall(ticket), call_(std::move(call)), copies_(std::move(copies)) {}

  void run(Workspace& workspace) override {
    if constexpr (std::is_void_v<ResultOf<Call>>) {
      binding::run(call_, workspace);
    } else {
      result_ = binding::run(call_, workspace);
    }
  }

  napi_value result(napi_env env) const override {
    if constexpr (std::is_void_v<ResultOf<Call>>) {
      return to_value(env, "done");
    } else {
      return to_value(env, result_);
    }
  }

 private:
  struct Nothing {};
  using Result = std::conditional_t<std::is_void_v<ResultOf<Call>>, Nothing, ResultOf<Call>>;

  Call call_;
  Workspace copies_;
  Result result_{};
};

// Starts a call as a job: its arguments are read and checked here and now. Behind them the ticket that names
// it to cancelJob(). -> a promise (async.h)
template <class Call>
napi_value call_later(const Args& args, Workspace& copies) {
  static_assert(Call::kArguments < Args::kMost, "a job's ticket needs a slot of Args");
  args.expect_count(Call::kArguments + 1);
  const double ticket = args.number(Call::kArguments, "ticket");
  Call call(args);
  if (const char* shared = shared_by(call); shared != nullptr) {
    args.fail(shared, "memory of its own", "another operand's");
  }
  return start(args, std::make_unique<JobOf<Call>>(ticket, std::move(call), std::move(copies)));
}
template <template <class> class Call>
napi_value call_later(const Args& args, Workspace& copies) {
  return args.by_dtype([&]<class T>() { return call_later<Call<T>>(args, copies); });
}

}  // namespace evenkeel::binding
