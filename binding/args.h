// JavaScript value -> plain view, or an error that names the argument. Memory facts only: element
// type, exact length, attached. The meaning was checked, with words, in src/check.ts.
#pragma once

#include <napi.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "../native/workspace.h"

namespace evenkeel::binding {

// What one environment (the main thread, or a Worker) owns.
struct Instance {
  Workspace workspace;
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
struct ElementType<std::uint32_t> {
  static constexpr napi_typedarray_type value = napi_uint32_array;
  static constexpr const char* name = "Uint32Array";
};

class Args {
 public:
  explicit Args(const Napi::CallbackInfo& info) : info_(info) {}

  Workspace& workspace() const { return info_.Env().GetInstanceData<Instance>()->workspace; }

  // Exactly `length` elements of T. Called after every other argument has been read: nothing may run
  // JavaScript, and so detach or shrink a buffer, between this and the kernel.
  template <class T>
  T* array(std::size_t index, const char* name, std::size_t length) const {
    // Older Nodes leave `type` alone for element kinds they don't know.
    napi_typedarray_type type = napi_int8_array;
    std::size_t actual = 0;
    void* data = nullptr;
    bool is_array = false;
    napi_is_typedarray(info_.Env(), info_[index], &is_array);
    if (is_array) {
      napi_get_typedarray_info(info_.Env(), info_[index], &type, &actual, &data, nullptr, nullptr);
    }
    if (!is_array || type != ElementType<T>::value) {
      fail(name, std::string("a ") + ElementType<T>::name, "another kind of value");
    }
    if (actual != length || (data == nullptr && length != 0)) {
      fail(name, std::string("a ") + ElementType<T>::name + " of length " + std::to_string(length),
           actual == 0 ? "a detached, shrunk or empty one" : "length " + std::to_string(actual));
    }
    if (reinterpret_cast<std::uintptr_t>(data) % alignof(T) != 0) {
      fail(name, "memory aligned to its elements", "a misaligned address");
    }
    return static_cast<T*>(data);
  }

  // The same, or nullptr where the argument is null.
  template <class T>
  T* array_or_null(std::size_t index, const char* name, std::size_t length) const {
    return info_[index].IsNull() ? nullptr : array<T>(index, name, length);
  }

  bool is_null(std::size_t index) const { return info_[index].IsNull(); }

  double number(std::size_t index, const char* name) const {
    if (!info_[index].IsNumber()) fail(name, "a number", "another kind of value");
    return info_[index].As<Napi::Number>().DoubleValue();
  }

  std::size_t size(std::size_t index, const char* name) const {
    const double value = number(index, name);
    if (!(value >= 0.0 && value <= 9007199254740991.0) || value != std::floor(value)) {
      fail(name, "a whole number from 0 to 2^53 - 1", std::to_string(value));
    }
    return static_cast<std::size_t>(value);
  }

  std::int32_t int32(std::size_t index, const char* name) const {
    const double value = number(index, name);
    if (!(value >= -2147483648.0 && value <= 2147483647.0) || value != std::floor(value)) {
      fail(name, "a whole number of 32 bits", std::to_string(value));
    }
    return static_cast<std::int32_t>(value);
  }

  bool flag(std::size_t index, const char* name) const {
    if (!info_[index].IsBoolean()) fail(name, "a boolean", "another kind of value");
    return info_[index].As<Napi::Boolean>().Value();
  }

  std::string text(std::size_t index, const char* name) const {
    if (!info_[index].IsString()) fail(name, "a string", "another kind of value");
    return info_[index].As<Napi::String>().Utf8Value();
  }

  // call.template operator()<float or double>(), by the element type of one argument.
  template <class Call>
  auto by_dtype(std::size_t index, const char* name, const Call& call) const {
    napi_typedarray_type type = napi_int8_array;
    bool is_array = false;
    napi_is_typedarray(info_.Env(), info_[index], &is_array);
    if (is_array) {
      napi_get_typedarray_info(info_.Env(), info_[index], &type, nullptr, nullptr, nullptr,
                               nullptr);
    }
    if (type == napi_float32_array) return call.template operator()<float>();
    if (type == napi_float64_array) return call.template operator()<double>();
    fail(name, "a Float32Array or Float64Array", "another kind of value");
  }

  // a * b, or an error where no array could be that long.
  std::size_t product(std::size_t a, std::size_t b) const {
    if (b != 0 && a > static_cast<std::size_t>(9007199254740991) / b) {
      fail("shape", "at most 2^53 - 1 elements", "more");
    }
    return a * b;
  }

 private:
  [[noreturn]] void fail(const char* name, const std::string& expected,
                         const std::string& actual) const {
    throw Napi::TypeError::New(info_.Env(), std::string("evenkeel addon: expected ") + name +
                                                " to be " + expected + ", got " + actual + ".");
  }

  const Napi::CallbackInfo& info_;
};

}  // namespace evenkeel::binding
