// The light of views from what pairs of them say, where the truth is known.

#include "stages/capture/light_drift.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

// Of views under this light.
ComparedPair Pair(size_t first,
                  size_t second,
                  const std::vector<LightStep>& light) {
  ComparedPair pair{first, second};
  pair.common.matches = 40;
  pair.common.lit = 30;
  pair.common.light = {light[second].exposure - light[first].exposure,
                       light[second].red - light[first].red,
                       light[second].blue - light[first].blue};
  return pair;
}

// Of 61 views; the one in the middle of each figure is 0.
std::vector<LightStep> Drifting() {
  std::vector<LightStep> light;
  for (int i = 0; i < 61; ++i) {
    const double t = (i - 30) / 30.0;
    light.push_back({1.3 * t, -0.4 * t, 0.2 * t * t * t});
  }
  return light;
}

std::vector<ComparedPair> Chain(const std::vector<LightStep>& light,
                                size_t step) {
  std::vector<ComparedPair> pairs;
  for (size_t i = 0; i + step < light.size(); ++i) {
    pairs.push_back(Pair(i, i + step, light));
  }
  return pairs;
}

TEST(LightOfViews, IsChainedOverNeighbours) {
  const std::vector<LightStep> truth = Drifting();
  const std::vector<LightStep> found = LightOfViews(61, Chain(truth, 1));
  ASSERT_EQ(found.size(), 61u);
  for (size_t i = 0; i < 61; ++i) {
    EXPECT_NEAR(found[i].exposure, truth[i].exposure, 1e-6) << i;
    EXPECT_NEAR(found[i].red, truth[i].red, 1e-6) << i;
    EXPECT_NEAR(found[i].blue, truth[i].blue, 1e-6) << i;
  }
}

TEST(LightOfViews, AgreesWithMostPairs) {
  const std::vector<LightStep> truth = Drifting();
  std::vector<ComparedPair> pairs = Chain(truth, 1);
  for (const size_t step : {5u, 17u}) {
    const auto more = Chain(truth, step);
    pairs.insert(pairs.end(), more.begin(), more.end());
  }
  for (size_t k = 3; k < pairs.size(); k += 9) {
    pairs[k].common.light.exposure += 2;
  }
  const std::vector<LightStep> found = LightOfViews(61, pairs);
  for (size_t i = 0; i < 61; ++i) {
    EXPECT_NEAR(found[i].exposure - found[0].exposure,
                truth[i].exposure - truth[0].exposure,
                0.05)
        << i;
  }
}

TEST(LightOfViews, OfPartsIsThatWithinThem) {
  // Nothing tells how the light of one part is to that of another, nor what
  // that of a view alone is.
  const std::vector<LightStep> truth = {
      {0, 0, 0}, {0.5, 0, 0}, {1, 0, 0}, {7, 0, 0}, {7.5, 0, 0}, {9, 0, 0}};
  std::vector<ComparedPair> pairs = {
      Pair(0, 1, truth), Pair(1, 2, truth), Pair(3, 4, truth)};
  const auto exposures = [&] {
    std::vector<double> values;
    for (const LightStep& step : LightOfViews(6, pairs)) {
      values.push_back(std::round(1e6 * step.exposure) / 1e6);
    }
    return values;
  };
  EXPECT_EQ(exposures(), (std::vector<double>{-0.5, 0, 0.5, -0.5, 0, 0}));
  // A pair without enough in common, or without enough of it lit, says nothing.
  pairs.push_back(Pair(2, 3, truth));
  pairs.back().common.matches = 17;
  pairs.push_back(Pair(2, 4, truth));
  pairs.back().common.lit = 11;
  EXPECT_EQ(exposures(), (std::vector<double>{-0.5, 0, 0.5, -0.5, 0, 0}));
  // One that was compared for the sake of movement does.
  pairs.push_back(Pair(0, 3, truth));
  pairs.back().far = true;
  EXPECT_EQ(exposures(), (std::vector<double>{-1, -0.5, 0, 6, 6.5, 0}));
  EXPECT_TRUE(LightOfViews(0, {}).empty());
}

}  // namespace
}  // namespace nerfpipe
