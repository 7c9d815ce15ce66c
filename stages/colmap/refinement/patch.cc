#include "stages/colmap/refinement/patch.h"

#include <algorithm>
#include <cmath>

#include <Eigen/Dense>

namespace nerfpipe::sfm {
namespace {

constexpr int kRadius = 7;  // of the template
constexpr int kTemplateSide = 2 * kRadius + 1;
constexpr int kTemplatePixels = kTemplateSide * kTemplateSide;

using Field = std::array<float, kPatchSide * kPatchSide>;

// A binomial filter of three pixels each way, without which linear
// interpolation between pixels draws results to their centres.
Field Smoothed(const Patch& patch) {
  const auto at = [](int i) { return std::clamp(i, 0, kPatchSide - 1); };
  Field along;
  for (int y = 0; y < kPatchSide; ++y) {
    const uint8_t* row = patch.pixels.data() + y * kPatchSide;
    for (int x = 0; x < kPatchSide; ++x) {
      along[y * kPatchSide + x] =
          static_cast<float>(row[at(x - 1)] + 2 * row[x] + row[at(x + 1)]);
    }
  }
  Field both;
  for (int y = 0; y < kPatchSide; ++y) {
    const float* above = along.data() + at(y - 1) * kPatchSide;
    const float* row = along.data() + y * kPatchSide;
    const float* below = along.data() + at(y + 1) * kPatchSide;
    for (int x = 0; x < kPatchSide; ++x) {
      both[y * kPatchSide + x] = (above[x] + 2 * row[x] + below[x]) / 16;
    }
  }
  return both;
}

// Between the centres of the pixels; false outside.
bool Sample(const Field& field, float x, float y, float* value) {
  x -= 0.5f;
  y -= 0.5f;
  if (!(x >= 0 && y >= 0 && x < kPatchSide - 1 && y < kPatchSide - 1)) {
    return false;
  }
  const int column = static_cast<int>(x);
  const int row = static_cast<int>(y);
  const float right = x - static_cast<float>(column);
  const float down = y - static_cast<float>(row);
  const float* at = field.data() + row * kPatchSide + column;
  const float upper = at[0] + right * (at[1] - at[0]);
  const float lower =
      at[kPatchSide] + right * (at[kPatchSide + 1] - at[kPatchSide]);
  *value = upper + down * (lower - upper);
  return true;
}

// Pixels near the middle say more of the point's own place.
float Weight(int x, int y) {
  constexpr float kSigma = 5;
  return std::exp(-static_cast<float>(x * x + y * y) / (2 * kSigma * kSigma));
}

const Eigen::VectorXf& Weights() {
  static const Eigen::VectorXf weights = [] {
    Eigen::VectorXf result(kTemplatePixels);
    for (int i = 0; i < kTemplatePixels; ++i) {
      result[i] =
          Weight(i % kTemplateSide - kRadius, i / kTemplateSide - kRadius);
    }
    return Eigen::VectorXf(result / result.sum());
  }();
  return weights;
}

// Subtracts the weighted mean.
Eigen::VectorXf Centred(const Eigen::VectorXf& values) {
  return values.array() - values.dot(Weights());
}

float Correlation(const Eigen::VectorXf& a, const Eigen::VectorXf& b) {
  const auto product = [](const Eigen::VectorXf& p, const Eigen::VectorXf& q) {
    return (p.array() * q.array() * Weights().array()).sum();
  };
  return product(a, b) / std::sqrt(product(a, a) * product(b, b) + 1e-12f);
}

}  // namespace

std::optional<Patch> CutPatch(const Image& image,
                              const Eigen::Vector2d& point,
                              int level) {
  const int size = 1 << level;
  const Eigen::Vector2d place = point / size;
  const int left = static_cast<int>(std::floor(place.x())) - kPatchSide / 2;
  const int top = static_cast<int>(std::floor(place.y())) - kPatchSide / 2;
  // The template must fit, the rest of the patch may hang over.
  constexpr int kMargin = kPatchSide / 2 - kRadius - 3;
  if (left < -kMargin || top < -kMargin ||
      (left + kPatchSide - kMargin) * size > image.width ||
      (top + kPatchSide - kMargin) * size > image.height) {
    return std::nullopt;
  }
  Patch patch;
  for (int y = 0; y < kPatchSide; ++y) {
    for (int x = 0; x < kPatchSide; ++x) {
      int sum = 0;
      for (int i = 0; i < size * size; ++i) {
        const uint8_t* rgb = image.At(
            std::clamp((left + x) * size + i % size, 0, image.width - 1),
            std::clamp((top + y) * size + i / size, 0, image.height - 1));
        sum += 77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2];
      }
      patch.pixels[y * kPatchSide + x] =
          static_cast<uint8_t>((sum / (size * size) + 128) >> 8);
    }
  }
  patch.point = (place - Eigen::Vector2d(left, top)).cast<float>();
  return patch;
}

