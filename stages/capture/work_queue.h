#pragma once

// A few threads that work off what one thread hands them.

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace nerfpipe {

class WorkQueue {
 public:
  using Job = std::function<void()>;

  // At most `threads` jobs run and as many wait: Add() blocks beyond that, so
  // that decoded pictures do not pile up.
  explicit WorkQueue(int threads);
  // Drops the waiting jobs and ends the threads.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Throws what an earlier job threw.
  void Add(Job job);
  // Waits for all jobs. Throws what one of them threw.
  void Finish();

 private:
  void Work();
  void ThrowIfFailed();

  size_t limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  size_t running_ = 0;
  bool closed_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

}  // namespace nerfpipe
