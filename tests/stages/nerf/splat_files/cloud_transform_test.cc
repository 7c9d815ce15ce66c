#include "stages/nerf/splat_files/cloud_transform.h"

#include "tests/stages/nerf/splat_files/example_cloud.h"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::splats {
namespace {

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;  // rows

constexpr double kPi = 3.14159265358979323846;

Vector Times(const Matrix& m, const Vector& v) {
  Vector product = {};
  for (int row = 0; row < 3; ++row) {
    for (int k = 0; k < 3; ++k) product[row] += m[row][k] * v[k];
  }
  return product;
}

Matrix Times(const Matrix& a, const Matrix& b) {
  Matrix product = {};
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 3; ++column) {
      for (int k = 0; k < 3; ++k)
        product[row][column] += a[row][k] * b[k][column];
    }
  }
  return product;
}

Matrix Transposed(const Matrix& m) {
  Matrix t;
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 3; ++column) t[row][column] = m[column][row];
  }
  return t;
}

// Rodrigues.
Matrix TurnAbout(Vector axis, double angle) {
  const double length = std::hypot(axis[0], axis[1], axis[2]);
  for (double& v : axis) v /= length;
  const double c = std::cos(angle), s = std::sin(angle);
  const Matrix cross = {Vector{0, -axis[2], axis[1]},
                        Vector{axis[2], 0, -axis[0]},
                        Vector{-axis[1], axis[0], 0}};
  Matrix turn;
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 3; ++column) {
      turn[row][column] = (row == column ? c : 0) + s * cross[row][column] +
                          (1 - c) * axis[row] * axis[column];
    }
  }
  return turn;
}

std::array<double, 12> Similarity(double scale,
                                  const Matrix& turn,
                                  const Vector& translation) {
  std::array<double, 12> m;
  for (int row = 0; row < 3; ++row) {
    for (int k = 0; k < 3; ++k) m[4 * row + k] = scale * turn[row][k];
    m[4 * row + 3] = translation[row];
  }
  return m;
}

// By associated Legendre functions, times (-1)^m.
std::vector<double> Basis(const Vector& direction, int degree) {
  const double azimuth = std::atan2(direction[1], direction[0]);
  std::vector<double> basis;
  for (int l = 1; l <= degree; ++l) {
    for (int m = -l; m <= l; ++m) {
      const auto order = static_cast<unsigned>(std::abs(m));
      double value =
          (m % 2 == 0 ? 1 : -1) * std::assoc_legendre(l, order, direction[2]) *
          std::sqrt((2 * l + 1) / (4 * kPi) * std::tgamma(l - std::abs(m) + 1) /
                    std::tgamma(l + std::abs(m) + 1));
      if (m < 0) value *= std::sqrt(2) * std::sin(-m * azimuth);
      if (m > 0) value *= std::sqrt(2) * std::cos(m * azimuth);
      basis.push_back(value);
    }
  }
  return basis;
}

Vector GlossOf(const SplatCloud& cloud, size_t i, const Vector& direction) {
  const std::vector<double> basis = Basis(direction, cloud.degree);
  Vector gloss = {};
  for (size_t j = 0; j < basis.size(); ++j) {
    for (size_t channel = 0; channel < 3; ++channel) {
      gloss[channel] +=
          basis[j] * cloud.harmonics[3 * (basis.size() * i + j) + channel];
    }
  }
  return gloss;
}

Matrix RotationOf(const SplatCloud& cloud, size_t i) {
  const double w = cloud.rotations[4 * i];
  const Vector v = {cloud.rotations[4 * i + 1],
                    cloud.rotations[4 * i + 2],
                    cloud.rotations[4 * i + 3]};
  const double sine = std::hypot(v[0], v[1], v[2]);
  return TurnAbout(v, 2 * std::atan2(sine, w));
}

Matrix CovarianceOf(const SplatCloud& cloud, size_t i) {
  Matrix columns = RotationOf(cloud, i);
  for (Vector& row : columns) {
    for (size_t k = 0; k < 3; ++k) {
      row[k] *= std::exp(cloud.log_scales[3 * i + k]);
    }
  }
  return Times(columns, Transposed(columns));
}

