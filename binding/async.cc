#include "async.h"

#include <unordered_map>

#include "exports.h"

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

  napi_value start(const Args& args, std::unique_ptr<Job> job) {
    Pending pending;
    napi_value promise = nullptr, held = nullptr;
    check(napi_create_array(env_, &held));
    for (std::uint32_t i = 0; i < Args::kMost; ++i) {
      if (args.is_array(i)) check(napi_set_element(env_, held, i, args.value(i)));
    }
    check(napi_create_reference(env_, held, 1, &pending.held));
    check(napi_create_promise(env_, &pending.deferred, &promise));
    Job* const started = job.release();
    pending_.emplace(started, pending);
    if (pending_.size() == 1) napi_ref_threadsafe_function(env_, wake_);
    if (!owner_.start(started)) finish(started);
    return promise;
  }

  void cancel(double ticket) { owner_.cancel(ticket); }

 private:
  struct Pending {
    napi_deferred deferred = nullptr;
    napi_ref held = nullptr;
  };

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
      calls->finish(job);
      job = next;
    }
  }

  void finish(Job* job) {
    const auto at = pending_.find(job);
    const Pending pending = at->second;
    pending_.erase(at);
    if (pending_.empty()) napi_unref_threadsafe_function(env_, wake_);
    const JobStatus status = job->status();
    delete job;
    napi_delete_reference(env_, pending.held);
    napi_value word = nullptr;
    if (napi_create_string_utf8(env_, word_of(status), NAPI_AUTO_LENGTH, &word) == napi_ok) {
      napi_resolve_deferred(env_, pending.deferred, word);
    }
  }

  static const char* word_of(JobStatus status) {
    switch (status) {
      case JobStatus::done:
        return "done";
      case JobStatus::cancelled:
        return "cancelled";
      case JobStatus::out_of_memory:
        break;
    }
    return "out of memory";
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
  std::unordered_map<const Job*, Pending> pending_;
};

Napi::Value start(const Args& args, std::unique_ptr<Job> job) {
  Instance& instance = args.instance();
  if (instance.async == nullptr) instance.async = AsyncCalls::make(args.env(), &instance);
  if (instance.async == nullptr)
    throw Napi::Error::New(args.env(), "evenkeel addon: no event loop.");
  return {args.env(), instance.async->start(args, std::move(job))};
}

// (ticket): every job of this environment that has it
void cancel_job(const Args& args) {
  const double ticket = args.number(0, "ticket");
  if (args.instance().async != nullptr) args.instance().async->cancel(ticket);
}

}  // namespace evenkeel::binding
