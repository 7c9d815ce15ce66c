#include "stages/nerf/splat_files/cloud_transform.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace nerfpipe::splats {
namespace {

using Matrix = std::array<double, 9>;  // row-major
using Vector = std::array<double, 3>;
using Quaternion = std::array<double, 4>;  // w, x, y, z

constexpr double kPi = 3.14159265358979323846;
constexpr size_t kBasis = kMostHarmonics + 1;

Vector Times(const Matrix& m, const Vector& v) {
  return {m[0] * v[0] + m[1] * v[1] + m[2] * v[2],
          m[3] * v[0] + m[4] * v[1] + m[5] * v[2],
          m[6] * v[0] + m[7] * v[1] + m[8] * v[2]};
}

Quaternion Times(const Quaternion& a, const Quaternion& b) {
  return {a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
          a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
          a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
          a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0]};
}

Quaternion Normalised(Quaternion q) {
  const double length =
      std::sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
  for (double& v : q) v /= length;
  return q;
}

// Shepperd: from the largest component, which is never near 0.
Quaternion QuaternionOf(const Matrix& m) {
  const double trace = m[0] + m[4] + m[8];
  const Quaternion squares = {trace, m[0], m[4], m[8]};
  const auto largest = std::max_element(squares.begin(), squares.end());
  Quaternion q;
  switch (largest - squares.begin()) {
    case 0:
      q = {1 + trace, m[7] - m[5], m[2] - m[6], m[3] - m[1]};
      break;
    case 1:
      q = {m[7] - m[5], 1 + 2 * m[0] - trace, m[1] + m[3], m[2] + m[6]};
      break;
    case 2:
      q = {m[2] - m[6], m[1] + m[3], 1 + 2 * m[4] - trace, m[5] + m[7]};
      break;
    default:
      q = {m[3] - m[1], m[2] + m[6], m[5] + m[7], 1 + 2 * m[8] - trace};
  }
  return Normalised(q);
}

// Degrees 0 to 3 along a unit vector.
std::array<double, kBasis> HarmonicsAt(const Vector& direction) {
  const auto [x, y, z] = direction;
  const double xx = x * x, yy = y * y, zz = z * z;
  return {0.28209479177387814,
          -0.4886025119029199 * y,
          0.4886025119029199 * z,
          -0.4886025119029199 * x,
          1.0925484305920792 * x * y,
          -1.0925484305920792 * y * z,
          0.31539156525252005 * (2 * zz - xx - yy),
          -1.0925484305920792 * x * z,
          0.5462742152960396 * (xx - yy),
          -0.5900435899266435 * y * (3 * xx - yy),
          2.890611442640554 * x * y * z,
          -0.4570457994644658 * y * (4 * zz - xx - yy),
          0.3731763325901154 * z * (2 * zz - 3 * xx - 3 * yy),
          -0.4570457994644658 * x * (4 * zz - xx - yy),
          1.445305721320277 * z * (xx - yy),
          -0.5900435899266435 * x * (xx - 3 * yy)};
}

// Coefficients after a rotation from those before: [i][j] is the integral over
// the sphere of harmonic i, turned, times harmonic j. The sum over four
// latitudes (Gauss and Legendre) and eight longitudes is exact up to degree 7
// of the product, which has degree 6 at most.
std::array<std::array<double, kBasis>, kBasis> TurnOfHarmonics(
    const Matrix& rotation) {
  constexpr int kLongitudes = 8;
  constexpr std::pair<double, double> kLatitudes[] = {
      {-0.8611363115940526, 0.34785484513745386},
      {-0.33998104358485626, 0.6521451548625461},
      {0.33998104358485626, 0.6521451548625461},
      {0.8611363115940526, 0.34785484513745386}};
  std::array<std::array<double, kBasis>, kBasis> turn = {};
  for (const auto& [height, weight] : kLatitudes) {
    const double radius = std::sqrt(1 - height * height);
    for (int k = 0; k < kLongitudes; ++k) {
      const double angle = 2 * kPi * k / kLongitudes;
      const Vector direction = {
          radius * std::cos(angle), radius * std::sin(angle), height};
      const auto before = HarmonicsAt(direction);
      const auto after = HarmonicsAt(Times(rotation, direction));
      const double area = weight * 2 * kPi / kLongitudes;
      for (size_t i = 0; i < kBasis; ++i) {
        for (size_t j = 0; j < kBasis; ++j) {
          turn[i][j] += area * after[i] * before[j];
        }
      }
    }
  }
  return turn;
}

