// JavaScript value -> plain view, or an error that names the argument. Memory facts only: element
// type, exact length, attached. The meaning was checked, with words, in src/check/.
// Longer than 250 lines because one class reads every argument, and templates have to stand in a header.
#pragma once

#include <napi.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../native/runtime/workspace.h"

namespace evenkeel::binding {

// What reads one argument is inlined into every call: the training forward reads 15 (320 ns; 345 out of line).
#if defined(__GNUC__)
#define EVENKEEL_READER __attribute__((always_inline)) inline
#else
#define EVENKEEL_READER
#endif

class AsyncCalls;

// What one environment (the main thread, or a Worker) owns.
struct Instance {
  Workspace workspace;
  Workspace copies;             // a call's copies of values that select memory (Args::copied)
  std::vector<napi_ref> weak;   // by slot (memory.cc); Node deletes them with the environment
  AsyncCalls* async = nullptr;  // from its first asynchronous call to its end (async.cc)
};

template <class T>
struct ElementType;
template <>
struct ElementType<float> {
  static constexpr napi_typedarray_type value = napi_float32_array;
  static constexpr const char* name = "Float32Array";
};
template <>
struct ElementType<double> {
  static constexpr napi_typedarray_type value = napi_float64_array;
  static constexpr const char* name = "Float64Array";
};
template <>
struct ElementType<std::int32_t> {
  static constexpr napi_typedarray_type value = napi_int32_array;
  static constexpr const char* name = "Int32Array";
};
template <>
struct ElementType<std::int64_t> {
  static constexpr napi_typedarray_type value = napi_bigint64_array;
  static constexpr const char* name = "BigInt64Array";
};
template <>
struct ElementType<std::uint32_t> {
  static constexpr napi_typedarray_type value = napi_uint32_array;
  static constexpr const char* name = "Uint32Array";
};

// The arguments of one call. Raw Node-API: each value is read in one call that checks its kind on the
// way, where node-addon-api asks for the kind first (a training forward has 15 arguments, and
// a ticket where it is a job).
class Args {
 public:
  static constexpr std::size_t kMost = 20;

  // The number of an argument. Beyond the last slot it does not compile: an export that takes one argument
  // more than kMost would read past values_.
  class Slot {
   public:
    consteval Slot(std::size_t index) : index_(index) {  // NOLINT: numbers are slots
      if (index >= kMost) throw "an argument beyond Args::kMost";
    }
    constexpr operator std::size_t() const { return index_; }

   private:
    std::size_t index_;
  };

  // Arguments that the caller left out are undefined. `copies` is where copied() puts a job's copies; those of
  // a call that runs now are good until the next one.
  Args(napi_env env, napi_callback_info info, Workspace* copies = nullptr)
      : env_(env), count_(kMost), copies_(copies) {
    void* instance = nullptr;
    napi_get_cb_info(env, info, &count_, values_, nullptr, &instance);
    instance_ = static_cast<Instance*>(instance);
    first_ = read_view(0);
  }

  // Whether the caller and this addon are of one mind about how many arguments there are.
  void expect_count(std::size_t count) const {
    if (count_ != count) fail_count(count);
  }

  Napi::Env env() const { return env_; }

  Instance& instance() const { return *instance_; }

  // As it was passed.
  napi_value value(Slot index) const { return values_[index]; }

  Workspace& workspace() const { return instance_->workspace; }

  // each(index, value), for those that are arrays.
  template <class Each>
  void for_arrays(const Each& each) const {
    for (std::uint32_t i = 0; i < kMost; ++i) {
      bool yes = false;
      if (napi_is_typedarray(env_, values_[i], &yes) == napi_ok && yes) each(i, values_[i]);
    }
  }

  // Exactly `length` elements of T. No call that reads an argument runs JavaScript (none converts), so
  // nothing can detach or shrink a buffer between this and the kernel.
  template <class T>
  T* array(Slot index, const char* name, std::size_t length) const {
    const View view = view_at(index);
    if (view.type != ElementType<T>::value) fail_kind(name, ElementType<T>::name);
    return checked<T>(view, name, length);
  }

  // Whether the argument is an array of T.
  template <class T>
  bool is(Slot index) const {
    return view_at(index).type == ElementType<T>::value;
  }

  // The same, or nullptr where the argument is null. Most are arrays, so null is asked about last.
  template <class T>
  T* array_or_null(Slot index, const char* name, std::size_t length) const {
    return array_or_null<T>(view_at(index), index, name, length);
  }

  // The same where two lengths will do; length 0 where it is null.
  template <class T>
  std::span<T> array_of_either(Slot index, const char* name, std::size_t length,
                               std::size_t other) const {
    const View view = view_at(index);
    const std::size_t given = view.is_array && view.length == other ? other : length;
    T* data = array_or_null<T>(view, index, name, given);
    return {data, data != nullptr ? given : 0};
  }

