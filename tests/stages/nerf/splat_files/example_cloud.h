#pragma once

// Clouds in which no two numbers are alike.

#include "pipeline/base/error.h"
#include "pipeline/base/random.h"
#include "stages/nerf/splat_files/splat_cloud.h"

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe::splats {

inline constexpr size_t kExampleCount = 7;

inline SplatCloud ExampleCloud(int degree) {
  Random random(11 + static_cast<uint64_t>(degree));
  SplatCloud cloud;
  cloud.degree = degree;
  cloud.antialiased = degree % 2 == 0;
  const auto add = [&](std::vector<float>* values, double low, double high) {
    values->push_back(static_cast<float>(random.Uniform(low, high)));
  };
  for (size_t i = 0; i < kExampleCount; ++i) {
    for (int k = 0; k < 3; ++k) add(&cloud.means, -3.1, 5.3);
    for (int k = 0; k < 3; ++k) add(&cloud.log_scales, -7.9, 1.3);
    add(&cloud.logits, -4.7, 5.9);
    for (int k = 0; k < 3; ++k) add(&cloud.colours, -1.6, 1.7);
    double q[4], length = 0;
    for (double& v : q) {
      v = random.Uniform(-1, 1);
      length += v * v;
    }
    for (const double v : q) {
      cloud.rotations.push_back(static_cast<float>(v / std::sqrt(length)));
    }
    for (size_t k = 0; k < 3 * HarmonicsOf(degree); ++k) {
      add(&cloud.harmonics, -0.9, 0.9);
    }
  }
  return cloud;
}

// One gaussian of degree 1 whose bytes can be worked out by hand.
inline SplatCloud KnownCloud() {
  SplatCloud cloud;
  cloud.degree = 1;
  cloud.means = {1.3f, -2.7f, 0.7f};
  cloud.log_scales = {-3.1f, -4.6f, -2.2f};
  cloud.rotations = {0.5f, -0.1f, 0.7f, -0.5f};
  cloud.logits = {1.4f};
  cloud.colours = {0.3f, -0.6f, 0.9f};
  cloud.harmonics = {
      0.11f, -0.12f, 0.13f, 0.21f, 0.22f, -0.23f, -0.31f, 0.32f, 0.33f};
  return cloud;
}

inline void ExpectNear(const std::vector<float>& values,
                       const std::vector<float>& expected,
                       double tolerance) {
  ASSERT_EQ(values.size(), expected.size());
  for (size_t k = 0; k < values.size(); ++k) {
    EXPECT_NEAR(values[k], expected[k], tolerance) << k;
  }
}

// q and -q are one rotation.
inline void ExpectSameRotations(const SplatCloud& cloud,
                                const SplatCloud& expected,
                                double tolerance) {
  ASSERT_EQ(cloud.rotations.size(), expected.rotations.size());
  for (size_t i = 0; i < cloud.count(); ++i) {
    double dot = 0;
    for (size_t k = 4 * i; k < 4 * i + 4; ++k) {
      dot += cloud.rotations[k] * expected.rotations[k];
    }
    const float sign = dot < 0 ? -1 : 1;
    for (size_t k = 4 * i; k < 4 * i + 4; ++k) {
      EXPECT_NEAR(sign * cloud.rotations[k], expected.rotations[k], tolerance)
          << i;
    }
  }
}

// What the user is told.
template <typename Action>
std::string Complaint(Action action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return "no complaint";
}

}  // namespace nerfpipe::splats
