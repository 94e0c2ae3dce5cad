#include "async.h"

#include <utility>

#include "call.h"
#include "functions.h"

namespace evenkeel::binding {

// What an environment has in flight. A status that Node-API returns while the environment is being torn
// down has nobody left to hear of it: promises of a terminated Worker never settle.
class AsyncCalls {
 public:
  // Null when the environment will not have a function that other threads may call.
  static AsyncCalls* make(napi_env env, Instance* instance) {
    auto calls = std::make_unique<AsyncCalls>(env, instance);
    napi_value name = nullptr;
    if (napi_create_string_utf8(env, "evenkeel", NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr,
                                        calls.get(), settle, &calls->wake_) != napi_ok) {
      return nullptr;
    }
    napi_unref_threadsafe_function(env, calls->wake_);
    // Registered after Node's own hook for that function, so it runs before it.
    napi_add_env_cleanup_hook(env, tear_down, calls.get());
    return calls.release();
  }

  AsyncCalls(napi_env env, Instance* instance)
      : env_(env), instance_(instance), owner_(wake, this) {}

  // All that can fail comes before anything is in flight: a call that is counted and never ends would keep
  // the process alive for ever.
  napi_value start(const Args& args, std::unique_ptr<PendingCall> call) {
    napi_value promise = nullptr;
    call->held = hold(args);
    if (napi_create_promise(env_, &call->deferred, &promise) != napi_ok) {
      napi_delete_reference(env_, call->held);
      throw Napi::Error::New(env_);
    }
    PendingCall* const started = call.release();
    if (++in_flight_ == 1) napi_ref_threadsafe_function(env_, wake_);
    if (!owner_.start(started)) finish(started);
    return promise;
  }

  void cancel(double ticket) { owner_.cancel(ticket); }

 private:
  // Keeps the arrays among the arguments.
  napi_ref hold(const Args& args) const {
    napi_value arrays = nullptr;
    napi_ref held = nullptr;
    check(napi_create_array(env_, &arrays));
    args.for_arrays([&](std::uint32_t i, napi_value array) {
      check(napi_set_element(env_, arrays, i, array));
    });
    check(napi_create_reference(env_, arrays, 1, &held));
    return held;
  }

  void check(napi_status status) const {
    if (status != napi_ok) throw Napi::Error::New(env_);
  }

  // From any thread.
  static void wake(void* calls) {
    napi_call_threadsafe_function(static_cast<AsyncCalls*>(calls)->wake_, nullptr,
                                  napi_tsfn_nonblocking);
  }

  // On the environment's thread; without an environment that is being torn down.
  static void settle(napi_env env, napi_value, void* context, void*) {
    if (env == nullptr) return;
    auto* const calls = static_cast<AsyncCalls*>(context);
    for (Job* job = calls->owner_.take_ended(); job != nullptr;) {
      Job* const next = JobOwner::next(job);
      calls->finish(static_cast<PendingCall*>(job));
      job = next;
    }
  }

  void finish(PendingCall* ended) {
    const std::unique_ptr<PendingCall> call(ended);
    if (--in_flight_ == 0) napi_unref_threadsafe_function(env_, wake_);
    napi_delete_reference(env_, call->held);
    const napi_value end = end_of(*call);
    if (end != nullptr) napi_resolve_deferred(env_, call->deferred, end);
  }

  napi_value end_of(const PendingCall& call) const {
    switch (call.status()) {
      case JobStatus::done:
        return call.result(env_);
      case JobStatus::cancelled:
        return to_value(env_, "cancelled");
      case JobStatus::out_of_memory:
        break;
    }
    return to_value(env_, "out of memory");
  }

  static void tear_down(void* context) {
    auto* const calls = static_cast<AsyncCalls*>(context);
    calls->owner_.close();
    napi_release_threadsafe_function(calls->wake_, napi_tsfn_abort);
    calls->instance_->async = nullptr;
    delete calls;
  }

  napi_env env_;
  Instance* instance_;
  napi_threadsafe_function wake_ = nullptr;
  JobOwner owner_;
  std::size_t in_flight_ = 0;
};

napi_value start(const Args& args, std::unique_ptr<PendingCall> call) {
  Instance& instance = args.instance();
  if (instance.async == nullptr) instance.async = AsyncCalls::make(args.env(), &instance);
  if (instance.async == nullptr)
    throw Napi::Error::New(args.env(), "evenkeel addon: no event loop.");
  return instance.async->start(args, std::move(call));
}

// (ticket): every job of this environment that has it
void cancel_job(const Args& args) {
  const double ticket = args.number(0, "ticket");
  if (args.instance().async != nullptr) args.instance().async->cancel(ticket);
}

}  // namespace evenkeel::binding
