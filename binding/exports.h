// Every function that JavaScript can call; addon.cc gives each its name.
#pragma once

#include <napi.h>

namespace evenkeel::binding {

// batchnorm.cc
Napi::Value batchnorm_forward(const Napi::CallbackInfo& info);
Napi::Value batchnorm_backward(const Napi::CallbackInfo& info);

// linear.cc
Napi::Value matmul(const Napi::CallbackInfo& info);
Napi::Value column_sums(const Napi::CallbackInfo& info);

// elementwise.cc
Napi::Value relu(const Napi::CallbackInfo& info);
Napi::Value relu_backward(const Napi::CallbackInfo& info);
Napi::Value add(const Napi::CallbackInfo& info);
Napi::Value multiply(const Napi::CallbackInfo& info);
Napi::Value scale(const Napi::CallbackInfo& info);
Napi::Value sum(const Napi::CallbackInfo& info);

// random.cc
Napi::Value dropout(const Napi::CallbackInfo& info);
Napi::Value uniform(const Napi::CallbackInfo& info);
Napi::Value random_words(const Napi::CallbackInfo& info);

// loss.cc
Napi::Value cross_entropy(const Napi::CallbackInfo& info);
Napi::Value cross_entropy_backward(const Napi::CallbackInfo& info);
Napi::Value squared_error(const Napi::CallbackInfo& info);
Napi::Value squared_error_backward(const Napi::CallbackInfo& info);

// optimizer.cc
Napi::Value sgd_step(const Napi::CallbackInfo& info);
Napi::Value adam_step(const Napi::CallbackInfo& info);

// memory.cc
Napi::Value prefer_huge_pages(const Napi::CallbackInfo& info);

// control.cc
Napi::Value isa(const Napi::CallbackInfo& info);
Napi::Value available_isas(const Napi::CallbackInfo& info);
Napi::Value select_isa(const Napi::CallbackInfo& info);
Napi::Value threads(const Napi::CallbackInfo& info);
Napi::Value set_threads(const Napi::CallbackInfo& info);

// limits.cc
Napi::Value limit_copy(const Napi::CallbackInfo& info);
Napi::Value limit_read(const Napi::CallbackInfo& info);

}  // namespace evenkeel::binding
