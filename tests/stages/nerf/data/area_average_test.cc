#include "stages/nerf/data/area_average.h"

#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

TEST(AreaAverageTest, WholeFactorIsThePlainMean) {
  Image image(4, 2, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<uint8_t>(i * 10);
  }
  const Image half = ShrinkBy(image, 2);
  ASSERT_EQ(half.width, 2);
  ASSERT_EQ(half.height, 1);
  // Red of the first: (0 + 30 + 120 + 150) / 4.
  EXPECT_EQ(half.At(0, 0)[0], 75);
  EXPECT_EQ(half.At(1, 0)[2], 155);
}

// 5 columns to 2: weights 1, 1, 0.5 of 2.5.
TEST(AreaAverageTest, BordersCountByTheirPart) {
  Image image(5, 1, 1);
  image.pixels = {100, 200, 50, 0, 250};
  const Image small = AreaAverage(image, 2, 1);
  EXPECT_EQ(small.pixels[0], 130);  // (100 + 200 + 25) / 2.5
  EXPECT_EQ(small.pixels[1], 110);  // (25 + 0 + 250) / 2.5
}

TEST(AreaAverageTest, SidesAreRoundedAsImageMagickDoes) {
  EXPECT_EQ(ShrinkBy(Image(30, 27, 3), 8).width, 4);
  EXPECT_EQ(ShrinkBy(Image(30, 27, 3), 8).height, 3);
  EXPECT_EQ(ShrinkBy(Image(3, 3, 3), 8).width, 1);
}

// A transparent pixel's colour must not bleed into its neighbours.
TEST(AreaAverageTest, ColoursAreWeightedByAlpha) {
  Image image(2, 1, 4);
  image.pixels = {200, 100, 50, 255, 0, 0, 0, 0};
  const Image one = ShrinkBy(image, 2);
  EXPECT_EQ(one.pixels, (std::vector<uint8_t>{200, 100, 50, 128}));
}

}  // namespace
}  // namespace nerfpipe::nerf
