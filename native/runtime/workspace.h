// Scratch memory that one caller reuses from call to call: fresh pages cost more than the arithmetic
// on them. One Workspace serves one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace evenkeel {

class Workspace {
 public:
  // Gives back everything taken so far. The first line of every function that takes a Workspace.
  void reset();

  // n uninitialised elements on a cache-line boundary, with a whole line to spare behind them, so
  // that "padded" scratch may be read and written to the next multiple of 16. Throws std::bad_alloc.
  template <class T>
  T* take(std::size_t n) {
    return static_cast<T*>(take_bytes(n, sizeof(T)));
  }

 private:
  struct Free {
    void operator()(void* block) const;
  };
  using Block = std::unique_ptr<char, Free>;

  void* take_bytes(std::size_t n, std::size_t size);
  void add_block(std::size_t bytes);

  std::vector<Block> blocks_;  // the last one is being carved
  std::size_t capacity_ = 0;   // of the last block
  std::size_t used_ = 0;       // of the last block
  std::size_t total_ = 0;      // of all blocks
};

}  // namespace evenkeel