void TurnHarmonics(const Matrix& rotation, SplatCloud* cloud) {
  const auto turn = TurnOfHarmonics(rotation);
  const size_t each = 3 * HarmonicsOf(cloud->degree);
  for (size_t i = 0; i < cloud->count(); ++i) {
    float* const values = cloud->harmonics.data() + each * i;
    std::array<float, 3 * kMostHarmonics> before;
    std::copy_n(values, each, before.begin());
    for (int degree = 1; degree <= cloud->degree; ++degree) {
      const size_t begin = HarmonicsOf(degree - 1), end = HarmonicsOf(degree);
      for (size_t row = begin; row < end; ++row) {
        for (size_t channel = 0; channel < 3; ++channel) {
          double sum = 0;
          for (size_t j = begin; j < end; ++j) {
            sum += turn[row + 1][j + 1] * before[3 * j + channel];
          }
          values[3 * row + channel] = static_cast<float>(sum);
        }
      }
    }
  }
}

struct Similarity {
  double scale;
  Matrix rotation;
  Vector translation;
};

Similarity Parse(const std::array<double, 12>& m) {
  const double determinant = m[0] * (m[5] * m[10] - m[6] * m[9]) -
                             m[1] * (m[4] * m[10] - m[6] * m[8]) +
                             m[2] * (m[4] * m[9] - m[5] * m[8]);
  Similarity parsed = {std::cbrt(determinant), {}, {m[3], m[7], m[11]}};
  double error = 0;
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 3; ++column) {
      parsed.rotation[3 * row + column] = m[4 * row + column] / parsed.scale;
    }
  }
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) {
      double dot = a == b ? -1 : 0;
      for (int k = 0; k < 3; ++k) {
        dot += parsed.rotation[3 * a + k] * parsed.rotation[3 * b + k];
      }
      error = std::max(error, std::isfinite(dot) ? std::abs(dot) : HUGE_VAL);
    }
  }
  const bool finite = std::isfinite(m[3] + m[7] + m[11]);
  if (!(determinant > 0) || !(error < 1e-4) || !finite) {
    throw UserError(
        "the transform of the gaussians is not a rotation with one scale and a "
        "translation",
        "give a 3 x 4 matrix whose rows are at right angles, equally long and "
        "not mirrored");
  }
  return parsed;
}

}  // namespace

SplatCloud Transformed(const std::array<double, 12>& target_from_source,
                       SplatCloud cloud) {
  const Similarity similarity = Parse(target_from_source);
  const Quaternion turn = QuaternionOf(similarity.rotation);
  const auto log_scale = static_cast<float>(std::log(similarity.scale));
  for (float& v : cloud.log_scales) v += log_scale;
  for (size_t i = 0; i < cloud.count(); ++i) {
    float* const mean = cloud.means.data() + 3 * i;
    const Vector turned =
        Times(similarity.rotation, Vector{mean[0], mean[1], mean[2]});
    for (size_t k = 0; k < 3; ++k) {
      mean[k] = static_cast<float>(similarity.scale * turned[k] +
                                   similarity.translation[k]);
    }
    float* const rotation = cloud.rotations.data() + 4 * i;
    const Quaternion product = Normalised(Times(
        turn, Quaternion{rotation[0], rotation[1], rotation[2], rotation[3]}));
    std::copy(product.begin(), product.end(), rotation);
  }
  TurnHarmonics(similarity.rotation, &cloud);
  return cloud;
}

}  // namespace nerfpipe::splats
