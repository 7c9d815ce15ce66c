// Which pixels come up in a batch, told by colours that say where they lie.

#include "stages/nerf/ray_sampler.h"

#include <cmath>
#include <map>
#include <tuple>

#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

constexpr int kWidth = 96;
constexpr int kHeight = 60;

// Red and green are column and row, blue is the number of the view; opaque in
// the columns from `left` and the rows from `top` on.
View Painted(int number, int left, int top) {
  View view;
  view.camera.width = kWidth;
  view.camera.height = kHeight;
  view.camera.fx = view.camera.fy = 50;
  view.image = torch::zeros({kHeight, kWidth, 4}, torch::kUInt8);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const int alpha = x >= left && y >= top ? 1 : 0;
      const int values[4] = {x, y, number, alpha};
      for (int c = 0; c < 4; ++c) view.image[y][x][c] = values[c];
    }
  }
  return view;
}

using Counts = std::map<std::tuple<int, int, int>, int>;

Counts Draw(const std::vector<View>& views, bool skip_void, int64_t count) {
  Dataset dataset;
  dataset.train = views;
  SamplerOptions options;
  options.skip_void = skip_void;
  const RaySampler sampler(dataset, {}, options, torch::kCPU);
  const torch::Tensor rgba =
      (sampler.Draw(count, 3, {}).rgba * 255).round().to(torch::kInt32);
  const auto at = rgba.accessor<int, 2>();
  Counts counts;
  for (int64_t i = 0; i < count; ++i) ++counts[{at[i][2], at[i][0], at[i][1]}];
  return counts;
}

constexpr int kDraws = 200000;

TEST(RaySamplerTest, AllPixelsAreEquallyLikely) {
  const Counts counts =
      Draw({Painted(0, 0, 0), Painted(1, 90, 0)}, false, kDraws);
  ASSERT_EQ(counts.size(), 2 * kWidth * kHeight);
  const double mean = kDraws / (2.0 * kWidth * kHeight);
  for (const auto& [pixel, count] : counts) {
    EXPECT_LT(std::abs(count - mean), 6 * std::sqrt(mean));
  }
}

// Blocks are two pixels wide here. The first view is opaque from (70, 41) on,
// in blocks 35, 20 and further, so that blocks from 34, 19 on are not void: the
// pixels from (68, 38) on. The second is void altogether, and the third, which
// has no alpha, nowhere.
TEST(RaySamplerTest, VoidPixelsAreDrawnSeldom) {
  View plain = Painted(2, 0, 0);
  plain.image = plain.image.slice(2, 0, 3).contiguous();
  const Counts counts = Draw(
      {Painted(0, 70, 41), Painted(1, kWidth, kHeight), plain}, true, kDraws);
  const auto is_void = [](const auto& pixel) {
    const auto [view, x, y] = pixel;
    return view == 1 || (view == 0 && (x < 68 || y < 38));
  };
  const double all = 3.0 * kWidth * kHeight;
  const double live = kWidth * kHeight + (kWidth - 68) * (kHeight - 38);
  const double left = std::pow(1 - live / all, 8);  // void eight times
  const double mean = kDraws * (1 - left) / live;
  double found_void = 0, found_live = 0;
  for (const auto& [pixel, count] : counts) {
    if (is_void(pixel)) {
      found_void += count;
      continue;
    }
    ++found_live;
    EXPECT_LT(std::abs(count - mean), 6 * std::sqrt(mean));
  }
  EXPECT_EQ(found_live, live);
  EXPECT_NEAR(found_void, kDraws * left, 5 * std::sqrt(kDraws * left));
}

}  // namespace
}  // namespace nerfpipe::nerf
