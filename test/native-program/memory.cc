#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace evenkeel::check {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kMargin = 128;
constexpr unsigned char kAround = 0xa5;

std::size_t page() {
  static const std::size_t size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

double number(Draw& draw, Values values) {
  const double plain = (static_cast<double>(draw.below(4096)) - 2048.0) / 256.0;
  switch (values) {
    case Values::ordinary:
      return plain;
    case Values::offset:
      return plain + 4096.0;
    case Values::positive:
      return static_cast<double>(draw.between(1, 2048)) / 256.0;
    case Values::wild:
      break;
  }
  if (!draw.one_in(24)) return plain;
  constexpr double kInfinity = __builtin_inf();
  // 1e-40 and 1e39 are a denormal and infinity in float32.
  constexpr double kWild[] = {
      __builtin_nan(""), kInfinity, -kInfinity, 1e-40,  -3e-42, -0.0, 3.4e38,
      -3.4e38,           1e39,      1e300,      5e-324, 0.0};
  return kWild[draw.below(std::size(kWild))];
}

template <class T>
void fill(std::vector<char>& bytes, std::size_t n, Draw draw, Values values) {
  for (std::size_t i = 0; i < n; ++i) {
    const T value = static_cast<T>(number(draw, values));
    std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
  }
}

std::uint64_t plus(std::uint64_t hash, std::uint64_t word) {
  return mixed((hash ^ word) + 0x9e3779b97f4a7c15u);
}

}  // namespace

