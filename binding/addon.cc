// Makes the exports that exports.inc lists. src/addon/types.ts types them.
#include <napi.h>

#include <exception>
#include <new>
#include <type_traits>

#include "activation.h"
#include "args.h"
#include "arithmetic.h"
#include "batchnorm.h"
#include "call.h"
#include "convolution.h"
#include "elementwise.h"
#include "functions.h"
#include "lengths.h"
#include "linear.h"
#include "loss.h"
#include "losses.h"
#include "moments.h"
#include "optimizer.h"
#include "pairs.h"
#include "passes.h"
#include "pooling.h"
#include "random.h"
#include "reductions.h"
#include "stamp.h"
#include "strided.h"
#include "training.h"

namespace evenkeel::binding {
namespace {

// body() with its exceptions made JavaScript's. A failure to throw (the Worker is terminating) has nobody left
// to hear of it.
template <class Body>
napi_value guarded(napi_env env, const Body& body) {
  try {
    return body();
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "ERR_EVENKEEL_OUT_OF_MEMORY",
                     "evenkeel addon: expected memory for scratch, got none.");
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return nullptr;
}

// What Node calls, for the rows of exports.inc.
template <class Call>
napi_value now(napi_env env, napi_callback_info info) {
  return guarded(env, [&] { return call_now<Call>(Args(env, info)); });
}
template <template <class> class Call>
napi_value now(napi_env env, napi_callback_info info) {
  return guarded(env, [&] { return call_now<Call>(Args(env, info)); });
}
template <class Call>
napi_value later(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    Workspace copies;
    return call_later<Call>(Args(env, info, &copies), copies);
  });
}
template <template <class> class Call>
napi_value later(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    Workspace copies;
    return call_later<Call>(Args(env, info, &copies), copies);
  });
}
template <auto function>
napi_value plain(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Args args(env, info);
    if constexpr (std::is_void_v<decltype(function(args))>) {
      function(args);
      return nullptr;
    } else {
      return function(args);
    }
  });
}

void add(Napi::Object exports, const char* name, napi_callback callback, Instance* instance) {
  napi_value function = nullptr;
  const napi_status status =
      napi_create_function(exports.Env(), name, NAPI_AUTO_LENGTH, callback, instance, &function);
  NAPI_THROW_IF_FAILED_VOID(exports.Env(), status);
  exports.Set(name, function);
}

// src/addon/stale.ts compares it with the package before it makes a call.
Napi::Object stamp(Napi::Env env) {
  Napi::Object stamp = Napi::Object::New(env);
  stamp.Set("version", kVersion);
  stamp.Set("sources", kSources);
#if defined(__clang__)
  stamp.Set("compiler", __VERSION__);
#else
  stamp.Set("compiler", "GCC " __VERSION__);
#endif
  return stamp;
}

Napi::Object make_exports(Napi::Env env, Napi::Object exports) {
  auto* instance = new Instance;
  env.SetInstanceData(instance);
  Napi::Object jobs = Napi::Object::New(env);
#define CALL(name, call)                    \
  add(exports, #name, now<call>, instance); \
  add(jobs, #name, later<call>, instance);
#define FUNCTION(name, function) add(exports, #name, plain<function>, instance);
#include "exports.inc"
#undef CALL
#undef FUNCTION
  exports.Set("jobs", jobs);
  exports.Set("stamp", stamp(env));
  return exports;
}

}  // namespace
}  // namespace evenkeel::binding

using evenkeel::binding::make_exports;
NODE_API_MODULE(evenkeel, make_exports)
