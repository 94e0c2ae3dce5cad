// Jobs from several owners, as several environments have them: started, cancelled, taken and closed at
// random. What a job gives is the hash of the same work done at once, or it was cancelled.
// Longer than 250 lines because owners, jobs and faults are drawn by one program that shares its state.
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "../../native/runtime/jobs.h"
#include "work.h"

namespace evenkeel::check {
namespace {

constexpr std::size_t kOwners = 5;
constexpr std::size_t kSeats = 4;
constexpr std::size_t kTickets = 6;  // few, so that owners have the same and one of them some twice
constexpr auto kPatience = std::chrono::minutes(1);

using Hashes = std::vector<std::uint64_t>;

enum class Kind {
  usual,
  too_large,  // asks for more scratch than there is
  endless,    // until it is cancelled
};

// What a job works on, and what has become of it. Written by the job until that has ended.
struct Seat {
  explicit Seat(const Settings& settings) : worker(settings) {}

  Worker worker;
  Kind kind = Kind::usual;
  std::size_t number = 0;  // of its case
  double ticket = 0;
  std::size_t order = 0;  // of its start
  Job* job = nullptr;
  bool cancelled = false;  // by its owner
  std::atomic<bool> ran{false};
  std::uint64_t hash = 0;
};

class SeatJob final : public Job {
 public:
  SeatJob(Seat& seat, std::atomic<long>& alive) : Job(seat.ticket), seat_(seat), alive_(alive) {
    ++alive_;
  }
  ~SeatJob() override { --alive_; }

  void run(Workspace& workspace) override {
    seat_.ran = true;
    if (seat_.kind == Kind::too_large) workspace.take<double>(~std::size_t{0});
    for (const StopFlag stop; seat_.kind == Kind::endless && !stop.raised();) {
      std::this_thread::yield();
    }
    seat_.hash = seat_.worker.run(seat_.number, workspace);
  }

 private:
  Seat& seat_;
  std::atomic<long>& alive_;
};

// One owner, from its making to its end, and the jobs it starts.
class Session {
 public:
  Session(const Settings& settings, const Hashes& expected) : expected_(expected) {
    for (std::size_t i = 0; i < kSeats; ++i) seats_.push_back(std::make_unique<Seat>(settings));
  }

  // Where what comes in between is unknown: everything that must hold whatever it is.
  const char* at_random(Draw draw) {
    for (std::size_t acts = draw.between(4, 60); acts > 0 && wrong_ == nullptr; --acts) {
      switch (draw.below(6)) {
        case 0:
        case 1:
          if (Seat* const seat = vacant()) {
            const Kind kind = draw.one_in(8)   ? Kind::too_large
                              : draw.one_in(8) ? Kind::endless
                                               : Kind::usual;
            start(*seat, kind, draw.below(Worker::kCases),
                  static_cast<double>(draw.below(kTickets)));
          }
          break;
        case 2:  // waiting, running, ended or never started
          cancel(static_cast<double>(draw.below(kTickets)));
          break;
        case 3:
          take();
          break;
        case 4:
          if (wait()) take();
          break;
        default: {  // at once, whatever the pool is doing
          Seat* const seat = vacant();
          const std::size_t number = draw.below(Worker::kCases);
          if (seat != nullptr && seat->worker.run(number) != expected_[number])
            wrong_ = "a call beside jobs gave another hash";
        }
      }
    }
    if (draw.flip()) drain();
    return end();
  }

  bool start(Seat& seat, Kind kind, std::size_t number, double ticket) {
    seat.kind = kind;
    seat.number = number;
    seat.ticket = ticket;
    seat.order = ++started_;
    seat.cancelled = false;
    seat.ran = false;
    seat.job = new SeatJob(seat, alive_);
    if (owner_->start(seat.job)) return true;
    settle(seat.job);
    return false;
  }

  void cancel(double ticket) {
    owner_->cancel(ticket);
    for (const auto& seat : seats_) {
      if (seat->job != nullptr && seat->ticket == ticket) seat->cancelled = true;
    }
  }

