// The header-only helpers.

#include "pipeline/base/error.h"
#include "pipeline/base/median.h"
#include "pipeline/base/random.h"
#include "pipeline/base/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::HasSubstr;

TEST(UserError, SaysProblemAndRemedyInOneLine) {
  const UserError error("a.mp4 is empty", "give another");
  EXPECT_STREQ(error.what(), "a.mp4 is empty; give another");
  EXPECT_EQ(error.problem(), "a.mp4 is empty");
  EXPECT_EQ(error.remedy(), "give another");
  EXPECT_EQ(error.exit_code(), ExitCode::kFailed);
}

// Scripts go by them; docs/WORKSPACE.md lists them.
TEST(UserError, ExitCodesAreThoseOfTheDocumentation) {
  EXPECT_EQ(static_cast<int>(ExitCode::kDone), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::kFailed), 1);
  EXPECT_EQ(static_cast<int>(ExitCode::kUsage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::kInterrupted), 130);
}

TEST(Check, SaysWhatDoesNotHold) {
  NERFPIPE_CHECK(1 + 1 == 2);
  try {
    NERFPIPE_CHECK(1 + 1 == 3);
    FAIL();
  } catch (const CheckFailed& error) {
    EXPECT_THAT(error.what(), HasSubstr("1 + 1 == 3"));
    EXPECT_THAT(error.what(), HasSubstr("values_test.cc:"));
  }
}

TEST(Median, IsTheUpperOneOfTheMiddle) {
  EXPECT_EQ(UpperMedian({7}), 7);
  EXPECT_EQ(UpperMedian({9, 1, 5}), 5);
  EXPECT_EQ(UpperMedian({4, 1, 3, 2}), 3);
  EXPECT_THROW(UpperMedian({}), CheckFailed);
}

// The first numbers of splitmix64 from the seed 1234567, as published with the
// reference implementation's test vectors.
TEST(Random, IsSplitmix64) {
  Random random(1234567);
  EXPECT_EQ(random.Bits(), 6457827717110365317u);
  EXPECT_EQ(random.Bits(), 3203168211198807973u);
  EXPECT_EQ(random.Bits(), 9817491932198370423u);
  EXPECT_EQ(random.Bits(), 4593380528125082431u);
  EXPECT_EQ(random.Bits(), 16408922859458223821u);
}

TEST(Random, NumbersStayInTheirRange) {
  Random random(5);
  double sum = 0;
  for (int i = 0; i < 1000; ++i) {
    const double number = random.Uniform(-2, 6);
    ASSERT_GE(number, -2);
    ASSERT_LT(number, 6);
    sum += number;
    ASSERT_LT(random.Below(7), 7u);
  }
  EXPECT_NEAR(sum / 1000, 2, 0.4);
  Random again(random.state());
  EXPECT_EQ(again.Bits(), random.Bits());
}

TEST(SilentReport, TakesEverything) {
  Report& report = SilentReport();
  report.Info("a");
  report.Warn("b");
  report.Detail("c");
  report.Show({{"x"}, {{"y"}}});
  report.Start("d", 3, "steps")->Update(1);
}

}  // namespace
}  // namespace nerfpipe
