// The export list: a table of contents. src/addon/types.ts types it.
#include <napi.h>

#include <exception>
#include <new>
#include <type_traits>

#include "args.h"
#include "exports.h"
#include "stamp.h"

namespace {

using namespace evenkeel::binding;

// What Node calls: a function of exports.h with its exceptions made JavaScript's. A failure to throw
// (the Worker is terminating) has nobody left to hear of it.
template <auto function>
napi_value call(napi_env env, napi_callback_info info) {
  try {
    const Args args(env, info);
    if constexpr (std::is_void_v<decltype(function(args))>) {
      function(args);
      return nullptr;
    } else {
      return function(args);
    }
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

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto* instance = new Instance;
  env.SetInstanceData(instance);
  const struct {
    const char* name;
    napi_callback function;
  } table[] = {
      {"batchNormForward", call<batchnorm_forward>},
      {"batchNormBackward", call<batchnorm_backward>},
      {"batchMoments", call<batch_moments>},
      {"mergeMoments", call<merge_moments>},
      {"finiteMoments", call<finite_moments>},
      {"moveByMoments", call<move_by_moments>},
      {"pack", call<pack>},
      {"unpack", call<unpack>},
      {"startBatchNormForward", call<start_batchnorm_forward>},
      {"startBatchNormBackward", call<start_batchnorm_backward>},
      {"startBatchMoments", call<start_batch_moments>},
      {"startPack", call<start_pack>},
      {"startUnpack", call<start_unpack>},
      {"cancelJob", call<cancel_job>},
      {"matmul", call<matmul>},
      {"columnSums", call<column_sums>},
      {"relu", call<relu>},
      {"reluBackward", call<relu_backward>},
      {"add", call<add>},
      {"multiply", call<multiply>},
      {"scale", call<scale>},
      {"sum", call<sum>},
      {"mean", call<mean>},
      {"dropout", call<dropout>},
      {"uniform", call<uniform>},
      {"randomWords", call<random_words>},
      {"crossEntropy", call<cross_entropy>},
      {"crossEntropyBackward", call<cross_entropy_backward>},
      {"squaredError", call<squared_error>},
      {"meanSquaredError", call<mean_squared_error>},
      {"squaredErrorBackward", call<squared_error_backward>},
      {"sgdStep", call<sgd_step>},
      {"adamStep", call<adam_step>},
      {"prepareLarge", call<prepare_large>},
      {"isa", call<isa>},
      {"availableIsas", call<available_isas>},
      {"selectIsa", call<select_isa>},
      {"threads", call<threads>},
      {"setThreads", call<set_threads>},
      {"configure", call<configure>},
      {"limitCopy", call<limit_copy>},
      {"limitRead", call<limit_read>},
  };
  for (const auto& entry : table) {
    napi_value function = nullptr;
    const napi_status status = napi_create_function(env, entry.name, NAPI_AUTO_LENGTH,
                                                    entry.function, instance, &function);
    NAPI_THROW_IF_FAILED(env, status, exports);
    exports.Set(entry.name, function);
  }
  exports.Set("stamp", stamp(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(evenkeel, init)
