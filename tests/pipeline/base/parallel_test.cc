#include "pipeline/base/parallel.h"

#include "pipeline/base/error.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

TEST(ParallelFor, VisitsEveryIndexOnce) {
  for (const int threads : {0, 1, 3, 2000}) {
    std::vector<int> visits(1000);
    ParallelFor(1000, threads, [&](int64_t i) { ++visits[i]; });
    EXPECT_EQ(visits, std::vector<int>(1000, 1)) << threads;
  }
  ParallelFor(0, 3, [](int64_t) { FAIL(); });
}

// Each body waits until as many are running as there are threads.
TEST(ParallelFor, RunsAsManyAtOnceAsAskedFor) {
  std::mutex mutex;
  std::condition_variable all_here;
  int here = 0;
  ParallelFor(3, 3, [&](int64_t) {
    std::unique_lock lock(mutex);
    ++here;
    all_here.notify_all();
    ASSERT_TRUE(all_here.wait_for(
        lock, std::chrono::seconds(30), [&] { return here == 3; }));
  });
}

TEST(ParallelFor, OneThreadIsTheCallersOwn) {
  std::set<std::thread::id> threads;
  ParallelFor(
      100, 1, [&](int64_t) { threads.insert(std::this_thread::get_id()); });
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
}

TEST(ParallelFor, PassesTheFirstExceptionOn) {
  std::atomic<int> calls{0};
  try {
    ParallelFor(1'000'000, 2, [&](int64_t i) {
      ++calls;
      if (i == 10) {
        throw UserError("frame 10", "b");
      }
    });
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(error.problem(), "frame 10");
  }
  EXPECT_LT(calls, 1'000'000);
}

TEST(ParallelInOrder, HandsOnInOrderWhoeverIsFirst) {
  std::vector<int64_t> taken;
  ParallelInOrder(
      50,
      4,
      [](int64_t i) {
        // Those at the front of a round are the last to be ready.
        std::this_thread::sleep_for(
            std::chrono::microseconds(500 * (3 - i % 4)));
        return std::vector<int64_t>{i};
      },
      [&](std::vector<int64_t> made) { taken.push_back(made.at(0)); });
  std::vector<int64_t> expected(50);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(taken, expected);
}

TEST(ParallelInOrder, NobodyWaitsForAFailedOne) {
  for (const bool when_made : {true, false}) {
    std::vector<int64_t> taken;
    const auto fail_at_seven = [](int64_t i) {
      if (i == 7) throw UserError("frame 7", "b");
      return i;
    };
    try {
      ParallelInOrder(
          1000,
          3,
          [&](int64_t i) { return when_made ? fail_at_seven(i) : i; },
          [&](int64_t i) {
            taken.push_back(when_made ? i : fail_at_seven(i));
          });
      FAIL();
    } catch (const UserError& error) {
      EXPECT_EQ(error.problem(), "frame 7");
    }
    // In order, and nothing behind what is missing.
    for (int64_t i = 0; i < std::ssize(taken); ++i) EXPECT_EQ(taken[i], i);
    EXPECT_LE(std::ssize(taken), 7);
  }
}

}  // namespace
}  // namespace nerfpipe