  EVENKEEL_READER double number(Slot index, const char* name) const {
    double value = 0.0;
    if (napi_get_value_double(env_, values_[index], &value) != napi_ok) {
      fail_kind(name, "number");
    }
    return value;
  }

  std::size_t size(Slot index, const char* name) const {
    const double value = number(index, name);
    if (!(value >= 0.0 && value <= 9007199254740991.0) || value != std::floor(value)) {
      fail_number(name, "a whole number from 0 to 2^53 - 1", value);
    }
    return static_cast<std::size_t>(value);
  }

  std::int32_t int32(Slot index, const char* name) const {
    const double value = number(index, name);
    if (!(value >= -2147483648.0 && value <= 2147483647.0) || value != std::floor(value)) {
      fail_number(name, "a whole number of 32 bits", value);
    }
    return static_cast<std::int32_t>(value);
  }

  EVENKEEL_READER bool flag(Slot index, const char* name) const {
    bool value = false;
    if (napi_get_value_bool(env_, values_[index], &value) != napi_ok) {
      fail_kind(name, "boolean");
    }
    return value;
  }

  std::string text(Slot index, const char* name) const {
    const Napi::Value value(env_, values_[index]);
    if (!value.IsString()) fail_kind(name, "string");
    return value.As<Napi::String>().Utf8Value();
  }

  // array(), copied before anybody looks at its values: those select memory, and what another thread writes
  // into a shared array after the check must not count.
  template <class T>
  const T* copied(Slot index, const char* name, std::size_t length) const {
    const T* values = array<T>(index, name, length);
    if (copies_ == nullptr) {
      copies_ = &instance_->copies;
      copies_->reset();
    }
    T* copy = copies_->take<T>(length);
    std::memcpy(copy, values, length * sizeof(T));
    return copy;
  }

  // call.template operator()<float or double>(), by the element type of the first argument.
  template <class Call>
  auto by_dtype(const Call& call) const {
    if (first_.type == napi_float32_array) return call.template operator()<float>();
    if (first_.type == napi_float64_array) return call.template operator()<double>();
    fail_kind("the first argument", "Float32Array or Float64Array");
  }

  // a * b, or an error where no array could be that long.
  EVENKEEL_READER std::size_t product(std::size_t a, std::size_t b) const {
    constexpr std::size_t kSmall = std::size_t{1} << 26;  // no division for most shapes
    if ((a >= kSmall || b >= kSmall) && b != 0 &&
        a > static_cast<std::size_t>(9007199254740991) / b) {
      fail("shape", "at most 2^53 - 1 elements", "more");
    }
    return a * b;
  }

  [[noreturn]] void fail(const char* name, const std::string& expected,
                         const std::string& actual) const;

 private:
  struct View {
    bool is_array = false;
    // No function takes these. Older Nodes leave `type` alone for element kinds they don't know.
    napi_typedarray_type type = napi_int8_array;
    std::size_t length = 0;
    void* data = nullptr;
  };

  template <class T>
  T* array_or_null(const View& view, Slot index, const char* name, std::size_t length) const {
    if (view.type == ElementType<T>::value) return checked<T>(view, name, length);
    if (!view.is_array && is_null(index)) return nullptr;
    fail_kind(name, ElementType<T>::name);
  }

  // One call says all: it refuses whatever is no typed array, and a detached or out-of-bounds one has
  // length 0. Telling the element type is most of it: V8 is asked eight times before it says float.
  EVENKEEL_READER View read_view(std::size_t index) const {
    View view;
    view.is_array = napi_get_typedarray_info(env_, values_[index], &view.type, &view.length,
                                             &view.data, nullptr, nullptr) == napi_ok;
    return view;
  }

  // The first argument is asked for its type and again for its memory; 50 ns a time.
  View view_at(std::size_t index) const { return index == 0 ? first_ : read_view(index); }

  template <class T>
  EVENKEEL_READER T* checked(const View& view, const char* name, std::size_t length) const {
    if (view.length != length || (view.data == nullptr && length != 0)) {
      fail_length(name, ElementType<T>::name, length, view.length);
    }
    if (reinterpret_cast<std::uintptr_t>(view.data) % alignof(T) != 0) fail_alignment(name);
    return static_cast<T*>(view.data);
  }

  // Out of line, so that the readers stay small enough to be inlined.
  [[noreturn]] void fail_count(std::size_t count) const;
  [[noreturn]] void fail_kind(const char* name, const char* kind) const;
  [[noreturn]] void fail_number(const char* name, const char* expected, double actual) const;
  [[noreturn]] void fail_length(const char* name, const char* kind, std::size_t expected,
                                std::size_t actual) const;
  [[noreturn]] void fail_alignment(const char* name) const;

  bool is_null(std::size_t index) const {
    napi_valuetype type = napi_undefined;
    napi_typeof(env_, values_[index], &type);
    return type == napi_null;
  }

  napi_env env_;
  Instance* instance_;
  std::size_t count_;
  mutable Workspace* copies_;
  View first_;
  napi_value values_[kMost];
};

}  // namespace evenkeel::binding
