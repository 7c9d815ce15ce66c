#include "stages/nerf/splat_files/spz_file.h"

#include "stages/nerf/splat_files/gzip.h"
#include "tests/stages/nerf/splat_files/example_cloud.h"

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::splats {
namespace {

using testing::HasSubstr;

constexpr size_t kMostBytes = 1 << 20;

// Two digits a byte; blanks do not matter.
std::string Hex(const std::string& digits) {
  std::istringstream words(digits);
  std::string word, bytes;
  while (words >> word) {
    for (size_t k = 0; k < word.size(); k += 2) {
      bytes += static_cast<char>(std::stoi(word.substr(k, 2), nullptr, 16));
    }
  }
  return bytes;
}

std::string Unpacked(const SplatCloud& cloud) {
  return Gunzipped(SpzBytes(cloud), kMostBytes, "x");
}

TEST(SpzFile, BytesOfAKnownGaussian) {
  const std::string bytes = SpzBytes(KnownCloud());
  EXPECT_EQ(bytes.substr(0, 3), "\x1f\x8b\x08");
  // y is the largest of the quaternion and positive: two bits say which, then
  // x, z and w follow with their signs. Harmonics are in buckets of 8, channels
  // fastest.
  EXPECT_EQ(Gunzipped(bytes, kMostBytes, "x"),
            Hex("4e475350 03000000 01000000 "  // NGSP, version, count
                "01 15 01 00 "  // degree, fractional bits, antialiased
                "9a9929 9999a9 666616 "
                "cd 8b69a2 "  // opacity, colour
                "6e567d "     // scales
                "69a58d64 "
                "907090 98a060 58a8a8"));
}

TEST(SpzFile, ComesBackWithinItsSteps) {
  for (int degree = 0; degree <= kMostDegree; ++degree) {
    const SplatCloud cloud = ExampleCloud(degree);
    const SplatCloud same = ReadSpz(SpzBytes(cloud), "x.spz");
    EXPECT_EQ(same.degree, degree);
    EXPECT_EQ(same.antialiased, cloud.antialiased);
    ASSERT_EQ(same.count(), kExampleCount);
    // Coordinates below 8: 20 of the 23 bits are fractional.
    ExpectNear(same.means, cloud.means, 0.5 / (1 << 20));
    ExpectNear(same.log_scales, cloud.log_scales, 0.5 / 16 + 1e-6);
    ExpectNear(same.colours, cloud.colours, 0.5 / 255 / 0.15 + 1e-6);
    for (size_t i = 0; i < kExampleCount; ++i) {
      EXPECT_NEAR(OpacityOf(same.logits[i]),
                  OpacityOf(cloud.logits[i]),
                  0.5 / 255 + 1e-6);
    }
    ExpectSameRotations(same, cloud, 1.5e-3);
    ASSERT_EQ(same.harmonics.size(), cloud.harmonics.size());
    for (size_t k = 0; k < cloud.harmonics.size(); ++k) {
      const bool first = k % (3 * HarmonicsOf(degree)) < 9;
      EXPECT_NEAR(same.harmonics[k],
                  cloud.harmonics[k],
                  ((first ? 4 : 8) + 0.5) / 128 + 1e-6);
    }
  }
}

TEST(SpzFile, CoordinatesKeepAsManyBitsAsTheLargestLeaves) {
  const auto fractional_bits = [](float largest) {
    SplatCloud cloud = KnownCloud();
    cloud.means = {0.001f, largest, 0.3f};
    return static_cast<int>(Unpacked(cloud)[13]);
  };
  EXPECT_EQ(fractional_bits(0.4f), 23);
  EXPECT_EQ(fractional_bits(-0.99999f), 23);
  EXPECT_EQ(fractional_bits(1), 22);
  EXPECT_EQ(fractional_bits(-1500), 12);
  EXPECT_EQ(fractional_bits(8388607), 0);
  EXPECT_THAT(Complaint([&] { fractional_bits(8388608); }),
              HasSubstr("coordinates in SPZ end at 8388607"));
  SplatCloud far = KnownCloud();
  far.means = {8388607, -8388607, 3.7f};
  EXPECT_EQ(ReadSpz(SpzBytes(far), "x").means,
            (std::vector<float>{8388607, -8388607, 4}));
}

TEST(SpzFile, WhatIsBeyondTheRangeIsHeldAtItsEnd) {
  SplatCloud cloud = KnownCloud();
  cloud.log_scales = {-12.5f, 9.5f, 6.1f};
  cloud.logits = {40};
  cloud.colours = {4.1f, -5.2f, 3.4f};
  cloud.harmonics = {1.5f, -1.7f, 1, -1, 30, -40, 0.99f, 0, 0.001f};
  const SplatCloud same = ReadSpz(SpzBytes(cloud), "x");
  ExpectNear(same.log_scales, {-10, 5.9375f, 5.9375f}, 0);
  EXPECT_NEAR(OpacityOf(same.logits[0]), 1, 1e-5);
  ExpectNear(same.colours, {10 / 3.0f, -10 / 3.0f, 10 / 3.0f}, 1e-6);
  constexpr float kMost = 127.0f / 128;
  ExpectNear(same.harmonics, {kMost, -1, kMost, -1, kMost, -1, kMost, 0, 0}, 0);
}

// Every component is once the largest, with either sign.
TEST(SpzFile, EveryComponentOfAQuaternionCanBeTheLargest) {
  for (int largest = 0; largest < 4; ++largest) {
    for (const float sign : {1.0f, -1.0f}) {
      SplatCloud cloud = KnownCloud();
      cloud.rotations = {0.4f, -0.3f, 0.2f, 0.1f};
      cloud.rotations[largest] = 0;
      float rest = 1;
      for (const float v : cloud.rotations) rest -= v * v;
      cloud.rotations[largest] = sign * std::sqrt(rest);
      ExpectSameRotations(ReadSpz(SpzBytes(cloud), "x"), cloud, 1.5e-3);
    }
  }
}

// One gaussian of degree 0 as older programs wrote it: opacity, colour, scales,
// and x, y, z of the quaternion follow the mean.
std::string Old(const std::string& version, const std::string& mean) {
  return Gzipped(Hex("4e475350" + version + "000000 01000000 00 0c 00 00 " +
                     mean + " 33 0080ff 00a0ff 00c88c"));
}

TEST(SpzFile, ReadsVersionsOneAndTwo) {
  const SplatCloud second = ReadSpz(Old("02", "001000 010080 ffff7f"), "x");
  EXPECT_EQ(second.means,
            (std::vector<float>{1, -2048 + 1 / 4096.0f, 2048 - 1 / 4096.0f}));
  EXPECT_EQ(second.log_scales, (std::vector<float>{-10, 0, 5.9375f}));
  EXPECT_NEAR(OpacityOf(second.logits[0]), 0.2, 1e-6);
  ExpectNear(second.colours, {-10 / 3.0f, 0.0130719f, 10 / 3.0f}, 1e-6);
  EXPECT_FALSE(second.antialiased);
  // x is -1, and what y and z add makes it longer than 1.
  const double length =
      std::sqrt(1 + 0.56862745 * 0.56862745 + 0.09803922 * 0.09803922);
  ExpectNear(second.rotations,
             {0,
              static_cast<float>(-1 / length),
              static_cast<float>(0.56862745 / length),
              static_cast<float>(0.09803922 / length)},
             1e-6);

  const SplatCloud first = ReadSpz(Old("01", "662e 00c1 0380"), "x");
  ExpectNear(first.means, {0.0999755859f, -2.5f, -1.78813934e-7f}, 1e-10);
  EXPECT_EQ(first.log_scales, second.log_scales);
  EXPECT_EQ(first.rotations, second.rotations);
  for (const char* broken : {"007c", "00fd"}) {  // infinite, not a number
    const std::string mean = std::string(broken) + " 0102 0304";
    EXPECT_THAT(Complaint([&] { ReadSpz(Old("01", mean), "x"); }),
                HasSubstr("none of its 1 gaussians"));
  }
}

TEST(SpzFile, SaysWhatIsWrong) {
  const std::string good = Unpacked(ExampleCloud(1));
  const auto complaint = [](const std::string& bytes) {
    return Complaint([&] { ReadSpz(bytes, "a b.spz"); });
  };
  const auto with = [&](size_t at, int byte) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(byte);
    return complaint(Gzipped(bytes));
  };
  EXPECT_EQ(complaint(Gzipped(good)), "no complaint");
  EXPECT_THAT(complaint("ply\n"), HasSubstr("a b.spz: is not an SPZ file"));
  EXPECT_THAT(complaint(Gzipped("ply\n")), HasSubstr("is not an SPZ file"));
  EXPECT_THAT(complaint(std::string("NGSP\4\0\0\0", 8)),
              HasSubstr("is SPZ of version 4 or later"));
  EXPECT_THAT(with(0, 'M'), HasSubstr("is not an SPZ file"));
  EXPECT_THAT(with(4, 0), HasSubstr("unknown version 0"));
  EXPECT_THAT(with(4, 4), HasSubstr("unknown version 4"));
  EXPECT_THAT(with(8, 8), HasSubstr("announces 8 gaussians"));
  EXPECT_THAT(with(8, 6), HasSubstr("announces 6 gaussians"));
  EXPECT_THAT(with(11, 0xff), HasSubstr("announces 4278190087 gaussians"));
  EXPECT_THAT(with(12, 4), HasSubstr("harmonics of degree 4"));
  EXPECT_THAT(with(13, 24), HasSubstr("24 binary places"));
  EXPECT_THAT(with(14, 0x81), HasSubstr("levels of detail"));
  EXPECT_THAT(complaint(Gzipped(good + '\0')), HasSubstr("announces 7"));
  EXPECT_THAT(complaint(Gzipped(good) + '\0'), HasSubstr("goes on after"));
  EXPECT_THAT(complaint(Gzipped(good.substr(0, 15))), HasSubstr("is not an"));
}

TEST(SpzFile, ExtensionsAreSkippedUnlessTheyTurnTheAxes) {
  std::string bytes = Unpacked(ExampleCloud(2));
  bytes[14] |= 2;
  const std::string orbit("\x02\0\xbe\xad\x05\0\0\0orbit", 13);
  const std::string axes("\x03\0\xbe\xad\x04\0\0\0\x07\0\0\0", 12);
  EXPECT_EQ(ReadSpz(Gzipped(bytes + orbit), "x").means,
            ReadSpz(SpzBytes(ExampleCloud(2)), "x").means);
  EXPECT_THAT(Complaint([&] { ReadSpz(Gzipped(bytes + orbit + axes), "x"); }),
              HasSubstr("SPZ_ADOBE_coordinate_system"));
}

TEST(SpzFile, BombsAreRefused) {
  const std::string bomb = Gzipped(std::string(5'000'003, '\0'));
  EXPECT_LT(bomb.size(), 10000u);
  EXPECT_THAT(Complaint([&] { ReadSpz(bomb, "x.spz"); }),
              HasSubstr("x.spz: unpacks to more than 1048576 bytes"));
  EXPECT_EQ(Gunzipped(bomb, 5'000'003, "x").size(), 5'000'003u);
  EXPECT_THROW(Gunzipped(bomb, 5'000'002, "x"), UserError);
}

}  // namespace
}  // namespace nerfpipe::splats
