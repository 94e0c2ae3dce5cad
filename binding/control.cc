// Which kernels run, on how many threads. Both belong to the process, not to one environment.
#include <mutex>
#include <string>

#include "../native/kernels/dispatch.h"
#include "../native/runtime/parallel.h"
#include "args.h"
#include "functions.h"

namespace evenkeel::binding {

Napi::Value isa(const Args& args) { return Napi::String::New(args.env(), kernels().name); }

Napi::Value available_isas(const Args& args) {
  Napi::Array names = Napi::Array::New(args.env());
  std::uint32_t index = 0;
  for (const Kernels* isa : evenkeel::available_isas()) names.Set(index++, isa->name);
  return names;
}

// (name) -> whether it took
Napi::Value select_isa(const Args& args) {
  return Napi::Boolean::New(args.env(), evenkeel::select_isa(args.text(0, "isa")));
}

Napi::Value threads(const Args& args) {
  return Napi::Number::New(args.env(), static_cast<double>(thread_count()));
}

void set_threads(const Args& args) { set_thread_count(args.size(0, "threads")); }

// (microseconds): the pool's threads, where they are awake, stay so for as long
void hold_threads(const Args& args) { hold_workers(args.size(0, "microseconds")); }

// (isa or '', threads or 0): what the environment variables ask for. Once a process, by whoever loads the
// package first: a Worker that loads it later must not undo what has been chosen since.
void configure(const Args& args) {
  const std::string name = args.text(0, "isa");
  const std::size_t count = args.size(1, "threads");
  static std::once_flag configured;
  std::call_once(configured, [&] {
    if (!name.empty()) evenkeel::select_isa(name);
    if (count > 0) set_thread_count(count);
  });
}

}  // namespace evenkeel::binding
