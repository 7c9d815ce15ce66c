#include "stages/common/area_average.h"

#include "pipeline/base/random.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

Image RandomImage(int width, int height, int channels) {
  Image image(width, height, channels);
  Random random(7);
  for (uint8_t& value : image.pixels) {
    value = static_cast<uint8_t>(random.Below(256));
  }
  return image;
}

// The mean over the covered rectangle, straight from its definition.
double MeanUnder(
    const Image& image, int width, int height, int x, int y, int c) {
  const double sx = static_cast<double>(image.width) / width;
  const double sy = static_cast<double>(image.height) / height;
  double sum = 0;
  for (int v = 0; v < image.height; ++v) {
    for (int u = 0; u < image.width; ++u) {
      const double across = std::max(
          0.0, std::min(u + 1.0, (x + 1) * sx) - std::max(1.0 * u, x * sx));
      const double down = std::max(
          0.0, std::min(v + 1.0, (y + 1) * sy) - std::max(1.0 * v, y * sy));
      sum += across * down * image.At(u, v)[c];
    }
  }
  return sum / (sx * sy);
}

void ExpectMeans(const Image& image, int width, int height) {
  const Image small = AreaAverage(image, width, height);
  ASSERT_EQ(small.width, width);
  ASSERT_EQ(small.height, height);
  ASSERT_EQ(small.channels, image.channels);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < image.channels; ++c) {
        // The epsilon takes exact halves up in spite of rounding errors.
        const double mean = MeanUnder(image, width, height, x, y, c);
        ASSERT_EQ(small.At(x, y)[c], std::floor(mean + 0.5 + 1e-9))
            << x << ", " << y;
      }
    }
  }
}

TEST(AreaAverage, WholeFactorsAreBlockMeans) {
  const Image image = RandomImage(48, 32, 3);
  ExpectMeans(image, 24, 16);
  ExpectMeans(image, 12, 8);
  ExpectMeans(image, 6, 4);
}

TEST(AreaAverage, OtherSizesWeighTheEdges) {
  const Image image = RandomImage(37, 23, 3);
  ExpectMeans(image, 5, 3);
  ExpectMeans(image, 36, 23);
  ExpectMeans(image, 37, 1);
}

TEST(AreaAverage, RoundsHalvesUp) {
  Image image(2, 1, 1);
  image.pixels = {1, 2};
  EXPECT_EQ(AreaAverage(image, 1, 1).pixels[0], 2);
}

// A transparent pixel's colour must not bleed into its neighbours.
TEST(AreaAverage, WeighsColoursByAlpha) {
  Image image(3, 1, 4);
  image.pixels = {200, 100, 50, 255, 0, 0, 0, 0, 100, 0, 50, 51};
  EXPECT_EQ(AreaAverage(image, 1, 1).pixels,
            (std::vector<uint8_t>{183, 83, 50, 102}));
  image.pixels.assign(12, 0);
  EXPECT_EQ(AreaAverage(image, 1, 1).pixels, std::vector<uint8_t>(4, 0));
}

// Averages of colours times alpha, over those of alpha.
TEST(AreaAverage, WeighsEdgesAndAlphaTogether) {
  Image image = RandomImage(23, 17, 4);
  for (int x = 0; x < 9; ++x) image.At(x, 3 + x % 2)[3] = 0;
  const Image small = AreaAverage(image, 7, 4);
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < 4; ++y) {
      for (int x = 0; x < 7; ++x) {
        double colour = 0;
        for (int v = 0; v < 17; ++v) {
          for (int u = 0; u < 23; ++u) {
            const double across =
                std::max(0.0,
                         std::min(u + 1.0, (x + 1) * 23 / 7.0) -
                             std::max(1.0 * u, x * 23 / 7.0));
            const double down = std::max(0.0,
                                         std::min(v + 1.0, (y + 1) * 17 / 4.0) -
                                             std::max(1.0 * v, y * 17 / 4.0));
            colour += across * down * image.At(u, v)[c] * image.At(u, v)[3];
          }
        }
        const double alpha =
            MeanUnder(image, 7, 4, x, y, 3) * 23 / 7.0 * 17 / 4.0;
        EXPECT_EQ(small.At(x, y)[c], std::floor(colour / alpha + 0.5 + 1e-9));
        EXPECT_EQ(small.At(x, y)[3],
                  std::floor(MeanUnder(image, 7, 4, x, y, 3) + 0.5 + 1e-9));
      }
    }
  }
}

// Sums over a whole photo do not fit into 32 bits.
TEST(AreaAverage, LargeImagesDoNotOverflow) {
  Image image(4003, 2999, 4);
  std::fill(image.pixels.begin(), image.pixels.end(), uint8_t{255});
  EXPECT_EQ(AreaAverage(image, 1, 1).pixels, std::vector<uint8_t>(4, 255));
}

TEST(ReducedSide, FollowsImageMagick) {
  EXPECT_EQ(ReducedSide(4032, 8), 504);
  EXPECT_EQ(ReducedSide(1003, 2), 502);
  EXPECT_EQ(ReducedSide(1003, 4), 251);
  EXPECT_EQ(ReducedSide(1001, 4), 250);
  EXPECT_EQ(ReducedSide(1001, 3), 334);
  EXPECT_EQ(ReducedSide(1000, 3), 333);
  EXPECT_EQ(ReducedSide(3, 8), 1);
}

TEST(Reduced, RoundsEitherSideByItself) {
  const Image image = RandomImage(37, 23, 3);
  EXPECT_EQ(Reduced(image, 1).pixels, image.pixels);
  EXPECT_EQ(Reduced(image, 3).pixels, AreaAverage(image, 12, 8).pixels);
  EXPECT_EQ(Reduced(image, 30).pixels, AreaAverage(image, 1, 1).pixels);
}

// 64 pixels, of which one is out: their mean would be rounded to white.
TEST(ReducedMask, UsesWhatIsUsedThroughout) {
  Image mask(53, 37, 1);
  std::fill(mask.pixels.begin(), mask.pixels.end(), 255);
  *mask.At(21, 35) = 0;
  for (const auto& [width, height] : {std::pair(53, 37), {13, 9}, {20, 1}}) {
    const Image small = ReducedMask(mask, width, height);
    ASSERT_EQ(small.channels, 1);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const double mean = MeanUnder(mask, width, height, x, y, 0);
        ASSERT_EQ(*small.At(x, y), mean > 255 - 1e-9 ? 255 : 0)
            << x << ", " << y;
      }
    }
  }
}

}  // namespace
}  // namespace nerfpipe
