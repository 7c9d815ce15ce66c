#include "stages/capture/work_queue.h"

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

TEST(WorkQueue, DoesAllJobsBeforeFinishReturns) {
  for (const int threads : {0, 1, 3}) {
    std::vector<int> done(50, 0);
    WorkQueue queue(threads);
    for (int& job : done) {
      queue.Add([&job] { ++job; });
    }
    queue.Finish();
    EXPECT_EQ(done, std::vector<int>(50, 1));
    queue.Add([&done] { done[0] = 7; });  // and goes on
    queue.Finish();
    EXPECT_EQ(done[0], 7);
  }
}

TEST(WorkQueue, RunsAsManyAtATimeAsItHasThreads) {
  // Two that wait for each other end only side by side.
  std::promise<void> first;
  std::promise<void> second;
  WorkQueue queue(2);
  queue.Add([&] {
    first.set_value();
    second.get_future().wait();
  });
  queue.Add([&] {
    second.set_value();
    first.get_future().wait();
  });
  queue.Finish();
}

TEST(WorkQueue, NoMoreWaitThanRun) {
  constexpr int kThreads = 3;
  std::atomic<int> added = 0;
  std::atomic<int> done = 0;
  std::atomic<int> most_running = 0;
  std::atomic<int> most_held = 0;
  std::atomic<int> running = 0;
  const auto raise = [](std::atomic<int>& most, int value) {
    int before = most;
    while (before < value && !most.compare_exchange_weak(before, value)) {
    }
  };
  WorkQueue queue(kThreads);
  for (int i = 0; i < 200; ++i) {
    queue.Add([&] {
      raise(most_running, ++running);
      raise(most_held, added - done);
      --running;
      ++done;
    });
    ++added;
  }
  queue.Finish();
  EXPECT_EQ(done, 200);
  EXPECT_LE(most_running, kThreads);
  EXPECT_LE(most_held, 2 * kThreads + 1);
}

TEST(WorkQueue, ThrowsWhatAJobThrew) {
  WorkQueue queue(1);
  queue.Add([] { throw std::runtime_error("disk full"); });
  try {
    queue.Finish();
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "disk full");
  }
  // Nothing more is taken after that.
  bool ran = false;
  EXPECT_THROW(queue.Add([&ran] { ran = true; }), std::runtime_error);
  EXPECT_THROW(queue.Finish(), std::runtime_error);
  EXPECT_FALSE(ran);
}

TEST(WorkQueue, TheFirstErrorCounts) {
  std::promise<void> begun;
  std::promise<void> go;
  WorkQueue queue(1);
  queue.Add([&] {
    begun.set_value();
    go.get_future().wait();
    throw std::runtime_error("first");
  });
  begun.get_future().wait();
  queue.Add([] { throw std::runtime_error("second"); });
  go.set_value();
  try {
    queue.Finish();
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
}

TEST(WorkQueue, EndsWithoutItsWaitingJobs) {
  std::promise<void> begun;
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  bool ran = false;
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = held;
  std::thread releaser;
  {
    WorkQueue queue(1);
    queue.Add([&begun, gone] {
      begun.set_value();
      gone.wait();
    });
    begun.get_future().wait();
    queue.Add([&ran, held] { ran = true; });
    held.reset();
    // Lets the first job end once the queue has let go of the second.
    releaser = std::thread([&go, watched] {
      while (!watched.expired()) std::this_thread::yield();
      go.set_value();
    });
  }
  releaser.join();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace nerfpipe
