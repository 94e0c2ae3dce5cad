#include <chrono>
#include <cstdio>

#include "../../native/kernels/dispatch.h"
#include "../../native/runtime/parallel.h"
#include "checks.h"
#include "host_mode.h"
#include "operations.h"

namespace evenkeel::check {
namespace {

constexpr std::size_t kThreads[] = {1, 2, 3, 5, 8, 16};
constexpr std::size_t kSlots = 32;
constexpr std::size_t kLargest = 4'300'000;  // floats: past the caches, so that stores stream

std::size_t draw_elements(Draw& draw) {
  if (draw.one_in(400)) return kLargest;
  const std::size_t kind = draw.below(20);
  return kind == 0 ? 300'000 : kind < 5 ? 70'000 : kind < 12 ? 4'096 : 300;
}

Values draw_values(Draw& draw) {
  const std::size_t kind = draw.below(8);
  return kind < 5 ? Values::ordinary : kind < 7 ? Values::wild : Values::offset;
}

struct Case {
  std::size_t number;
  const Operation* operation;
  std::size_t elements;
  Draw draw;
};

// How a run of a case differs from the others.
struct Setting {
  const char* isa;
  std::size_t threads;
  Place place;
  bool in_place;
  Mode mode;
};

class Fuzzer {
 public:
  explicit Fuzzer(const Settings& settings)
      : settings_(settings), memory_(kSlots, kLargest * sizeof(double)) {}

  bool run_case(std::size_t number) {
    Draw draw(mixed(settings_.seed) + number);
    const Operation& operation = operations()[draw.below(operations().size())];
    std::size_t elements = draw_elements(draw);
    const Values values = draw_values(draw);
    memory_.begin_case(draw.next(), values);
    const Case each{number, &operation, elements, draw};
    std::uint64_t expected = 0;
    if (!run(each, {"scalar", 1, Place::shifted, false, Mode::usual}, 0, &expected)) return false;
    digest_ = mixed(digest_ ^ expected) + number;
    ++cases_;
    // One place a setting where the arrays are large.
    const std::size_t places = elements <= 4'096 ? 3 : 1;
    std::size_t turn = number;
    for (const Kernels* isa : available_isas()) {
      for (const std::size_t threads : kThreads) {
        for (std::size_t i = 0; i < places; ++i, ++turn) {
          const Place place = !settings_.guards ? Place::shifted
                              : turn % 3 == 0   ? Place::before_guard
                              : turn % 6 == 1   ? Place::after_guard
                                                : Place::shifted;
          const Setting setting{isa->name, threads, place, turn % 4 == 3,
                                static_cast<Mode>(turn % 5 < 3 ? turn % 5 : 0)};
          std::uint64_t hash = 0;
          if (!run(each, setting, mixed(number * 1000 + turn), &hash)) return false;
          if (hash != expected) return failed("another hash than scalar on one thread");
        }
      }
    }
    return true;
  }

  std::size_t cases_ = 0, runs_ = 0;
  std::uint64_t digest_ = 0;

 private:
  bool run(const Case& each, Setting setting, std::uint64_t place_seed, std::uint64_t* hash) {
    static const char* const places[] = {"shifted", "before a guard page", "after a guard page"};
    static const char* const modes[] = {"usual", "flushing", "upward"};
    now("fuzz --seed %llu --only %zu: %s of up to %zu elements; %s, %zu threads, %s%s, host mode "
        "%s",
        static_cast<unsigned long long>(settings_.seed), each.number, each.operation->name,
        each.elements, setting.isa, setting.threads, places[static_cast<int>(setting.place)],
        setting.in_place ? ", in place" : "", modes[static_cast<int>(setting.mode)]);
    select_isa(setting.isa);
    set_thread_count(setting.threads);
    memory_.begin_run(setting.place, setting.in_place, place_seed);
    std::string wrong;
    {
      const HostMode mode(setting.mode);
      wrong = each.operation->run(each.draw, each.elements, memory_);
      if (!mode.still_set()) wrong = "the host's floating-point mode has changed";
    }
    ++runs_;
    if (wrong.empty()) wrong = memory_.faults();
    *hash = memory_.hash();
    return wrong.empty() || failed(wrong.c_str());
  }

  const Settings& settings_;
  Memory memory_;
};

}  // namespace

bool fuzz(const Settings& settings) {
  const auto start = std::chrono::steady_clock::now();
  Fuzzer fuzzer(settings);
  for (std::size_t number = 1; number <= settings.cases; ++number) {
    if (settings.only != 0 && number != settings.only) continue;
    if (!fuzzer.run_case(number)) return false;
  }
  std::string isas;
  for (const Kernels* isa : available_isas()) isas += std::string(" ") + isa->name;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf(
      "fuzz         seed %llu: %zu cases, %zu runs, one hash each (instruction sets%s; threads 1 2 "
      "3 5 8 "
      "16); "
      "digest %016llx; %.1f s\n",
      static_cast<unsigned long long>(settings.seed), fuzzer.cases_, fuzzer.runs_, isas.c_str(),
      static_cast<unsigned long long>(fuzzer.digest_), took.count());
  return true;
}

}  // namespace evenkeel::check
