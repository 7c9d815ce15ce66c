// How long runs are, and what sizes of images they carry.

#include "stages/nerf/method_facts.h"

#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

const std::vector<int> kFactors = {1, 2, 4, 8};

int Factor(const char* method, double seconds, int width, int height) {
  return FactorFor(FactsOf(method), seconds, width, height, kFactors);
}

TEST(MethodFacts, TimeCarriesPixels) {
  // About 1000 pixels on the longer side, whichever it is, in two minutes.
  EXPECT_EQ(Factor("splat", 120, 952, 536), 1);
  EXPECT_EQ(Factor("splat", 120, 1056, 1888), 2);
  EXPECT_EQ(Factor("splat", 120, 4032, 3024), 4);
  EXPECT_EQ(Factor("splat", 120, 8064, 6048), 8);
  // Four times the time carry twice the side.
  EXPECT_EQ(Factor("splat", 480, 1056, 1888), 1);
  EXPECT_EQ(Factor("splat", 30, 1056, 1888), 4);
  EXPECT_EQ(Factor("ngp", 60, 952, 536), 2);
  // Hours of a slow network are not worth more than that.
  EXPECT_EQ(Factor("nerf", 1e6, 952, 536), 2);
}

TEST(MethodFacts, FactorIsOneOfThoseThatThereAre) {
  const MethodFacts& splat = FactsOf("splat");
  EXPECT_EQ(FactorFor(splat, 120, 4032, 3024, {3, 1}), 3);  // too large still
  EXPECT_EQ(FactorFor(splat, 120, 952, 536, {8, 4}), 4);
  EXPECT_EQ(FactorFor(splat, 120, 4032, 3024, {16, 5, 1}), 5);
}

TEST(MethodFacts, BudgetIsWhatEndsFirst) {
  Options options;
  EXPECT_EQ(BudgetOf(options), 60);
  options.train.steps = 1000;
  EXPECT_EQ(BudgetOf(options), 10);
  options.train.time = 7.5;
  EXPECT_EQ(BudgetOf(options), 7.5);
  options.train.steps = 100;
  EXPECT_EQ(BudgetOf(options), 1);
  options = {};
  options.train.method = "splat";
  EXPECT_EQ(BudgetOf(options), 120);
  options.train.time = 500;
  EXPECT_EQ(BudgetOf(options), 500);
}

TEST(MethodFacts, MemoryGrowsWithTheImages) {
  // Beside the images half of each in size, and pictures for stereo.
  EXPECT_EQ(PeakBytes(FactsOf("splat"), 600'000'000), 1'250'000'000);
  EXPECT_EQ(PeakBytes(FactsOf("ngp"), 600'000'000), 1'010'000'000);
  for (const char* method : {"ngp", "nerf", "splat"}) {
    // What may always be taken is enough for small ones.
    EXPECT_LT(PeakBytes(FactsOf(method), 10'000'000), 500'000'000) << method;
  }
}

TEST(MethodFacts, StepsAreAPaceTimesTheTime) {
  EXPECT_EQ(StepsFor(FactsOf("ngp"), 60, 1 << 20), 6000);
  EXPECT_EQ(StepsFor(FactsOf("nerf"), 1e6, 1), 200000);
  EXPECT_EQ(StepsFor(FactsOf("splat"), 10, 62'500), 1045);
  // Larger images than a step looks at cost no more.
  EXPECT_EQ(StepsFor(FactsOf("splat"), 10, 400'000),
            StepsFor(FactsOf("splat"), 10, 2'000'000));
  EXPECT_EQ(StepsFor(FactsOf("splat"), 10, 400'000), 665);
}

}  // namespace
}  // namespace nerfpipe::nerf
