// Work element by element, cut into blocks by size alone; sums of blocks, added in order, rounded once.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "../runtime/float_environment.h"
#include "../kernels/kernels.h"
#include "../runtime/work_split.h"
#include "../runtime/workspace.h"

namespace evenkeel {

// A multiple of kRandomGroup and of 16 (vectors); 64 KB of floats.
inline constexpr std::size_t kBlock = 16 * 1024;

template <class Body>
void for_blocks(std::size_t n, const Body& body) {
  const FloatEnvironment environment;
  run_tasks(divide_up(n, kBlock), n, [&](std::size_t task) {
    const Range range = cut(n, kBlock, task);
    body(range.begin, range.size());
  });
}

// Rows of `size` elements, each worth `weight` of a load: calls body(range of rows), about kBlock loads a task.
template <class Body>
void for_row_ranges(std::size_t rows, std::size_t size, std::size_t weight, const Body& body) {
  const FloatEnvironment environment;
  const std::size_t step =
      std::max<std::size_t>(1, kBlock / weight / std::max<std::size_t>(1, size));
  run_tasks(divide_up(rows, step), rows * size * weight,
            [&](std::size_t task) { body(cut(rows, step, task)); });
}

// The same row by row: body(row).
template <class Body>
void for_rows(std::size_t rows, std::size_t size, std::size_t weight, const Body& body) {
  for_row_ranges(rows, size, weight, [&](Range range) {
    for (std::size_t row = range.begin; row < range.end; ++row) body(row);
  });
}

// Calls body(row, first(row)) for rows of `size` elements that are read twice. The first reading of the next row comes before
// the body: the lanes of its last vector meet while the body goes on. Not of rows that push one another out of the first cache.
template <class T, class First, class Body>
void for_rows_ahead(Range rows, std::size_t size, const First& first, const Body& body) {
  constexpr std::size_t kShort = 8192 / sizeof(T);
  if (size > kShort) {
    for (std::size_t r = rows.begin; r < rows.end; ++r) body(r, first(r));
    return;
  }
  auto found = first(rows.begin);
  for (std::size_t r = rows.begin; r < rows.end; ++r) {
    const auto next = r + 1 < rows.end ? first(r + 1) : found;
    body(r, found);
    found = next;
  }
}

// total + value, with what that rounds away (TwoSum, Knuth).
inline void add_to(Total& total, double value) {
  const double sum = total.high + value, seen = sum - total.high;
  total.low += (total.high - (sum - seen)) + (value - seen);
  total.high = sum;
}

// Sums of blocks, added in order.
template <class Body>
Total sum_blocks(std::size_t n, Workspace& workspace, const Body& body) {
  workspace.reset();
  Total* parts = workspace.take<Total>(divide_up(n, kBlock));
  for_blocks(n, [&](std::size_t at, std::size_t count) { parts[at / kBlock] = body(at, count); });
  Total total{0.0, 0.0};
  if (is_stopped()) return total;
  for (std::size_t i = 0; i < divide_up(n, kBlock); ++i) {
    add_to(total, parts[i].high);
    total.low += parts[i].low;
  }
  return total;
}

// What is not finite has left NaN in `low`.
inline double value_of(const Total& total) {
  return std::isfinite(total.high) ? total.high + total.low : total.high;
}

// total / count, rounded once but for cases of about 2^-50 beside a tie.
inline double quotient(const Total& total, double count) {
  const double high = total.high / count;
  if (!std::isfinite(high) || count == 0.0) return high;
  return high + (std::fma(-high, count, total.high) + total.low) / count;
}

}  // namespace evenkeel
