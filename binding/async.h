// Calls that run beside the JavaScript thread: their arguments are read and checked here and now, the rest
// is a job (native/runtime/jobs.h). A job's promise is never rejected. It is fulfilled with the call's result, or
// with 'done' where it has none, or with 'cancelled' or 'out of memory'.
//
// Whoever calls keeps the memory of the arguments where it is until then: a reference holds arrays alive,
// it cannot hold them attached.
#pragma once

#include <napi.h>

#include <memory>

#include "../native/runtime/jobs.h"
#include "args.h"

namespace evenkeel::binding {

// A job, the promise of its end, and the arrays that are held until then.
class PendingCall : public Job {
 public:
  using Job::Job;
  // What the promise is fulfilled with once the job is done. Null where the environment ends.
  virtual napi_value result(napi_env env) const = 0;

  napi_deferred deferred = nullptr;
  napi_ref held = nullptr;
};

napi_value start(const Args& args, std::unique_ptr<PendingCall> call);

}  // namespace evenkeel::binding
