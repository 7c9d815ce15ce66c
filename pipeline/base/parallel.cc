#include "pipeline/base/parallel.h"

#include "pipeline/base/system_call.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <exception>
#include <future>
#include <mutex>
#include <system_error>

namespace nerfpipe {

int StartThreads(int count,
                 const std::function<void()>& work,
                 std::vector<std::thread>* threads) {
  threads->reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    try {
      threads->emplace_back(work);
    } catch (const std::system_error&) {
      return i;
    }
  }
  return count;
}

void RequireThreads(int count) {
  std::promise<void> all_there;
  const std::shared_future<void> wait = all_there.get_future();
  std::vector<std::thread> threads;
  const int granted = StartThreads(
      count, [&] { wait.wait(); }, &threads);
  all_there.set_value();
  for (std::thread& thread : threads) thread.join();
  if (granted < count) {
    ThrowSystemError("the system refuses a thread", EAGAIN);
  }
}

void ParallelFor(int64_t count,
                 int threads,
                 const std::function<void(int64_t)>& body) {
  if (threads <= 0) {
    threads = static_cast<int>(std::thread::hardware_concurrency());
  }
  threads = static_cast<int>(
      std::clamp<int64_t>(threads, 1, std::max<int64_t>(count, 1)));

  std::atomic<int64_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto work = [&] {
    for (int64_t i = next++; i < count; i = next++) {
      try {
        body(i);
      } catch (...) {
        next = count;
        const std::lock_guard lock(failure_mutex);
        if (!failure) {
          failure = std::current_exception();
        }
      }
    }
  };

  std::vector<std::thread> helpers;
  StartThreads(threads - 1, work, &helpers);
  work();
  for (std::thread& helper : helpers) {
    helper.join();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

void Turns::Take(int64_t i, const std::function<void()>& hand_on) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || next_ == i; });
  if (stopped_) return;
  hand_on();
  ++next_;
  changed_.notify_all();
}

void Turns::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

}  // namespace nerfpipe
