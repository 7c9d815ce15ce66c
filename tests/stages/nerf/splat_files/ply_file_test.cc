#include "stages/nerf/splat_files/ply_file.h"

#include "tests/stages/nerf/splat_files/example_cloud.h"

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::splats {
namespace {

using testing::HasSubstr;

template <typename T>
std::string Raw(std::initializer_list<T> values) {
  std::string bytes;
  for (const T value : values) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  return bytes;
}

TEST(PlyFile, BytesAreThoseOfTheAuthors) {
  const std::string bytes = PlyBytes(KnownCloud());
  const std::string header =
      "ply\n"
      "format binary_little_endian 1.0\n"
      "element vertex 1\n"
      "property float x\n"
      "property float y\n"
      "property float z\n"
      "property float nx\n"
      "property float ny\n"
      "property float nz\n"
      "property float f_dc_0\n"
      "property float f_dc_1\n"
      "property float f_dc_2\n"
      "property float f_rest_0\n"
      "property float f_rest_1\n"
      "property float f_rest_2\n"
      "property float f_rest_3\n"
      "property float f_rest_4\n"
      "property float f_rest_5\n"
      "property float f_rest_6\n"
      "property float f_rest_7\n"
      "property float f_rest_8\n"
      "property float opacity\n"
      "property float scale_0\n"
      "property float scale_1\n"
      "property float scale_2\n"
      "property float rot_0\n"
      "property float rot_1\n"
      "property float rot_2\n"
      "property float rot_3\n"
      "comment SplatRenderMode: mip\n"
      "end_header\n";
  EXPECT_EQ(bytes.substr(0, header.size()), header);
  EXPECT_EQ(bytes.substr(header.size()),
            Raw({1.3f, -2.7f, 0.7f}) + Raw({0.0f, 0.0f, 0.0f}) +
                Raw({0.3f, -0.6f, 0.9f}) +     // f_dc
                Raw({0.11f, 0.21f, -0.31f}) +  // red
                Raw({-0.12f, 0.22f, 0.32f}) +  // green
                Raw({0.13f, -0.23f, 0.33f}) +  // blue
                Raw({1.4f}) + Raw({-3.1f, -4.6f, -2.2f}) +
                Raw({0.5f, -0.1f, 0.7f, -0.5f}));
}

TEST(PlyFile, ComesBackAsItWas) {
  for (int degree = 0; degree <= kMostDegree; ++degree) {
    const SplatCloud cloud = ExampleCloud(degree);
    const SplatCloud same = ReadPly(PlyBytes(cloud), "x.ply");
    EXPECT_EQ(same.degree, degree);
    EXPECT_EQ(same.means, cloud.means);
    EXPECT_EQ(same.log_scales, cloud.log_scales);
    EXPECT_EQ(same.logits, cloud.logits);
    EXPECT_EQ(same.colours, cloud.colours);
    EXPECT_EQ(same.harmonics, cloud.harmonics);
    ExpectNear(same.rotations, cloud.rotations, 1e-7);
    EXPECT_EQ(same.antialiased, cloud.antialiased);
    EXPECT_EQ(same.dropped, 0u);
  }
}

// Two gaussians in the words of another program: `middle` stands in the header
// behind the format.
std::string Foreign(const std::string& middle = "") {
  return "ply\r\nformat binary_little_endian 1.0\r\n" + middle +
         "obj_info made by hand\r\n"
         "element camera 3\r\n"
         "property  double focal\r\n"
         "property uchar kind\r\n"
         "element vertex 2\r\n"
         "property uint8 red\r\n"
         "property float rot_3\r\n"
         "property double opacity\r\n"
         "property float32 rot_0\r\n"
         "property short z\r\n"
         "property float y\r\n"
         "property float64 x\r\n"
         "property int scale_1\r\n"
         "property float scale_0\r\n"
         "property float scale_2\r\n"
         "property ushort f_dc_2\r\n"
         "property char f_dc_1\r\n"
         "property float f_dc_0\r\n"
         "property uint rot_2\r\n"
         "property int8 rot_1\r\n"
         "element face 100\r\n"
         "property list uchar int vertex_indices\r\n"
         "end_header\r\n" +
         std::string(3 * 9, '\x7f') +
         // The first one.
         Raw<uint8_t>({200}) + Raw({-4.0f}) + Raw({0.25}) + Raw({2.0f}) +
         Raw<int16_t>({-300}) + Raw({1.5f}) + Raw({0.1}) + Raw<int32_t>({-7}) +
         Raw({-2.5f, -1.5f}) + Raw<uint16_t>({3}) + Raw<int8_t>({-2}) +
         Raw({0.75f}) + Raw<uint32_t>({4}) + Raw<int8_t>({0}) +
         // The second one.
         Raw<uint8_t>({201}) + Raw({0.0f}) + Raw({-0.5}) + Raw({0.0f}) +
         Raw<int16_t>({44}) + Raw({2.5f}) + Raw({-0.2}) + Raw<int32_t>({-1}) +
         Raw({-3.5f, -0.5f}) + Raw<uint16_t>({1}) + Raw<int8_t>({1}) +
         Raw({-0.75f}) + Raw<uint32_t>({0}) + Raw<int8_t>({-9});
}

TEST(PlyFile, ReadsEveryOrderAndType) {
  const SplatCloud cloud = ReadPly(Foreign(), "x.ply");
  EXPECT_EQ(cloud.degree, 0);
  EXPECT_EQ(cloud.means,
            (std::vector<float>{0.1f, 1.5f, -300, -0.2f, 2.5f, 44}));
  EXPECT_EQ(cloud.log_scales,
            (std::vector<float>{-2.5f, -7, -1.5f, -3.5f, -1, -0.5f}));
  EXPECT_EQ(cloud.logits, (std::vector<float>{0.25f, -0.5f}));
  EXPECT_EQ(cloud.colours, (std::vector<float>{0.75f, -2, 3, -0.75f, 1, 1}));
  ExpectNear(
      cloud.rotations, {1.0f / 3, 0, 2.0f / 3, -2.0f / 3, 0, -1, 0, 0}, 1e-7);
}

TEST(PlyFile, CommentsTellOfAntialiasing) {
  const auto antialiased = [](const std::string& comment) {
    return ReadPly(Foreign(comment), "x.ply").antialiased;
  };
  EXPECT_FALSE(antialiased(""));
  EXPECT_FALSE(antialiased("comment antialiased\n"));
  EXPECT_TRUE(antialiased("comment antialiased 1\n"));
  EXPECT_FALSE(antialiased("comment antialiased 0\n"));
  EXPECT_TRUE(antialiased("comment SplatRenderMode: mip\n"));
  EXPECT_FALSE(antialiased("comment SplatRenderMode: default\n"));
}

TEST(PlyFile, WhatIsNotFiniteIsDroppedAndCounted) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  SplatCloud cloud = ExampleCloud(2);
  std::string bytes = PlyBytes(cloud);
  const size_t row = (17 + 24) * sizeof(float);
  const size_t begin = bytes.size() - kExampleCount * row;
  const auto put = [&](size_t gaussian, size_t column, float value) {
    std::memcpy(bytes.data() + begin + gaussian * row + 4 * column, &value, 4);
  };
  put(0, 2, kNan);            // z
  put(1, 9 + 23, kInfinite);  // the last harmonic
  put(3, 33, -kInfinite);     // opacity: none
  put(4, 33, kInfinite);      // opacity: all
  put(4, 35, -kInfinite);     // scale_1: flat
  for (size_t k = 37; k < 41; ++k) put(5, k, 0);
  put(6, 34, 100);  // scale_0
  const SplatCloud left = ReadPly(bytes, "x.ply");
  EXPECT_EQ(left.dropped, 4u);
  ASSERT_EQ(left.count(), 3u);
  EXPECT_EQ(left.means[0], cloud.means[3 * 2]);
  EXPECT_EQ(left.harmonics[2 * 24], cloud.harmonics[4 * 24]);
  EXPECT_NEAR(OpacityOf(left.logits[1]), 0, 1e-5);
  EXPECT_NEAR(OpacityOf(left.logits[2]), 1, 1e-5);
  EXPECT_EQ(left.log_scales[3 * 2 + 2], cloud.log_scales[3 * 4 + 2]);
  EXPECT_LT(left.log_scales[3 * 2 + 1], -80);
  EXPECT_TRUE(std::isfinite(left.log_scales[3 * 2 + 1]));
  // Normals do not matter.
  put(2, 4, kNan);
  EXPECT_EQ(ReadPly(bytes, "x.ply").count(), 3u);
  for (size_t i = 0; i < kExampleCount; ++i) put(i, 0, kNan);
  EXPECT_THAT(Complaint([&] { ReadPly(bytes, "x.ply"); }),
              HasSubstr("x.ply: none of its 7 gaussians has only finite"));
}

std::string Replaced(std::string text,
                     const std::string& old,
                     const std::string& by) {
  return text.replace(text.find(old), old.size(), by);
}

TEST(PlyFile, SaysWhatIsWrong) {
  const std::string good = PlyBytes(ExampleCloud(1));
  const auto complaint = [](const std::string& bytes) {
    return Complaint([&] { ReadPly(bytes, "a b.ply"); });
  };
  const auto with = [&](const std::string& old, const std::string& by) {
    return complaint(Replaced(good, old, by));
  };
  EXPECT_EQ(complaint(good), "no complaint");
  EXPECT_THAT(complaint("PK and so on\n"), HasSubstr("a b.ply: is not a PLY"));
  EXPECT_THAT(with("little", "big"), HasSubstr("'binary_big_endian'"));
  EXPECT_THAT(with("binary_little_endian", "ascii"), HasSubstr("'ascii'"));
  EXPECT_THAT(with("format", "obj_info"), HasSubstr("does not say its PLY"));
  EXPECT_THAT(with("float opacity", "float alpha"),
              HasSubstr("holds no gaussian splats: its vertices have no "
                        "'opacity'"));
  EXPECT_THAT(with("scale_2", "scale_3"), HasSubstr("no 'scale_2'"));
  EXPECT_THAT(with("f_rest_4", "g_rest_4"), HasSubstr("has 4 values f_rest_*"));
  EXPECT_THAT(with("vertex 7", "vertex 8"),
              HasSubstr("announces 8 rows of 'vertex' but ends after 7"));
  // Of rows of 104 bytes, 2^61 take 13 * 2^64, which is 0 in 64 bits.
  for (const char* count : {"18446744073709551615", "2305843009213693952"}) {
    EXPECT_THAT(with("vertex 7", std::string("vertex ") + count),
                HasSubstr("but ends after 7"));
  }
  EXPECT_THAT(with("vertex 7", "vertex 0"), HasSubstr("holds no gaussians"));
  for (const char* count : {"", "-7", "7.0", "99999999999999999999", "7 8"}) {
    EXPECT_THAT(with("vertex 7", std::string("vertex ") + count),
                HasSubstr("without a name and a number"))
        << count;
  }
  EXPECT_THAT(with("vertex 7", "point 7"), HasSubstr("without vertices"));
  EXPECT_THAT(with("float nx", "half nx"), HasSubstr("without a known type"));
  EXPECT_THAT(with("float nx", "float ny"), HasSubstr("two properties"));
  EXPECT_THAT(with("float nx", "list uchar int nx"), HasSubstr("has lists"));
  EXPECT_THAT(with("end_header", "und_header"), HasSubstr("has 'und_header'"));
  EXPECT_THAT(with("element vertex 7\n", ""), HasSubstr("has 'property'"));
  EXPECT_THAT(with("element vertex",
                   "element chunk 1\nproperty float min_x\nelement vertex"),
              HasSubstr("is a compressed PLY of SuperSplat; convert it first: "
                        "splat-transform"));
  EXPECT_THAT(with("element vertex",
                   "element face 1\nproperty list uchar int i\nelement vertex"),
              HasSubstr("has lists in its PLY element 'face'"));
  // A header that never ends is not looked through for ever.
  EXPECT_THAT(with("float nx", "float " + std::string(70000, 'n')),
              HasSubstr("header without an end"));
}

TEST(PlyFile, RefusesToWriteWhatNobodyCanRead) {
  SplatCloud cloud = ExampleCloud(3);
  cloud.harmonics[45 * 4 + 2] = NAN;
  EXPECT_THAT(Complaint([&] { PlyBytes(cloud); }),
              HasSubstr("gaussian 4 of 7 has a harmonic that is not finite"));
  EXPECT_THAT(Complaint([] { PlyBytes(SplatCloud()); }),
              HasSubstr("there are no gaussians to write"));
  cloud = ExampleCloud(2);
  cloud.log_scales[3 * 5] = 89;  // e^89 is no float
  EXPECT_THAT(Complaint([&] { PlyBytes(cloud); }),
              HasSubstr("gaussian 5 of 7 has a scale that is not finite"));
  cloud = ExampleCloud(0);
  cloud.rotations[5] *= 2;
  EXPECT_THROW(PlyBytes(cloud), CheckFailed);
  cloud = ExampleCloud(1);
  cloud.harmonics.pop_back();
  EXPECT_THROW(PlyBytes(cloud), CheckFailed);
}

}  // namespace
}  // namespace nerfpipe::splats
