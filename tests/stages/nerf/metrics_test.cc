// Reference numbers: tests/reference/metrics_reference.py (numpy, double).

#include "stages/nerf/metrics.h"

#include <cmath>

#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

struct Pair {
  torch::Tensor image;
  torch::Tensor truth;
};

Pair ReferenceImages(int64_t height = 24, int64_t width = 31) {
  Pair pair = {torch::empty({height, width, 3}, torch::kDouble),
               torch::empty({height, width, 3}, torch::kDouble)};
  auto image = pair.image.accessor<double, 3>();
  auto truth = pair.truth.accessor<double, 3>();
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        truth[y][x][c] = 0.5 + 0.4 * std::sin(0.7 * x + 0.3 * y + c);
        image[y][x][c] =
            truth[y][x][c] + 0.1 * std::cos(1.3 * x - 0.9 * y + 2 * c);
      }
    }
  }
  return pair;
}

TEST(MetricsTest, EqualsNumpy) {
  const Pair pair = ReferenceImages();
  EXPECT_NEAR(Psnr(pair.image, pair.truth), 23.0101518572577, 1e-10);
  EXPECT_NEAR(Ssim(pair.image, pair.truth), 0.957811955544215, 1e-12);
  EXPECT_NEAR(MsSsim(pair.image, pair.truth), 0.978472320714761, 1e-12);
  // With four scales instead of two.
  const Pair large = ReferenceImages(97, 131);
  EXPECT_NEAR(MsSsim(large.image, large.truth), 0.991102895349441, 1e-12);
}

TEST(MetricsTest, IdenticalImagesGiveFiniteBest) {
  const Pair pair = ReferenceImages();
  EXPECT_EQ(Psnr(pair.truth, pair.truth), 100);
  EXPECT_NEAR(Ssim(pair.truth, pair.truth), 1, 1e-12);
}

TEST(MetricsTest, TakesImagesSmallerThanTheWindow) {
  const torch::Tensor flat = torch::full({4, 7, 3}, 0.5, torch::kFloat32);
  EXPECT_NEAR(Ssim(flat, flat), 1, 1e-6);
  EXPECT_NEAR(MsSsim(flat, flat), 1, 1e-6);
  EXPECT_NEAR(Psnr(flat, flat + 0.1f), 20, 1e-4);
}

}  // namespace
}  // namespace nerfpipe::nerf
