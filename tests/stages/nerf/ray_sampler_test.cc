// Which pixels come up in a batch, told by colours that say where they lie.

#include "stages/nerf/ray_sampler.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

constexpr int kWidth = 97;
constexpr int kHeight = 61;

// Red and green are column and row, blue is the number of the view; opaque in
// the columns from `left` and the rows from `top` on.
View Painted(int number, int left, int top) {
  View view;
  view.camera.width = kWidth;
  view.camera.height = kHeight;
  view.camera.fx = 50;
  view.camera.fy = 43;
  view.camera.cx = 46.5;
  view.camera.cy = 33;
  view.image = torch::zeros({kHeight, kWidth, 4}, torch::kUInt8);
  auto pixels = view.image.accessor<uint8_t, 3>();
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const int alpha = x >= left && y >= top ? 1 : 0;
      const int values[4] = {x, y, number, alpha};
      for (int c = 0; c < 4; ++c) {
        pixels[y][x][c] = static_cast<uint8_t>(values[c]);
      }
    }
  }
  return view;
}

using Counts = std::map<std::tuple<int, int, int>, int>;

Counts Draw(const std::vector<View>& views,
            const SamplerOptions& options,
            int64_t count,
            int64_t step = 3) {
  Dataset dataset;
  dataset.train = views;
  const RaySampler sampler(dataset, {}, options, torch::kCPU);
  const torch::Tensor rgba =
      (sampler.Draw(count, step, {}).rgba * 255).round().to(torch::kInt32);
  const auto at = rgba.accessor<int, 2>();
  Counts counts;
  for (int64_t i = 0; i < count; ++i) ++counts[{at[i][2], at[i][0], at[i][1]}];
  return counts;
}

constexpr int kDraws = 200000;

TEST(RaySamplerTest, AllPixelsAreEquallyLikely) {
  const Counts counts = Draw({Painted(0, 0, 0), Painted(1, 90, 0)}, {}, kDraws);
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
  SamplerOptions options;
  options.skip_void = true;
  const Counts counts =
      Draw({Painted(0, 70, 41), Painted(1, kWidth, kHeight), plain},
           options,
           kDraws);
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

// Used are the columns up to 30 of the first view, and the last pixel.
TEST(RaySamplerTest, WhatAMaskLeavesOutNeverComesUp) {
  View masked = Painted(0, 0, 0);
  masked.mask = torch::zeros({kHeight, kWidth}, torch::kUInt8);
  masked.mask.slice(1, 0, 31).fill_(255);
  masked.mask[kHeight - 1][kWidth - 1] = 1;
  View none = Painted(2, 0, 0);
  none.mask = torch::zeros({kHeight, kWidth}, torch::kUInt8);
  const std::vector<View> views = {masked, Painted(1, 90, 0), none};
  const Counts counts = Draw(views, {}, kDraws);
  const double all = 31 * kHeight + 1 + kWidth * kHeight;
  ASSERT_EQ(counts.size(), static_cast<size_t>(all));
  const double mean = kDraws / all;
  for (const auto& [pixel, count] : counts) {
    const auto [view, x, y] = pixel;
    EXPECT_NE(view, 2);
    EXPECT_TRUE(view == 1 || x <= 30 || (x == 96 && y == 60));
    EXPECT_LT(std::abs(count - mean), 6 * std::sqrt(mean));
  }
  SamplerOptions middle;
  middle.precrop_steps = 9;
  for (const auto& [pixel, count] : Draw({masked}, middle, 2000)) {
    EXPECT_TRUE(std::get<1>(pixel) <= 30 || std::get<1>(pixel) == 96);
  }
  EXPECT_THROW(Draw({none}, {}, 1), UserError);
  none.mask = none.mask.slice(1, 1);
  EXPECT_THROW(Draw({none}, {}, 1), UserError);
}

// The middle is that of nerf-pytorch: int(H // 2 * frac) pixels to both sides
// of H // 2, each axis by itself; from step 5 on all pixels count.
TEST(RaySamplerTest, FirstStepsSeeTheMiddle) {
  SamplerOptions options;
  options.precrop_steps = 5;
  options.precrop_fraction = 0.3;
  const View small = [] {
    View view = Painted(1, 0, 0);
    view.camera.width = 41;
    view.image = view.image.slice(1, 0, 41).contiguous();
    return view;
  }();
  for (const int64_t step : {0, 4}) {
    const Counts counts = Draw({Painted(0, 0, 0), small}, options, 20000, step);
    std::map<int, int> left, right, top, bottom, pixels;
    for (const auto& [pixel, count] : counts) {
      const auto [view, x, y] = pixel;
      left.try_emplace(view, kWidth);
      top.try_emplace(view, kHeight);
      left[view] = std::min(left[view], x);
      right[view] = std::max(right[view], x);
      top[view] = std::min(top[view], y);
      bottom[view] = std::max(bottom[view], y);
      ++pixels[view];
    }
    // 48 -+ 14, 20 -+ 6, 30 -+ 9.
    EXPECT_EQ(left[0], 34);
    EXPECT_EQ(right[0], 61);
    EXPECT_EQ(left[1], 14);
    EXPECT_EQ(right[1], 25);
    for (const int view : {0, 1}) {
      EXPECT_EQ(top[view], 21);
      EXPECT_EQ(bottom[view], 38);
    }
    EXPECT_EQ(pixels[0], 28 * 18);
    EXPECT_EQ(pixels[1], 12 * 18);
  }
  EXPECT_EQ(Draw({Painted(0, 0, 0)}, options, kDraws, 5).size(),
            kWidth * kHeight);
}

TEST(RaySamplerTest, ABatchMayBeOfOneImage) {
  SamplerOptions options;
  options.one_image = true;
  std::map<int, int> seen;
  for (int64_t step = 0; step < 20; ++step) {
    const Counts counts =
        Draw({Painted(0, 0, 0), Painted(1, 0, 0), Painted(2, 0, 0)},
             options,
             500,
             step);
    const int view = std::get<0>(counts.begin()->first);
    for (const auto& [pixel, count] : counts) {
      ASSERT_EQ(std::get<0>(pixel), view);
    }
    EXPECT_GT(counts.size(), 400);
    ++seen[view];
  }
  EXPECT_EQ(seen.size(), 3);
}

TEST(RaySamplerTest, SeedAndStepAreAllThatCounts) {
  SamplerOptions options;
  const std::vector<View> views = {Painted(0, 0, 0)};
  const Counts first = Draw(views, options, 100);
  EXPECT_EQ(Draw(views, options, 100), first);
  EXPECT_NE(Draw(views, options, 100, 4), first);
  options.seed = 2;
  EXPECT_NE(Draw(views, options, 100), first);
}

TEST(RaySamplerTest, ImagesThatDoNotFitTheirCamerasAreNamed) {
  View view = Painted(0, 0, 0);
  view.name = "IMG 9.png";
  view.camera.width = kHeight;
  view.camera.height = kWidth;
  try {
    Draw({Painted(0, 0, 0), view}, {}, 1);
    FAIL() << "no error";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(),
                ::testing::AllOf(::testing::HasSubstr("IMG 9.png"),
                                 ::testing::HasSubstr("61x97")));
  }
}

}  // namespace
}  // namespace nerfpipe::nerf
