// Where one run of a case has its arrays. Contents depend on the case alone; the place is what a run
// varies: anywhere in a cache line, between bytes that must stay, or against a page that cannot be touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "../../native/runtime/workspace.h"
#include "draw.h"

namespace evenkeel::check {

enum class Values {
  ordinary,  // multiples of 1/256 in [-8, 8)
  offset,    // those beside 4096
  wild,      // now and then NaN, infinities, denormals, -0, the largest numbers
  positive,  // (0, 8]
};

enum class Place { shifted, before_guard, after_guard };

class Memory {
 public:
  // Room for `slots` arrays of `slot_bytes`.
  Memory(std::size_t slots, std::size_t slot_bytes);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // The next case; its first run's contents are kept for the others.
  void begin_case(std::uint64_t seed, Values values);
  // The next run of it. Shifted places are drawn from `seed`.
  void begin_run(Place place, bool in_place, std::uint64_t seed);

  template <class T>
  const T* input(std::size_t n) {
    return static_cast<const T*>(take(n, sizeof(T), kind<T>(), false, values_));
  }
  template <class T>
  const T* positive(std::size_t n) {
    return static_cast<const T*>(take(n, sizeof(T), kind<T>(), false, Values::positive));
  }
  // Whole numbers from `low` to `high`.
  const std::int32_t* integers(std::size_t n, std::int32_t low, std::int32_t high);
  template <class T>
  T* inout(std::size_t n) {
    return static_cast<T*>(take(n, sizeof(T), kind<T>(), true, values_));
  }
  template <class T>
  T* positive_inout(std::size_t n) {
    return static_cast<T*>(take(n, sizeof(T), kind<T>(), true, Values::positive));
  }
  // Filled with NaN beforehand.
  template <class T>
  T* output(std::size_t n) {
    return static_cast<T*>(take(n, sizeof(T), kind<T>(), true, Values::ordinary, true));
  }
  // An output, or in runs in place the array of `from`, which then is one.
  template <class T>
  T* output_over(const T* from, std::size_t n) {
    return in_place_ && n > 0 ? static_cast<T*>(overwritten(from)) : output<T>(n);
  }
  // A number that is part of the result.
  void result(double value);
  // What must hold in every instruction set; a fault where not. Hashes say only that all of them agree.
  void expect(bool holds) { is_as_expected_ = is_as_expected_ && holds; }

  // Whether what was there before and may change, state, has not.
  bool kept_state() const;
  // What is wrong beside the result: bytes around an array or of an input that changed, or what did not hold.
  std::string faults() const;
  // Of all outputs. Every NaN counts as one; without `signed_zeros` 0 and -0 too.
  std::uint64_t hash(bool signed_zeros = true) const;

  Workspace workspace;

 private:
  enum class Kind { float32, float64, words };
  template <class T>
  static constexpr Kind kind() {
    if constexpr (sizeof(T) == 8) return Kind::float64;
    return static_cast<T>(0.5) != T(0) ? Kind::float32 : Kind::words;
  }
  struct Array {
    char *slot, *data;
    std::size_t bytes;
    Kind kind;
    bool is_output, is_state;  // in place an input becomes an output
  };

  void* take(std::size_t n, std::size_t size, Kind kind, bool is_output, Values values,
             bool is_blank = false);
  void* overwritten(const void* data);
  const std::vector<char>& contents(std::size_t n, std::size_t size, Kind kind, Values values);

  char* mapped_;
  std::size_t slots_, slot_bytes_, stride_;
  std::uint64_t seed_ = 0;
  Values values_ = Values::ordinary;
  Place place_ = Place::shifted;
  bool in_place_ = false, is_as_expected_ = true;
  Draw shifts_{0};
  std::vector<Array> arrays_;
  std::vector<std::size_t> outputs_;  // in the order they were asked for
  std::vector<std::vector<char>> contents_;
  std::vector<double> results_;
};

}  // namespace evenkeel::check
