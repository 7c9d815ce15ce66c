#include "stages/nerf/splat_files/splat_file.h"

#include "tests/stages/nerf/splat_files/example_cloud.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::splats {
namespace {

using testing::HasSubstr;

float FloatAt(const std::string& bytes, size_t at) {
  float value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

TEST(SplatFile, BytesOfAKnownGaussian) {
  const std::string bytes = SplatBytes(KnownCloud());
  ASSERT_EQ(bytes.size(), 32u);
  EXPECT_EQ(FloatAt(bytes, 0), 1.3f);
  EXPECT_EQ(FloatAt(bytes, 4), -2.7f);
  EXPECT_EQ(FloatAt(bytes, 8), 0.7f);
  EXPECT_NEAR(FloatAt(bytes, 12), 0.0450492024, 1e-8);
  EXPECT_NEAR(FloatAt(bytes, 16), 0.0100518357, 1e-8);
  EXPECT_NEAR(FloatAt(bytes, 20), 0.1108031584, 1e-8);
  EXPECT_EQ(bytes.substr(24, 4), "\x95\x54\xc0\xcd");  // colour, opacity
  EXPECT_EQ(bytes.substr(28), "\xc0\x73\xda\x40");     // w, x, y, z
}

TEST(SplatFile, LargeAndOpaqueOnesComeFirst) {
  SplatCloud cloud = ExampleCloud(0);
  // Volume times opacity: 0.5 e^-6, 0.9 e^-6, 0.5 e^-3, e^-15, two that are
  // alike, and one that is 0 as a float.
  const float log_scales[kExampleCount][3] = {{-1, -2, -3},
                                              {-2.5f, -2.5f, -1},
                                              {-3, -0.5f, 0.5f},
                                              {-20, 1, 4},
                                              {-9, 1, -7},
                                              {-4, -4, -7},
                                              {-60, -70, -65}};
  for (size_t i = 0; i < kExampleCount; ++i) {
    std::copy_n(log_scales[i], 3, cloud.log_scales.begin() + 3 * i);
  }
  cloud.logits = {0, 2.2f, 0, 9, 3, 3, 8};
  const std::string bytes = SplatBytes(cloud);
  ASSERT_EQ(bytes.size(), 32 * kExampleCount);
  std::vector<size_t> order;
  for (size_t at = 0; at < bytes.size(); at += 32) {
    const auto found =
        std::find(cloud.means.begin(), cloud.means.end(), FloatAt(bytes, at));
    order.push_back(static_cast<size_t>(found - cloud.means.begin()) / 3);
  }
  EXPECT_EQ(order, (std::vector<size_t>{2, 1, 0, 3, 4, 5, 6}));
}

TEST(SplatFile, ComesBackWithinItsSteps) {
  SplatCloud cloud = ExampleCloud(0);
  // In the order that it is written in.
  for (size_t i = 0; i < kExampleCount; ++i) {
    cloud.log_scales[3 * i] = -15 * static_cast<float>(i);
  }
  const SplatCloud same = ReadSplat(SplatBytes(cloud), "x.splat");
  EXPECT_EQ(same.degree, 0);
  EXPECT_FALSE(same.antialiased);
  EXPECT_EQ(same.means, cloud.means);
  ExpectNear(same.log_scales, cloud.log_scales, 2e-6);
  ExpectSameRotations(same, cloud, 1.5 / 128);
  for (size_t i = 0; i < kExampleCount; ++i) {
    EXPECT_NEAR(OpacityOf(same.logits[i]),
                OpacityOf(cloud.logits[i]),
                0.5 / 255 + 1e-6);
  }
  for (size_t k = 0; k < cloud.colours.size(); ++k) {
    EXPECT_NEAR(ChannelOf(same.colours[k]),
                std::clamp(ChannelOf(cloud.colours[k]), 0.0, 1.0),
                0.5 / 255 + 1e-6);
  }
}

TEST(SplatFile, WhatMakesNoSenseIsDroppedAndCounted) {
  std::string bytes = SplatBytes(ExampleCloud(3));
  const auto put = [&](size_t gaussian, size_t at, float value) {
    std::memcpy(bytes.data() + 32 * gaussian + at, &value, sizeof value);
  };
  put(1, 4, std::numeric_limits<float>::quiet_NaN());
  put(2, 16, -0.5f);
  put(3, 20, 0);  // flat
  put(5, 12, std::numeric_limits<float>::infinity());
  bytes.replace(32 * 6 + 28, 4, 4, '\x80');
  const SplatCloud left = ReadSplat(bytes, "x.splat");
  EXPECT_EQ(left.dropped, 4u);
  ASSERT_EQ(left.count(), 3u);
  EXPECT_EQ(left.means[3], FloatAt(bytes, 32 * 3));
  EXPECT_LT(left.log_scales[3 + 2], -80);
  EXPECT_EQ(FloatAt(SplatBytes(left), 32 * 2),
            left.means[3]);  // it comes last
}

TEST(SplatFile, SaysWhatIsWrong) {
  EXPECT_THAT(Complaint([] { ReadSplat("ply\n", "a b.splat"); }),
              HasSubstr("a b.splat: has 4 bytes, which is no number of"));
  EXPECT_THAT(Complaint([] { ReadSplat("", "a b.splat"); }),
              HasSubstr("a b.splat: holds no gaussians"));
}

}  // namespace
}  // namespace nerfpipe::splats
