// A call that runs beside the JavaScript thread: its arguments are read and checked here and now, the rest
// is a job (native/jobs.h). The promise is fulfilled with how that ended, and never rejected.
//
// Whoever calls keeps the memory of the arguments where it is until then: a reference holds arrays alive,
// it cannot hold them attached.
#pragma once

#include <napi.h>

#include <memory>
#include <utility>

#include "../native/jobs.h"
#include "args.h"

namespace evenkeel::binding {

// A job, the promise of its end, and what is held until then.
class Call : public Job {
 public:
  using Job::Job;
  napi_deferred deferred = nullptr;
  napi_ref held = nullptr;
};

// The rest of a call: body(workspace).
template <class Body>
class CallOf final : public Call {
 public:
  CallOf(double ticket, Body body) : Call(ticket), body_(std::move(body)) {}
  void run(Workspace& workspace) override { body_(workspace); }

 private:
  Body body_;
};

// -> a promise of 'done', 'cancelled' or 'out of memory'
Napi::Value start(const Args& args, std::unique_ptr<Call> call);

// `ticket`: the index of the argument that names the job to cancelJob().
template <class Body>
Napi::Value start(const Args& args, Args::Slot ticket, Body body) {
  return start(args,
               std::make_unique<CallOf<Body>>(args.number(ticket, "ticket"), std::move(body)));
}

}  // namespace evenkeel::binding