  // How many jobs had ended.
  std::size_t take() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      notified_ = false;
    }
    std::size_t taken = 0;
    for (Job* job = owner_->take_ended(); job != nullptr; ++taken) {
      Job* const next = JobOwner::next(job);
      settle(job);
      job = next;
    }
    return taken;
  }

  // Until all that was started has ended.
  void drain() {
    for (const auto& seat : seats_) {
      if (seat->job != nullptr && seat->kind == Kind::endless) cancel(seat->ticket);
    }
    while (wrong_ == nullptr && pending() > 0) {
      if (wait()) take();
    }
  }

  // Closes with whatever is left; the memory of the jobs is unmapped behind it, and touching it a crash.
  const char* end() {
    owner_->close();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closed_ = true;
    }
    seats_.clear();
    owner_.reset();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (wrong_ == nullptr && notified_late_) wrong_ = "notified after close()";
    if (wrong_ == nullptr && alive_ != 0) wrong_ = "a job was lost, or deleted twice";
    return wrong_;
  }

  Seat& seat(std::size_t i) { return *seats_[i]; }
  JobOwner& owner() { return *owner_; }
  const char* wrong() const { return wrong_; }
  std::size_t started() const { return started_; }
  std::size_t cancelled() const { return cancelled_; }

  std::size_t pending() const {
    std::size_t count = 0;
    for (const auto& seat : seats_) count += seat->job != nullptr ? 1 : 0;
    return count;
  }

  // Until a job has ended. False where none is under way that ends by itself.
  bool wait() {
    std::size_t ending = 0;
    for (const auto& seat : seats_) {
      if (seat->job == nullptr) continue;
      // First in, first out: what runs for ever keeps the others waiting.
      if (seat->kind == Kind::endless && !seat->cancelled) return false;
      ++ending;
    }
    std::unique_lock<std::mutex> lock(mutex_);
    if (ending == 0) return false;
    if (wake_.wait_for(lock, kPatience, [&] { return notified_; })) return true;
    wrong_ = "no notice of jobs that must have ended";
    return false;
  }

 private:
  static void notify(void* context) {
    auto* const self = static_cast<Session*>(context);
    const std::lock_guard<std::mutex> lock(self->mutex_);
    self->notified_ = true;
    if (self->closed_) self->notified_late_ = true;
    self->wake_.notify_one();
  }

  Seat* vacant() {
    for (const auto& seat : seats_) {
      if (seat->job == nullptr) return seat.get();
    }
    return nullptr;
  }

  void settle(Job* job) {
    for (const auto& each : seats_) {
      if (each->job != job) continue;
      Seat& seat = *each;
      const char* const wrong = judge(seat, job->status());
      if (wrong_ == nullptr) wrong_ = wrong;
      if (seat.ran) last_ = seat.order;
      if (job->status() == JobStatus::cancelled) ++cancelled_;
      seat.job = nullptr;
      delete job;
      return;
    }
    if (wrong_ == nullptr) wrong_ = "a job of somebody else's, or one that has ended before";
  }

  const char* judge(const Seat& seat, JobStatus status) const {
    if (status == JobStatus::cancelled) {
      return seat.cancelled ? nullptr : "cancelled, and nobody has asked for it";
    }
    if (!seat.ran) return "ended, but never ran";
    if (seat.order < last_) return "not first in, first out";
    if (seat.kind == Kind::endless) return "ended, and was to run until it is cancelled";
    if ((seat.kind == Kind::too_large) != (status == JobStatus::out_of_memory)) {
      return "the wrong end for a job without memory, or with it";
    }
    if (status == JobStatus::out_of_memory) return nullptr;
    if (!seat.worker.wrong().empty()) return "a job computed something wrong";
    return seat.hash == expected_[seat.number] ? nullptr : "another hash than at once";
  }

  const Hashes& expected_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::atomic<long> alive_{0};
  std::size_t started_ = 0, cancelled_ = 0, last_ = 0;
  const char* wrong_ = nullptr;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool notified_ = false, closed_ = false, notified_late_ = false;
  std::unique_ptr<JobOwner> owner_ = std::make_unique<JobOwner>(notify, this);
};

