#include "stages/nerf/splat_files/glb_file.h"

#include "tests/stages/nerf/splat_files/example_cloud.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nerfpipe::splats {
namespace {

using nlohmann::json;

uint32_t WordAt(const std::string& bytes, size_t at) {
  uint32_t value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

struct Glb {
  json root;
  std::string data;

  explicit Glb(const std::string& bytes) {
    EXPECT_EQ(bytes.substr(0, 8), std::string("glTF\2\0\0\0", 8));
    EXPECT_EQ(WordAt(bytes, 8), bytes.size());
    const size_t text = WordAt(bytes, 12);
    EXPECT_EQ(bytes.substr(16, 4), "JSON");
    EXPECT_EQ(text % 4, 0u);
    root = json::parse(bytes.substr(20, text));
    EXPECT_EQ(WordAt(bytes, 20 + text), bytes.size() - 28 - text);
    EXPECT_EQ(bytes.substr(24 + text, 4), std::string("BIN\0", 4));
    data = bytes.substr(28 + text);
    EXPECT_EQ(root["buffers"][0]["byteLength"], data.size());
  }

  json Primitive() const { return root["meshes"][0]["primitives"][0]; }

  template <typename T>
  std::vector<T> Values(const std::string& attribute,
                        const std::string& type,
                        int component) const {
    const size_t index = Primitive()["attributes"].at(attribute);
    const json accessor = root["accessors"].at(index);
    EXPECT_EQ(accessor["type"], type);
    EXPECT_EQ(accessor["componentType"], component);
    const json view =
        root["bufferViews"].at(accessor["bufferView"].get<size_t>());
    EXPECT_EQ(view["byteOffset"].get<size_t>() % 4, 0u);
    const std::string part =
        data.substr(view["byteOffset"], view["byteLength"]);
    EXPECT_EQ(part.size(), view["byteLength"]);
    std::vector<T> values(part.size() / sizeof(T));
    std::memcpy(values.data(), part.data(), values.size() * sizeof(T));
    const size_t each = type == "SCALAR" ? 1 : type == "VEC3" ? 3 : 4;
    EXPECT_EQ(values.size(), each * accessor["count"].get<size_t>());
    return values;
  }
  std::vector<float> Splat(const std::string& name,
                           const std::string& type) const {
    return Values<float>("KHR_gaussian_splatting:" + name, type, 5126);
  }
};

using Floats = std::vector<float>;

TEST(GlbFile, ValuesOfAKnownGaussian) {
  const Glb glb(GlbBytes(KnownCloud()));
  EXPECT_EQ(glb.root["extensionsUsed"], json({"KHR_gaussian_splatting"}));
  EXPECT_FALSE(glb.root.contains("extensionsRequired"));
  EXPECT_EQ(glb.root["asset"]["version"], "2.0");
  EXPECT_EQ(glb.Primitive()["mode"], 0);
  EXPECT_EQ(glb.Primitive()["extensions"]["KHR_gaussian_splatting"],
            json({{"kernel", "ellipse"},
                  {"colorSpace", "srgb_rec709_display"},
                  {"projection", "perspective"},
                  {"sortingMethod", "cameraDistance"}}));

  EXPECT_EQ(glb.Values<float>("POSITION", "VEC3", 5126),
            (Floats{1.3f, -2.7f, 0.7f}));
  EXPECT_EQ(glb.Values<uint16_t>("COLOR_0", "VEC4", 5123),
            (std::vector<uint16_t>{19719, 5858, 34641, 52571}));
  EXPECT_EQ(glb.root["accessors"][1]["normalized"], true);
  EXPECT_EQ(glb.Splat("ROTATION", "VEC4"), (Floats{-0.1f, 0.7f, -0.5f, 0.5f}));
  ExpectNear(glb.Splat("SCALE", "VEC3"),
             {0.0450492024f, 0.0100518357f, 0.1108031584f},
             1e-8);
  ExpectNear(glb.Splat("OPACITY", "SCALAR"), {0.8021838886f}, 1e-7);
  EXPECT_EQ(glb.Splat("SH_DEGREE_0_COEF_0", "VEC3"),
            (Floats{0.3f, -0.6f, 0.9f}));
  EXPECT_EQ(glb.Splat("SH_DEGREE_1_COEF_0", "VEC3"),
            (Floats{0.11f, -0.12f, 0.13f}));
  EXPECT_EQ(glb.Splat("SH_DEGREE_1_COEF_1", "VEC3"),
            (Floats{0.21f, 0.22f, -0.23f}));
  EXPECT_EQ(glb.Splat("SH_DEGREE_1_COEF_2", "VEC3"),
            (Floats{-0.31f, 0.32f, 0.33f}));
}

TEST(GlbFile, EveryDegreeHasItsAttributes) {
  for (int degree = 0; degree <= kMostDegree; ++degree) {
    const SplatCloud cloud = ExampleCloud(degree);
    const Glb glb(GlbBytes(cloud));
    EXPECT_EQ(glb.Primitive()["attributes"].size(), 6 + HarmonicsOf(degree));
    EXPECT_EQ(glb.Values<float>("POSITION", "VEC3", 5126), cloud.means);
    size_t j = 0;
    for (int l = 1; l <= degree; ++l) {
      for (int n = 0; n < 2 * l + 1; ++n, ++j) {
        const Floats values = glb.Splat(
            "SH_DEGREE_" + std::to_string(l) + "_COEF_" + std::to_string(n),
            "VEC3");
        for (size_t i = 0; i < kExampleCount; ++i) {
          for (size_t channel = 0; channel < 3; ++channel) {
            EXPECT_EQ(
                values[3 * i + channel],
                cloud.harmonics[3 * (HarmonicsOf(degree) * i + j) + channel]);
          }
        }
      }
    }
    EXPECT_EQ(j, HarmonicsOf(degree));
  }
}

// Required, and to the last digit.
TEST(GlbFile, PositionsHaveBounds) {
  const SplatCloud cloud = ExampleCloud(1);
  const json accessor = Glb(GlbBytes(cloud)).root["accessors"][0];
  for (size_t axis = 0; axis < 3; ++axis) {
    Floats values;
    for (size_t i = 0; i < kExampleCount; ++i) {
      values.push_back(cloud.means[3 * i + axis]);
    }
    const auto [least, most] =
        std::minmax_element(values.begin(), values.end());
    EXPECT_EQ(accessor["min"][axis].get<double>(), *least);
    EXPECT_EQ(accessor["max"][axis].get<double>(), *most);
  }
}

TEST(GlbFile, ColoursOfPointsStayInRange) {
  SplatCloud cloud = KnownCloud();
  cloud.colours = {-3, 2.5f, -1.7f};
  cloud.logits = {-20};
  EXPECT_EQ(Glb(GlbBytes(cloud)).Values<uint16_t>("COLOR_0", "VEC4", 5123),
            // 0.0204 is on the straight part of the curve.
            (std::vector<uint16_t>{0, 65535, 104, 0}));
}

}  // namespace
}  // namespace nerfpipe::splats