Memory::Memory(std::size_t slots, std::size_t slot_bytes)
    : slots_(slots),
      slot_bytes_((slot_bytes + 2 * kMargin + 2 * kLine + page() - 1) / page() * page()),
      stride_(slot_bytes_ + page()) {
  void* mapped = mmap(nullptr, slots_ * stride_ + page(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    std::perror("mmap");
    std::exit(2);
  }
  mapped_ = static_cast<char*>(mapped);
  for (std::size_t i = 0; i <= slots_; ++i) mprotect(mapped_ + i * stride_, page(), PROT_NONE);
}

Memory::~Memory() { munmap(mapped_, slots_ * stride_ + page()); }

void Memory::begin_case(std::uint64_t seed, Values values) {
  seed_ = seed;
  values_ = values;
  contents_.clear();
}

void Memory::begin_run(Place place, bool in_place, std::uint64_t seed) {
  place_ = place;
  in_place_ = in_place;
  shifts_ = Draw(seed);
  arrays_.clear();
  outputs_.clear();
  results_.clear();
  is_as_expected_ = true;
}

const std::vector<char>& Memory::contents(std::size_t n, std::size_t size, Kind kind,
                                          Values values) {
  const std::size_t index = arrays_.size();
  if (index == contents_.size()) {
    std::vector<char> bytes(n * size);
    const Draw draw(mixed(seed_ + index + 1));
    if (kind == Kind::float32) fill<float>(bytes, n, draw, values);
    if (kind == Kind::float64) fill<double>(bytes, n, draw, values);
    contents_.push_back(std::move(bytes));
  }
  return contents_[index];
}

void* Memory::take(std::size_t n, std::size_t size, Kind kind, bool is_output, Values values,
                   bool is_blank) {
  const std::size_t bytes = n * size;
  if (arrays_.size() == slots_ || bytes > slot_bytes_ - 2 * kMargin - 2 * kLine) {
    std::fprintf(stderr, "a case needs more room: %zu bytes, array %zu\n", bytes, arrays_.size());
    std::exit(2);
  }
  char* const slot = mapped_ + arrays_.size() * stride_ + page();
  char* data = slot;
  if (place_ == Place::shifted) {
    data = slot + kMargin + shifts_.below(kLine / size) * size;
  } else if (place_ == Place::before_guard) {
    data = slot + slot_bytes_ - bytes;
  }
  // The margins that lie within the slot.
  char* const from = std::max(slot, data - kMargin);
  char* const to = std::min(slot + slot_bytes_, data + bytes + kMargin);
  std::memset(from, kAround, static_cast<std::size_t>(to - from));
  const std::vector<char>& drawn = contents(is_blank ? 0 : n, size, kind, values);
  if (drawn.size() != (is_blank ? 0 : bytes)) {
    std::fprintf(stderr, "array %zu of a case differs in size from run to run\n", arrays_.size());
    std::exit(2);
  }
  if (is_blank) {
    std::memset(data, 0xff, bytes);
  } else if (bytes > 0) {
    std::memcpy(data, drawn.data(), bytes);
  }
  if (is_output) outputs_.push_back(arrays_.size());
  arrays_.push_back({slot, data, bytes, kind, is_output, is_output && !is_blank});
  return data;
}

const std::int32_t* Memory::integers(std::size_t n, std::int32_t low, std::int32_t high) {
  const std::size_t index = arrays_.size();
  if (index == contents_.size()) {
    std::vector<char> bytes(n * sizeof(std::int32_t));
    Draw draw(mixed(seed_ + index + 1));
    for (std::size_t i = 0; i < n; ++i) {
      const std::int32_t value =
          low + static_cast<std::int32_t>(draw.below(static_cast<std::size_t>(high - low) + 1));
      std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
    }
    contents_.push_back(std::move(bytes));
  }
  return static_cast<const std::int32_t*>(
      take(n, sizeof(std::int32_t), Kind::words, false, Values::ordinary));
}

void* Memory::overwritten(const void* data) {
  for (std::size_t i = 0; i < arrays_.size(); ++i) {
    if (arrays_[i].data != data || arrays_[i].is_output) continue;
    arrays_[i].is_output = true;
    outputs_.push_back(i);
    // Out of place this would have been an array: the next ones keep their contents.
    arrays_.push_back({nullptr, nullptr, 0, Kind::words, false, false});
    return arrays_[i].data;
  }
  std::fprintf(stderr, "a case overwrites what is no input\n");
  std::exit(2);
}

void Memory::result(double value) { results_.push_back(value); }

bool Memory::kept_state() const {
  for (std::size_t i = 0; i < arrays_.size(); ++i) {
    const Array& array = arrays_[i];
    if (!array.is_state || array.bytes == 0) continue;
    if (std::memcmp(array.data, contents_[i].data(), array.bytes) != 0) return false;
  }
  return true;
}

std::string Memory::faults() const {
  if (!is_as_expected_) return "a value is another than that which is known";
  for (std::size_t i = 0; i < arrays_.size(); ++i) {
    const Array& array = arrays_[i];
    if (array.data == nullptr) continue;
    const char* const end = array.data + array.bytes;
    const auto touched = [](const char* from, const char* to) {
      return std::any_of(from, to,
                         [](char byte) { return static_cast<unsigned char>(byte) != kAround; });
    };
    const std::string name = "array " + std::to_string(i);
    if (touched(std::max(array.slot, array.data - kMargin), array.data)) {
      return "bytes before " + name + " changed";
    }
    if (touched(end, std::min(array.slot + slot_bytes_, array.data + array.bytes + kMargin))) {
      return "bytes after " + name + " changed";
    }
    if (!array.is_output && array.bytes > 0 &&
        std::memcmp(array.data, contents_[i].data(), array.bytes) != 0) {
      return name + ", an input, changed";
    }
  }
  return "";
}

std::uint64_t Memory::hash(bool signed_zeros) const {
  std::uint64_t hash = 0;
  for (const std::size_t index : outputs_) {
    const Array& array = arrays_[index];
    hash = plus(hash, array.bytes);
    if (array.kind == Kind::float64) {
      for (std::size_t at = 0; at < array.bytes; at += 8) {
        std::uint64_t bits;
        std::memcpy(&bits, array.data + at, 8);
        if (!signed_zeros && bits << 1 == 0) bits = 0;
        hash = plus(hash, (bits << 1) > 0xffe0000000000000u ? ~std::uint64_t{0} : bits);
      }
    } else {
      for (std::size_t at = 0; at < array.bytes; at += 4) {
        std::uint32_t bits;
        std::memcpy(&bits, array.data + at, 4);
        const bool is_float = array.kind == Kind::float32;
        if (!signed_zeros && is_float && bits << 1 == 0) bits = 0;
        const bool is_nan = is_float && (bits << 1) > 0xff000000u;
        hash = plus(hash, is_nan ? ~std::uint32_t{0} : bits);
      }
    }
  }
  for (const double value : results_) {
    std::uint64_t bits;
    std::memcpy(&bits, &value, 8);
    if (!signed_zeros && value == 0) bits = 0;
    hash = plus(hash, value != value ? ~std::uint64_t{0} : bits);
  }
  return hash;
}

}  // namespace evenkeel::check