// Also half turns, in which all but one component of the quaternion is 0.
std::vector<Matrix> Turns() {
  return {TurnAbout({0.3, -0.5, 0.8}, 0.9),
          TurnAbout({-0.9, 0.2, 0.4}, 2.7),
          TurnAbout({0.1, 0.9, -0.3}, 3.0),
          TurnAbout({0.2, -0.1, -0.7}, -2.9),
          Matrix{Vector{1, 0, 0}, Vector{0, -1, 0}, Vector{0, 0, -1}},
          Matrix{Vector{-1, 0, 0}, Vector{0, 1, 0}, Vector{0, 0, -1}},
          Matrix{Vector{-1, 0, 0}, Vector{0, -1, 0}, Vector{0, 0, 1}}};
}

TEST(CloudTransform, ColoursTurnWithTheCloud) {
  for (int degree = 0; degree <= kMostDegree; ++degree) {
    const SplatCloud before = ExampleCloud(degree);
    for (const Matrix& turn : Turns()) {
      const SplatCloud after =
          Transformed(Similarity(1.7, turn, {0.4, -3, 12}), before);
      EXPECT_EQ(after.colours, before.colours);
      EXPECT_EQ(after.logits, before.logits);
      Random random(5);
      for (size_t i = 0; i < kExampleCount; ++i) {
        Vector direction;
        for (double& v : direction) v = random.Uniform(-1, 1);
        const double length =
            std::hypot(direction[0], direction[1], direction[2]);
        for (double& v : direction) v /= length;
        const Vector expected = GlossOf(before, i, direction);
        const Vector gloss = GlossOf(after, i, Times(turn, direction));
        for (size_t channel = 0; channel < 3; ++channel) {
          EXPECT_NEAR(gloss[channel], expected[channel], 3e-6) << degree;
        }
      }
    }
  }
}

TEST(CloudTransform, MeansAndCovariancesAreThoseOfTheMatrix) {
  const SplatCloud before = ExampleCloud(2);
  const double scale = 0.37;
  const Vector translation = {-1.5, 2.25, 0.6};
  for (const Matrix& turn : Turns()) {
    const SplatCloud after =
        Transformed(Similarity(scale, turn, translation), before);
    for (size_t i = 0; i < kExampleCount; ++i) {
      const Vector turned = Times(turn,
                                  Vector{before.means[3 * i],
                                         before.means[3 * i + 1],
                                         before.means[3 * i + 2]});
      const Matrix expected =
          Times(Times(turn, CovarianceOf(before, i)), Transposed(turn));
      const Matrix covariance = CovarianceOf(after, i);
      double trace = 0, length = 0;
      for (int k = 0; k < 3; ++k) trace += expected[k][k];
      for (int row = 0; row < 3; ++row) {
        EXPECT_NEAR(after.means[3 * i + row],
                    scale * turned[row] + translation[row],
                    1e-6);
        for (int column = 0; column < 3; ++column) {
          EXPECT_NEAR(covariance[row][column] / (scale * scale * trace),
                      expected[row][column] / trace,
                      3e-6);
        }
      }
      for (size_t k = 4 * i; k < 4 * i + 4; ++k) {
        length += after.rotations[k] * after.rotations[k];
      }
      EXPECT_NEAR(length, 1, 1e-6);
    }
  }
}

TEST(CloudTransform, NothingHappensWithoutATransform) {
  const SplatCloud before = ExampleCloud(3);
  const SplatCloud after =
      Transformed(Similarity(1, TurnAbout({1, 2, 3}, 0), {0, 0, 0}), before);
  EXPECT_EQ(after.means, before.means);
  EXPECT_EQ(after.log_scales, before.log_scales);
  ExpectNear(after.rotations, before.rotations, 1e-7);
  ExpectNear(after.harmonics, before.harmonics, 1e-7);
}

TEST(CloudTransform, RefusesWhatIsNoSimilarity) {
  const std::array<double, 12> good =
      Similarity(2, TurnAbout({0.3, -0.5, 0.8}, 0.9), {1, 2, 3});
  const auto complaint = [](const std::array<double, 12>& matrix) {
    return Complaint([&] { Transformed(matrix, ExampleCloud(1)); });
  };
  EXPECT_EQ(complaint(good), "no complaint");
  std::vector<std::array<double, 12>> bad(6, good);
  for (const int row : {0, 4, 8}) bad[0][row] *= -1;  // mirrors
  for (int k = 0; k < 3; ++k) bad[1][4 + k] *= 1.001;
  bad[2][1] += 0.01;
  bad[3] = {};
  bad[4][6] = NAN;
  bad[5][11] = INFINITY;
  for (size_t k = 0; k < bad.size(); ++k) {
    EXPECT_THAT(complaint(bad[k]), testing::HasSubstr("is not a rotation with"))
        << k;
  }
}

}  // namespace
}  // namespace nerfpipe::splats
