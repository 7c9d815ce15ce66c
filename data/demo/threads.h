#pragma once

// Rows of a picture shared out among threads (standard library only).

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace nerfpipe::demo {

// Calls body(row) for 0 .. count - 1 from `threads` threads (0: one per core).
// `body` must not throw.
template <typename Body>
void ForEachRow(int count, int threads, const Body& body) {
  if (threads <= 0) {
    threads =
        std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }
  std::atomic<int> next = 0;
  const auto work = [&] {
    for (int row = next++; row < count; row = next++) body(row);
  };
  std::vector<std::jthread> helpers;
  for (int i = 1; i < std::min(threads, count); ++i) helpers.emplace_back(work);
  work();
}

}  // namespace nerfpipe::demo
