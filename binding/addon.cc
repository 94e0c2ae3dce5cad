// The export list: a table of contents. src/native.ts types it.
#include <napi.h>

#include "args.h"
#include "exports.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  using namespace evenkeel::binding;
  env.SetInstanceData(new Instance);
  const struct {
    const char* name;
    Napi::Value (*function)(const Napi::CallbackInfo&);
  } table[] = {
      {"batchNormForward", batchnorm_forward},
      {"batchNormBackward", batchnorm_backward},
      {"matmul", matmul},
      {"columnSums", column_sums},
      {"relu", relu},
      {"reluBackward", relu_backward},
      {"add", add},
      {"multiply", multiply},
      {"scale", scale},
      {"sum", sum},
      {"dropout", dropout},
      {"uniform", uniform},
      {"randomWords", random_words},
      {"crossEntropy", cross_entropy},
      {"crossEntropyBackward", cross_entropy_backward},
      {"squaredError", squared_error},
      {"squaredErrorBackward", squared_error_backward},
      {"sgdStep", sgd_step},
      {"adamStep", adam_step},
      {"preferHugePages", prefer_huge_pages},
      {"isa", isa},
      {"availableIsas", available_isas},
      {"selectIsa", select_isa},
      {"threads", threads},
      {"setThreads", set_threads},
      {"limitCopy", limit_copy},
      {"limitRead", limit_read},
  };
  for (const auto& entry : table) {
    exports.Set(entry.name, Napi::Function::New(env, entry.function, entry.name));
  }
  return exports;
}

}  // namespace

NODE_API_MODULE(evenkeel, init)
