#include "stages/colmap/refinement/warp.h"

#include "pipeline/base/random.h"
#include "stages/colmap/refinement/undistortion.h"
#include "tests/stages/colmap/lenses.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

// Catmull-Rom at a position in pixels, in double; edges are repeated.
double Cubic(const Image& image, const Eigen::Vector2d& p, int c) {
  const auto weight = [](double d) {
    d = std::abs(d);
    return d < 1   ? 1.5 * d * d * d - 2.5 * d * d + 1
           : d < 2 ? -0.5 * d * d * d + 2.5 * d * d - 4 * d + 2
                   : 0.0;
  };
  const int x0 = static_cast<int>(std::floor(p.x() - 0.5));
  const int y0 = static_cast<int>(std::floor(p.y() - 0.5));
  double sum = 0;
  for (int y = y0 - 1; y <= y0 + 2; ++y) {
    for (int x = x0 - 1; x <= x0 + 2; ++x) {
      sum += weight(x + 0.5 - p.x()) * weight(y + 0.5 - p.y()) *
             image.At(std::clamp(x, 0, image.width - 1),
                      std::clamp(y, 0, image.height - 1))[c];
    }
  }
  return std::clamp(sum, 0.0, 255.0);
}

Image Noise(int width, int height, int channels) {
  Random random(8);
  Image image(width, height, channels);
  for (uint8_t& value : image.pixels) {
    value = static_cast<uint8_t>(random.Below(256));
  }
  return image;
}

ColmapCamera SmallCamera() {
  return {kOpenCv, 123, 77, {110, 121, 65.4, 35.7, -0.12, 0.03, 0.006, -0.009}};
}

// Where the pixel's sample is in the source, to 1/256 of a pixel.
Eigen::Vector2d SourceOf(const ColmapCamera& camera,
                         const Pinhole& pinhole,
                         int x,
                         int y) {
  Eigen::Vector2d source =
      DistortedProjection(camera, Ray(pinhole, x + 0.5, y + 0.5));
  for (double& side : source) {
    side = std::round((side - 0.5) * 256) / 256 + 0.5;
  }
  return source;
}

// Noise, so that every sample's place and weights show.
TEST(Warp, EqualsATwinInDouble) {
  const ColmapCamera camera = SmallCamera();
  const Pinhole pinhole = PlanPinhole(camera).value();
  const Image image = Noise(123, 77, 3);
  const Image result = Warp(camera, pinhole).Apply(image);
  ASSERT_EQ(result.width, pinhole.width);
  ASSERT_EQ(result.height, pinhole.height);
  double sum = 0;
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      const Eigen::Vector2d source = SourceOf(camera, pinhole, x, y);
      for (int c = 0; c < 3; ++c) {
        const double off = result.At(x, y)[c] - Cubic(image, source, c);
        ASSERT_LE(std::abs(off), 0.51) << x << ", " << y;
        sum += off;
      }
    }
  }
  // Rounded, not cut off.
  EXPECT_LT(std::abs(sum / static_cast<double>(result.pixels.size())), 0.02);
}

// Alpha, and colours by it: nothing of what is transparent is mixed in.
TEST(Warp, ColoursCountByTheirAlpha) {
  const ColmapCamera camera = SmallCamera();
  const Pinhole pinhole = PlanPinhole(camera).value();
  Image image = Noise(123, 77, 4);
  Image times_alpha = image;  // in parts of 255 x 255
  for (size_t i = 0; i < image.pixels.size(); i += 4) {
    // Half of the picture is transparent, where red is hidden.
    const bool seen = i / 4 % 123 > 60;
    image.pixels[i] = seen ? 0 : 255;
    image.pixels[i + 3] = seen ? std::max<uint8_t>(image.pixels[i + 3], 9) : 0;
    image.pixels[i + 1] = 100;
    image.pixels[i + 2] = 200;
    for (int c = 0; c < 4; ++c) {
      times_alpha.pixels[i + c] = image.pixels[i + 3];
    }
  }
  const Image result = Warp(camera, pinhole).Apply(image);
  ASSERT_EQ(result.channels, 4);
  int seen = 0, half_seen = 0;
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      const uint8_t* pixel = result.At(x, y);
      const double alpha =
          Cubic(times_alpha, SourceOf(camera, pinhole, x, y), 0);
      ASSERT_LE(std::abs(pixel[3] - alpha), 0.51) << x << ", " << y;
      if (pixel[3] == 0) continue;
      ASSERT_EQ(pixel[0], 0) << x << ", " << y;
      ASSERT_EQ(pixel[1], 100) << x << ", " << y;
      ASSERT_EQ(pixel[2], 200) << x << ", " << y;
      ++seen;
      half_seen += pixel[3] < 9;
    }
  }
  EXPECT_GT(seen, 2000);
  EXPECT_GT(half_seen, 20);
}

TEST(Warp, AMaskUsesNothingThatIsNotWhollyUsed) {
  const ColmapCamera camera = SmallCamera();
  const Pinhole pinhole = PlanPinhole(camera).value();
  Image mask = Noise(123, 77, 1);
  for (uint8_t& value : mask.pixels) value = value < 20 ? 0 : 255;
  const Image result = Warp(camera, pinhole).ApplyToMask(mask);
  ASSERT_EQ(result.channels, 1);
  int used = 0;
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      const Eigen::Vector2d source =
          SourceOf(camera, pinhole, x, y) - Eigen::Vector2d(0.5, 0.5);
      bool all = true;
      for (int v = 0; v < 77; ++v) {
        for (int u = 0; u < 123; ++u) {
          const bool counts =
              std::abs(u - source.x()) < 1 && std::abs(v - source.y()) < 1;
          all = all && (!counts || *mask.At(u, v) == 255);
        }
      }
      ASSERT_EQ(*result.At(x, y), all ? 255 : 0) << x << ", " << y;
      used += all;
    }
  }
  EXPECT_GT(used, 1000);
}

// A picture three times as fine as it has to be: single pixels of noise would
// show, their means do not.
TEST(Warp, AveragesWhatIsMuchFiner) {
  const ColmapCamera camera = {
      kOpenCv, 360, 240, {300, 300, 180, 120, 0, 0, 0, 0}};
  Image image(360, 240, 3);
  for (int y = 0; y < 240; ++y) {
    for (int x = 0; x < 360; ++x) {
      std::fill_n(image.At(x, y), 3, (x + y) % 2 == 0 ? 200 : 100);
    }
  }
  Image mask(360, 240, 1);
  std::fill(mask.pixels.begin(), mask.pixels.end(), 255);
  *mask.At(100, 61) = 0;
  const Warp warp(camera, {120, 80, 100, 100, 60, 40});
  for (const uint8_t value : warp.Apply(image).pixels) {
    ASSERT_NEAR(value, 150, 6);  // 5 of 9 are of one colour
  }
  const Image reduced = warp.ApplyToMask(mask);
  for (int y = 0; y < 80; ++y) {
    for (int x = 0; x < 120; ++x) {
      ASSERT_EQ(*reduced.At(x, y), x == 33 && y == 20 ? 0 : 255);
    }
  }
}

}  // namespace
}  // namespace nerfpipe::sfm
