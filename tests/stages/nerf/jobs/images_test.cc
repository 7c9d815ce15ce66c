#include "stages/nerf/jobs/images.h"

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

// Evenly by disparity: half way between 1 and 1/4 is 1/1.6. The ends are the
// first and the last colour.
TEST(ImagesTest, DepthsStandForTheirDisparities) {
  const torch::Tensor depth =
      torch::tensor({2.0, 3.2, 8.0, 1.0, 20.0, -1.0}).view({2, 3});
  const Image image = DepthImage(depth, torch::ones({2, 3}), {2, 8});
  const auto expect = [&](int x, int y, int red, int green, int blue) {
    EXPECT_EQ(image.At(x, y)[0], red);
    EXPECT_EQ(image.At(x, y)[1], green);
    EXPECT_EQ(image.At(x, y)[2], blue);
  };
  expect(0, 0, 252, 246, 178);
  expect(1, 0, 183, 52, 92);  // half way between the fourth and the fifth
  expect(2, 0, 8, 8, 28);
  expect(0, 1, 252, 246, 178);
  expect(1, 1, 8, 8, 28);
  expect(2, 1, 0, 0, 0);  // no depth
}

TEST(ImagesTest, PicturesStandSideBySide) {
  using torch::indexing::Slice;
  torch::Tensor left = torch::zeros({2, 3, 3});
  left.index_put_({1, 2, Slice()}, torch::tensor({0.2, 0.499, 1.5}));
  const Image both =
      SideBySide(ToImage(left), ToImage(torch::full({2, 3, 3}, 1.0)));
  EXPECT_EQ(both.width, 6);
  EXPECT_EQ(both.height, 2);
  EXPECT_EQ(both.At(2, 1)[0], 51);
  EXPECT_EQ(both.At(2, 1)[1], 127);  // 127.245
  EXPECT_EQ(both.At(2, 1)[2], 255);
  EXPECT_EQ(both.At(1, 1)[0], 0);
  EXPECT_EQ(both.At(3, 0)[0], 255);
  EXPECT_EQ(both.At(5, 1)[2], 255);
}

}  // namespace
}  // namespace nerfpipe
