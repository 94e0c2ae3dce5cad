#include "workspace.h"

#include <algorithm>
#include <limits>
#include <new>

namespace evenkeel {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kPadding = 2 * kLine;  // 16 doubles: the widest vector
constexpr std::size_t kFirstBlock = 64 * 1024;
constexpr std::size_t kKeep = 64 * 1024 * 1024;  // a larger scratch is given back after its call

}  // namespace

void Workspace::Free::operator()(void* block) const {
  ::operator delete(block, std::align_val_t{kLine});
}

void Workspace::add_block(std::size_t bytes) {
  blocks_.reserve(blocks_.size() + 1);
  blocks_.emplace_back(static_cast<char*>(::operator new(bytes, std::align_val_t{kLine})));
  capacity_ = bytes;
  used_ = 0;
  total_ += bytes;
}

void Workspace::reset() {
  used_ = 0;
  if (blocks_.size() <= 1 && total_ <= kKeep) return;
  const std::size_t bytes = total_;
  blocks_.clear();
  capacity_ = total_ = 0;
  if (bytes <= kKeep) add_block(bytes);  // one block where there were several
}

void* Workspace::take_bytes(std::size_t n, std::size_t size) {
  if (n > (std::numeric_limits<std::size_t>::max() / 2 - kPadding) / size) throw std::bad_alloc();
  const std::size_t bytes = (n * size + kPadding + kLine - 1) / kLine * kLine;
  if (bytes > capacity_ - used_) add_block(std::max({bytes, total_, kFirstBlock}));
  void* taken = blocks_.back().get() + used_;
  used_ += bytes;
  return taken;
}

}  // namespace evenkeel