// No thread to be had: the caller runs it, and the next one is tried anew.
const char* without_threads(const Settings& settings, const Hashes& expected) {
  Session session(settings, expected);
  set_thread_count(1);  // the pool asks for none: only the jobs' thread is refused
  fail_threads_after(0);
  const bool first = session.start(session.seat(0), Kind::usual, 0, 0);
  const bool second = session.start(session.seat(0), Kind::too_large, 0, 0);
  fail_threads_after(-1);
  if (first || second || session.pending() != 0)
    return "without a thread, a job was not run at once";
  if (!session.start(session.seat(1), Kind::usual, 1, 0)) return "a thread was not tried for anew";
  session.drain();
  return session.end();
}

// Behind a job that runs until it is told not to, so that all others wait.
const char* in_turn(const Settings& settings, const Hashes& expected) {
  Session session(settings, expected);
  session.start(session.seat(0), Kind::endless, 0, 1);
  for (std::size_t i = 1; i < kSeats; ++i) {
    session.start(session.seat(i), Kind::usual, i, i < 3 ? 2 : 3);
  }
  while (!session.seat(0).ran) std::this_thread::yield();
  session.cancel(4);
  if (session.take() != 0) return "a ticket of no job ended one";
  session.cancel(2);
  if (session.take() != 2 || session.seat(1).ran || session.seat(2).ran) {
    return "two jobs that wait, of one ticket, did not end at once";
  }
  session.drain();
  if (session.cancelled() != 3) return "not those were cancelled that should be";
  session.cancel(1);  // ended long ago
  if (session.take() != 0) return "a job ended twice";
  return session.end();
}

// While one job runs and another waits, which in the child nobody will end.
const char* in_forked_child(const Settings& settings, const Hashes& expected) {
  Session session(settings, expected);
  session.start(session.seat(0), Kind::endless, 0, 1);
  session.start(session.seat(1), Kind::usual, 1, 2);
  while (!session.seat(0).ran) std::this_thread::yield();
  const bool held = holds_in_child([&] {
    const bool queued = session.start(session.seat(2), Kind::usual, 2, 3);
    session.cancel(1);
    const bool taken = session.take() != 0;
    session.owner().close();
    return !queued && !taken && session.pending() == 2 && session.wrong() == nullptr;
  });
  const char* const wrong = session.end();
  return held ? wrong : "a forked child did not run a job at once";
}

}  // namespace

bool jobs(const Settings& settings) {
  const Hashes expected = Worker::alone(settings);
  const auto seed = static_cast<unsigned long long>(settings.seed);
  const auto alone = [&](const char* what, const auto& body) {
    now("jobs --seed %llu: %s", seed, what);
    const char* const wrong = body(settings, expected);
    return wrong == nullptr || failed(wrong);
  };
  if (!alone("no thread can be made", without_threads)) return false;
  if (!alone("jobs that wait", in_turn)) return false;

  now("jobs --seed %llu: several owners while threads and instruction sets change", seed);
  const std::size_t rounds = settings.cases / 4 + 4;
  std::atomic<std::size_t> running{kOwners}, started{0}, cancelled{0};
  std::atomic<const char*> wrong{nullptr};
  std::vector<std::thread> owners;
  for (std::size_t i = 0; i < kOwners; ++i) {
    owners.emplace_back([&, i] {
      for (std::size_t round = 0; round < rounds && wrong == nullptr; ++round) {
        Session session(settings, expected);
        if (const char* const found = session.at_random(Draw(mixed(settings.seed + i) + round))) {
          wrong = found;
        }
        started += session.started();
        cancelled += session.cancelled();
      }
      --running;
    });
  }
  change_settings_while(running, Draw(settings.seed));
  for (std::thread& owner : owners) owner.join();
  if (wrong != nullptr) return failed(wrong);

  set_thread_count(8);
  if (!alone("a forked child", in_forked_child)) return false;
  std::printf(
      "jobs         %zu from %zu owners opened and closed by %zu threads, %zu cancelled; refused "
      "threads; a forked child: the bits of the same work at once, and nothing behind a close\n",
      started.load(), kOwners * rounds, kOwners, cancelled.load());
  return true;
}

}  // namespace evenkeel::check