PatchTemplate::PatchTemplate(const Patch& patch) {
  // Of a gray level per pixel, in the direction in which there is least.
  constexpr float kLeastGradient = 1.5f;
  const Field field = Smoothed(patch);
  const auto at = [&](float x, float y) {
    float value = 0;
    Sample(field, patch.point.x() + x, patch.point.y() + y, &value);
    return value;
  };
  Basis basis(7, kTemplatePixels);
  values_.resize(kTemplatePixels);
  for (int i = 0; i < kTemplatePixels; ++i) {
    const auto x = static_cast<float>(i % kTemplateSide - kRadius);
    const auto y = static_cast<float>(i / kTemplateSide - kRadius);
    const float dx = (at(x + 1, y) - at(x - 1, y)) / 2;
    const float dy = (at(x, y + 1) - at(x, y - 1)) / 2;
    values_[i] = at(x, y);
    basis.col(i) << dx, dy, dx * x, dx * y, dy * x, dy * y, 0;
  }
  values_ = Centred(values_);
  basis.row(6) = values_.transpose();
  // Brightness is left out by taking means off both sides.
  basis.colwise() -= Eigen::Matrix<float, 7, 1>(basis * Weights());
  const Basis weighted = basis * Weights().asDiagonal();
  Eigen::Matrix<float, 7, 7> normal = weighted * basis.transpose();
  const Eigen::Matrix2f structure = normal.topLeftCorner<2, 2>();
  has_texture_ = Eigen::SelfAdjointEigenSolver<Eigen::Matrix2f>(
                     structure, Eigen::EigenvaluesOnly)
                     .eigenvalues()[0] > kLeastGradient * kLeastGradient;
  // Where the linear part has nothing to hold on to, it stays as it is.
  constexpr float kStiffness = 0.02f * kRadius * kRadius;
  normal.diagonal().segment<4>(2).array() += kStiffness * structure.trace() / 2;
  normal.diagonal().array() += 1e-7f * normal.trace();
  solver_ = normal.ldlt().solve(weighted);
}

std::optional<Eigen::Vector2f> PatchTemplate::Find(
    const Patch& target, const Eigen::Matrix2f& warp) const {
  constexpr int kMaxSteps = 12;
  constexpr float kSettled = 0.01f;  // pixels
  constexpr float kMaxShift = 2;     // pixels
  constexpr float kMaxDeformation = 0.5f;
  constexpr float kLeastCorrelation = 0.8f;
  const Field field = Smoothed(target);
  Eigen::Matrix2f linear = warp;
  Eigen::Vector2f shift = Eigen::Vector2f::Zero();
  Eigen::VectorXf seen(kTemplatePixels);
  bool settled = false;
  for (int step = 0; step < kMaxSteps && !settled; ++step) {
    for (int i = 0; i < kTemplatePixels; ++i) {
      const Eigen::Vector2f offset(
          static_cast<float>(i % kTemplateSide - kRadius),
          static_cast<float>(i / kTemplateSide - kRadius));
      const Eigen::Vector2f at = target.point + shift + linear * offset;
      if (!Sample(field, at.x(), at.y(), &seen[i])) return std::nullopt;
    }
    seen = Centred(seen);
    const Eigen::Matrix<float, 7, 1> found = solver_ * seen;
    const float contrast = found[6];
    if (!(contrast > 0.1f)) return std::nullopt;
    // What is seen at an offset is the template's at this place:
    const Eigen::Vector2f moved = found.head<2>() / contrast;
    Eigen::Matrix2f turned;
    turned << found[2], found[3], found[4], found[5];
    turned = turned / contrast + Eigen::Matrix2f::Identity();
    if (std::abs(turned.determinant()) < 0.1f) return std::nullopt;
    linear = linear * turned.inverse();
    shift -= linear * moved;
    settled = moved.norm() < kSettled;
    const Eigen::Matrix2f deformed = warp.inverse() * linear;
    if (!(shift.norm() < kMaxShift) ||
        !((deformed - Eigen::Matrix2f::Identity()).norm() < kMaxDeformation)) {
      return std::nullopt;
    }
  }
  if (!settled || Correlation(values_, seen) < kLeastCorrelation) {
    return std::nullopt;
  }
  return shift;
}

}  // namespace nerfpipe::sfm
