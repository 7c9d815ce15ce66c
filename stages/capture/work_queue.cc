#include "stages/capture/work_queue.h"

#include "pipeline/base/parallel.h"

#include <algorithm>
#include <utility>

namespace nerfpipe {

WorkQueue::WorkQueue(int threads)
    : limit_(static_cast<size_t>(std::max(1, threads))) {
  StartThreads(
      std::max(1, threads), [this] { Work(); }, &threads_);
}

WorkQueue::~WorkQueue() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkQueue::ThrowIfFailed() {
  if (failure_) std::rethrow_exception(failure_);
}

void WorkQueue::Add(Job job) {
  if (threads_.empty()) {  // the system grants none
    job();
    return;
  }
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.size() < limit_; });
  ThrowIfFailed();
  waiting_.push_back(std::move(job));
  changed_.notify_all();
}

void WorkQueue::Finish() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && running_ == 0; });
  ThrowIfFailed();
}

void WorkQueue::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    ++running_;
    changed_.notify_all();
    lock.unlock();
    std::exception_ptr thrown;
    try {
      job();
    } catch (...) {
      thrown = std::current_exception();
    }
    job = nullptr;  // what it holds is released before it counts as done
    lock.lock();
    --running_;
    if (thrown && !failure_) failure_ = thrown;
    changed_.notify_all();
  }
}

}  // namespace nerfpipe
