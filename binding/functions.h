// The functions of exports.inc that run now and only now. void is undefined.
#pragma once

#include <napi.h>

namespace evenkeel::binding {

class Args;

// async.cc
void cancel_job(const Args& args);

// memory.cc
Napi::Value prepare_large(const Args& args);
void gather_pages(const Args& args);
void weak_watch(const Args& args);
void weak_forget(const Args& args);
Napi::Value weak_alive(const Args& args);
void free_buffer(const Args& args);
void return_memory(const Args& args);

// control.cc
Napi::Value isa(const Args& args);
Napi::Value available_isas(const Args& args);
Napi::Value select_isa(const Args& args);
Napi::Value threads(const Args& args);
void set_threads(const Args& args);
void hold_threads(const Args& args);
void configure(const Args& args);

// mpi.cc
Napi::Value mpi_open(const Args& args);
Napi::Value mpi_start(const Args& args);
Napi::Value mpi_version(const Args& args);
Napi::Value mpi_rank(const Args& args);
Napi::Value mpi_size(const Args& args);
Napi::Value mpi_exchange(const Args& args);
void mpi_send(const Args& args);
void mpi_receive(const Args& args);
Napi::Value mpi_wait(const Args& args);
Napi::Value mpi_silent(const Args& args);
void mpi_finalize(const Args& args);
void mpi_abort_at_exit(const Args& args);

// bare_passes.cc
void bare_copy(const Args& args);
Napi::Value bare_read(const Args& args);

}  // namespace evenkeel::binding
