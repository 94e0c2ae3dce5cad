// Every function that JavaScript can call; addon.cc gives each its name. void is undefined.
#pragma once

#include <napi.h>

namespace evenkeel::binding {

class Args;

// batchnorm.cc
Napi::Value batchnorm_forward(const Args& args);
void batchnorm_backward(const Args& args);
Napi::Value start_batchnorm_forward(const Args& args);
Napi::Value start_batchnorm_backward(const Args& args);

// moments.cc
void batch_moments(const Args& args);
Napi::Value start_batch_moments(const Args& args);
void merge_moments(const Args& args);
Napi::Value finite_moments(const Args& args);
void move_by_moments(const Args& args);

// lengths.cc
void pack(const Args& args);
void unpack(const Args& args);
Napi::Value start_pack(const Args& args);
Napi::Value start_unpack(const Args& args);

// async.cc
void cancel_job(const Args& args);

// linear.cc
void matmul(const Args& args);
void column_sums(const Args& args);

// elementwise.cc
void relu(const Args& args);
void relu_backward(const Args& args);
void add(const Args& args);
void multiply(const Args& args);
void scale(const Args& args);
Napi::Value sum(const Args& args);
Napi::Value mean(const Args& args);

// random.cc
void dropout(const Args& args);
void uniform(const Args& args);
void random_words(const Args& args);

// loss.cc
void cross_entropy(const Args& args);
void cross_entropy_backward(const Args& args);
Napi::Value squared_error(const Args& args);
Napi::Value mean_squared_error(const Args& args);
void squared_error_backward(const Args& args);

// optimizer.cc
void sgd_step(const Args& args);
void adam_step(const Args& args);

// memory.cc
Napi::Value prepare_large(const Args& args);

// control.cc
Napi::Value isa(const Args& args);
Napi::Value available_isas(const Args& args);
Napi::Value select_isa(const Args& args);
Napi::Value threads(const Args& args);
void set_threads(const Args& args);
void configure(const Args& args);

// limits.cc
void limit_copy(const Args& args);
Napi::Value limit_read(const Args& args);

}  // namespace evenkeel::binding
