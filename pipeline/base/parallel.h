#pragma once

// Plain parallel loops over indices, on threads of their own.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace nerfpipe {

// Starts `count` threads, or as many as the system grants; says how many.
int StartThreads(int count,
                 const std::function<void()>& work,
                 std::vector<std::thread>* threads);

// Throws MachineError where the system does not grant so many threads at once:
// for libraries that would wait for them for ever.
void RequireThreads(int count);

// Calls body(i) for i in 0 .. count - 1 from `threads` threads (0: one per
// core). The first exception thrown by a body is thrown again here, after the
// running bodies have ended and no new one was started.
void ParallelFor(int64_t count,
                 int threads,
                 const std::function<void(int64_t)>& body);

// Lets those who work on many things at once hand them on one by one.
class Turns {
 public:
  // Calls hand_on() when it is i's turn, and passes the turn on; after Stop()
  // not at all.
  void Take(int64_t i, const std::function<void()>& hand_on);
  // For who fails: nobody waits for a turn any more.
  void Stop();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t next_ = 0;
  bool stopped_ = false;
};

// As ParallelFor(), with take(make(i)) for make(i), where takes come one after
// the other in the order of the indices. No more than `threads` of what was
// made is kept.
template <class Make, class Take>
void ParallelInOrder(int64_t count,
                     int threads,
                     const Make& make,
                     const Take& take) {
  Turns turns;
  ParallelFor(count, threads, [&](int64_t i) {
    try {
      auto made = make(i);
      turns.Take(i, [&] { take(std::move(made)); });
    } catch (...) {
      turns.Stop();
      throw;
    }
  });
}

}  // namespace nerfpipe
