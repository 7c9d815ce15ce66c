// Reference numbers: tests/reference/metrics_reference.py (numpy, double).

#include "stages/nerf/metrics.h"

#include "stages/nerf/colour_correction.h"

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
  // In two strips, and with four scales instead of two.
  const Pair large = ReferenceImages(97, 131);
  EXPECT_NEAR(Psnr(large.image, large.truth), 23.0102963936114, 1e-10);
  EXPECT_NEAR(Ssim(large.image, large.truth), 0.957811452383307, 1e-12);
  EXPECT_NEAR(MsSsim(large.image, large.truth), 0.991102895349441, 1e-12);
}

TEST(MetricsTest, IdenticalImagesGiveFiniteBest) {
  const Pair pair = ReferenceImages();
  EXPECT_EQ(Psnr(pair.truth, pair.truth), 100);
  EXPECT_NEAR(Ssim(pair.truth, pair.truth), 1, 1e-12);
}

TEST(ColourCorrectionTest, EqualsNumpy) {
  const Pair pair = ReferenceImages();
  // The same whatever the light of the picture was.
  const torch::Tensor tinted =
      pair.image * torch::tensor({0.7, 0.4, 1.6}, torch::kDouble) +
      torch::tensor({0.1, 0.0, -0.2}, torch::kDouble);
  for (const torch::Tensor& image : {pair.image, tinted}) {
    const torch::Tensor corrected = ColourCorrected(image, pair.truth);
    EXPECT_NEAR(Psnr(corrected, pair.truth), 23.273633151245, 1e-10);
    EXPECT_NEAR(Ssim(corrected, pair.truth), 0.958293615010365, 1e-12);
  }
}

TEST(ColourCorrectionTest, AnotherLightIsNoError) {
  const torch::Tensor truth = ReferenceImages().truth;
  const torch::Tensor other =
      truth * torch::tensor({0.8, 1.25, 0.3}, torch::kDouble) +
      torch::tensor({0.05, -0.1, 0.4}, torch::kDouble);
  EXPECT_LT(Psnr(other, truth), 20);
  EXPECT_GT(Psnr(ColourCorrected(other, truth), truth), 99);
  // But one channel must not be made of another.
  EXPECT_LT(Psnr(ColourCorrected(truth.flip(2), truth), truth), 20);
}

TEST(ColourCorrectionTest, FlatPicturesBecomeTheMean) {
  const torch::Tensor truth = ReferenceImages().truth;
  const torch::Tensor corrected =
      ColourCorrected(torch::full_like(truth, 0.3).to(torch::kFloat32), truth);
  const torch::Tensor mean = truth.mean(torch::IntArrayRef({0, 1}));
  EXPECT_LT((corrected - mean).abs().max().item<double>(), 1e-6);
}

TEST(MetricsTest, TakesImagesSmallerThanTheWindow) {
  const torch::Tensor flat = torch::full({4, 7, 3}, 0.5, torch::kFloat32);
  EXPECT_NEAR(Ssim(flat, flat), 1, 1e-6);
  EXPECT_NEAR(MsSsim(flat, flat), 1, 1e-6);
  EXPECT_NEAR(Psnr(flat, flat + 0.1f), 20, 1e-4);
}

}  // namespace
}  // namespace nerfpipe::nerf
