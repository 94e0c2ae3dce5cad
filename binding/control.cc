// Which kernels run, on how many threads. Both belong to the process, not to one environment.
#include "../native/dispatch.h"
#include "../native/parallel.h"
#include "args.h"
#include "exports.h"

namespace evenkeel::binding {

Napi::Value isa(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), kernels().name);
}

Napi::Value available_isas(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  std::uint32_t index = 0;
  for (const Kernels* family : available_families()) names.Set(index++, family->name);
  return names;
}

// (name) -> whether it took
Napi::Value select_isa(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), select_family(Args(info).text(0, "isa")));
}

Napi::Value threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(thread_count()));
}

Napi::Value set_threads(const Napi::CallbackInfo& info) {
  set_thread_count(Args(info).size(0, "threads"));
  return info.Env().Undefined();
}

}  // namespace evenkeel::binding
