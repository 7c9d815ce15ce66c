#include "pipeline/base/memory.h"

#include "pipeline/base/atomic_file.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// A machine with so many kB available, and a process in a control group.
class MemoryTest : public ::testing::Test {
 protected:
  MemoryTest() {
    Put("proc/meminfo",
        "MemTotal:       65000000 kB\n"
        "MemFree:          123456 kB\n"
        "MemAvailable:    8000000 kB\n"
        "Buffers:            1000 kB\n");
    Put("proc/self/cgroup",
        "4:memory:/other\n"
        "0::/user.slice/job.scope\n");
  }

  void Put(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    WriteFileAtomically(root_ / path, text);
  }
  void PutGroup(const std::string& group,
                const std::string& limit,
                int64_t used,
                int64_t cached) {
    const std::string folder = "sys/fs/cgroup" + group;
    Put(folder + "/memory.max", limit + "\n");
    Put(folder + "/memory.current", std::to_string(used) + "\n");
    Put(folder + "/memory.stat",
        "anon 77\nactive_file 5000\ninactive_file " + std::to_string(cached) +
            "\nslab 12\n");
  }
  int64_t Available() { return AvailableMemory(root_); }

  TemporaryFolder root_;
};

constexpr int64_t kOfMachine = 8'000'000LL * 1024;

TEST_F(MemoryTest, IsWhatTheMachineHasAvailable) {
  EXPECT_EQ(Available(), kOfMachine);
}

TEST_F(MemoryTest, LimitOfTheGroupCounts) {
  PutGroup("/user.slice/job.scope", "3000000000", 1'200'000'000, 300'000'000);
  EXPECT_EQ(Available(), 2'100'000'000);
}

TEST_F(MemoryTest, TightestGroupAboveCounts) {
  PutGroup("/user.slice/job.scope", "3000000000", 1'000'000'000, 0);
  PutGroup("/user.slice", "2500000000", 2'000'000'000, 100'000'000);
  EXPECT_EQ(Available(), 600'000'000);
  PutGroup("", "1000000000", 900'000'000, 0);  // a container's own
  EXPECT_EQ(Available(), 100'000'000);
}

TEST_F(MemoryTest, GroupsWithoutALimitDoNotCount) {
  PutGroup("/user.slice/job.scope", "max", 1'200'000'000, 0);
  PutGroup("/user.slice", "3000000000", 1'000'000'000, 0);
  EXPECT_EQ(Available(), 2'000'000'000);
}

TEST_F(MemoryTest, LooserGroupDoesNotRaiseIt) {
  PutGroup("/user.slice/job.scope", "90000000000", 1, 0);
  EXPECT_EQ(Available(), kOfMachine);
}

TEST_F(MemoryTest, GroupOverItsLimitLeavesNothing) {
  PutGroup("/user.slice/job.scope", "1000000000", 1'000'001'000, 0);
  EXPECT_EQ(Available(), 0);
}

TEST_F(MemoryTest, ProcessInTheRootGroup) {
  Put("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(Available(), kOfMachine);
  PutGroup("", "3000000000", 1'000'000'000, 0);
  EXPECT_EQ(Available(), 2'000'000'000);
}

TEST_F(MemoryTest, OldMachinesTellLess) {
  Put("proc/meminfo", "MemTotal: 65000000 kB\nMemFree: 123456 kB\n");
  EXPECT_GT(Available(), 0);
}

// Whatever is taken of it.
TEST_F(MemoryTest, TotalIsThatOfTheMachineOrTheTightestLimit) {
  EXPECT_EQ(TotalMemory(root_), 65'000'000LL * 1024);
  PutGroup("/user.slice/job.scope", "max", 1'200'000'000, 0);
  PutGroup("/user.slice", "3000000000", 2'900'000'000, 100);
  EXPECT_EQ(TotalMemory(root_), 3'000'000'000);
  Put("proc/meminfo", "");
  EXPECT_GT(TotalMemory(root_), 0);
}

TEST(Memory, ThisMachineHasSome) {
  EXPECT_GT(AvailableMemory(), 0);
  EXPECT_GE(TotalMemory(), AvailableMemory());
}

TEST(Memory, ThreadsFitBesideWhatIsFixed) {
  EXPECT_EQ(ThreadsWithin(1000, 300, 200, 8), 3);
  EXPECT_EQ(ThreadsWithin(1100, 300, 200, 8), 4);
  EXPECT_EQ(ThreadsWithin(1000, 300, 200, 2), 2);
  EXPECT_EQ(ThreadsWithin(100, 300, 200, 8), 1);
  EXPECT_EQ(ThreadsWithin(1000, 300, 200, 0), 1);
}

}  // namespace
}  // namespace nerfpipe
