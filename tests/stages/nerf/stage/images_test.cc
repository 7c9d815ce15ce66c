#include "stages/nerf/stage/images.h"

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

double Lightness(const uint8_t* rgb) {
  return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
}

TEST(ImagesTest, NearIsLightFarIsDarkNothingIsBlack) {
  const torch::Tensor depth =
      torch::tensor({1.0, 1.5, 2.0, 3.0, 4.0, 8.0, 50.0, 2.0}).view({1, 8});
  torch::Tensor opacity = torch::ones({1, 8});
  opacity[0][7] = 0.1;
  const Image image = DepthImage(depth, opacity, {1, 8});
  for (int x = 0; x + 1 < 6; ++x) {
    EXPECT_GT(Lightness(image.At(x, 0)), Lightness(image.At(x + 1, 0)));
  }
  EXPECT_EQ(image.At(5, 0)[2], image.At(6, 0)[2]);  // beyond far
  EXPECT_EQ(Lightness(image.At(7, 0)), 0);
}

TEST(ImagesTest, TransparentPixelsShowTheBackground) {
  const torch::Tensor image =
      torch::tensor({255, 0, 0, 51}, torch::kUInt8).view({1, 1, 4});
  const torch::Tensor over = OverBackground(image, {0, 1, 0.5});
  EXPECT_NEAR(over[0][0][0].item<float>(), 0.2, 1e-6);
  EXPECT_NEAR(over[0][0][1].item<float>(), 0.8, 1e-6);
  EXPECT_NEAR(over[0][0][2].item<float>(), 0.4, 1e-6);
}

}  // namespace
}  // namespace nerfpipe
