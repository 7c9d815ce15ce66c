#include "pipeline/engine/isolated.h"

#include "pipeline/base/atomic_file.h"
#include "tests/listener.h"
#include "tests/temporary_folder.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class Hungry : public Stage {
 public:
  std::string Name() const override { return "hungry"; }
  int Version() const override { return 1; }
  std::string Description() const override { return "wants memory"; }
  std::vector<std::string> Inputs() const override { return {}; }
  std::vector<std::string> Outputs() const override { return {}; }
  std::vector<OptionGroup> Options() override { return {}; }
  StageResult Run(const StageContext&) override { return {}; }
};

class Isolated : public ::testing::Test {
 protected:
  // A child that is killed unless it may take no more than `enough` bytes, and
  // that notes what it was allowed.
  IsolatedCommand KilledAbove(int64_t enough) {
    return [this, enough](const std::string&, int64_t memory) {
      allowed_.push_back(memory);
      const fs::path result =
          workspace_.UnfinishedPath("hungry") / "result.json";
      fs::create_directories(result.parent_path());
      const std::string script =
          memory > enough
              ? "kill -KILL $$"
              : "echo '{\"done\":true,\"line\":\"fed\",\"account\":[],"
                "\"facts\":{}}' > '" +
                    result.string() + "'";
      return std::vector<std::string>{"/bin/sh", "-c", script};
    };
  }

  StageResult RunWith(int64_t memory, int64_t enough) {
    double peak = 0;
    return RunIsolated(
        workspace_, stage_, KilledAbove(enough), memory, report_, &peak);
  }

  TemporaryFolder folder_;
  Workspace workspace_ =
      Workspace::OpenOrCreate(folder_.path() / "work", folder_.path());
  Hungry stage_;
  Listener report_;
  std::vector<int64_t> allowed_;
};

TEST_F(Isolated, KilledForMemoryRunsOnceMoreWithLess) {
  const StageResult result = RunWith(4'000'000'000, 3'000'000'000);
  EXPECT_EQ(result.state, StageResult::State::kDone);
  EXPECT_EQ(result.line, "fed");
  ASSERT_THAT(allowed_, SizeIs(2));
  EXPECT_EQ(allowed_[0], 4'000'000'000);
  EXPECT_LE(allowed_[1], 2'000'000'000);
  EXPECT_THAT(report_.warnings, ElementsAre(HasSubstr("memory ran out")));
}

TEST_F(Isolated, KilledTwiceFailsWithARemedy) {
  const StageResult result = RunWith(4'000'000'000, 0);
  EXPECT_EQ(result.state, StageResult::State::kFailed);
  EXPECT_THAT(result.line, HasSubstr("--mem"));
  EXPECT_THAT(allowed_, SizeIs(2));
}

}  // namespace
}  // namespace nerfpipe
