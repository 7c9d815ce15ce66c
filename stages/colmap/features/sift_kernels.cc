#include "stages/colmap/features/sift_kernels.h"

#include "stages/colmap/features/for_each_cpu.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace nerfpipe::sfm {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;

// Lengths and directions of gradients, to 1e-5 radians. The polynomial is the
// arc tangent's over [0, 1] with the least greatest error (Hastings, 1955).
NERFPIPE_FOR_EACH_CPU
void ToPolar(const float* __restrict gx,
             const float* __restrict gy,
             int count,
             float* __restrict polar) {
  constexpr float kTiny = 1e-30f;
  for (int i = 0; i < count; ++i) {
    const float x = gx[i];
    const float y = gy[i];
    const float ax = std::fabs(x);
    const float ay = std::fabs(y);
    const float larger = ax > ay ? ax : ay;
    const float smaller = ax > ay ? ay : ax;
    const float t = smaller / (larger + kTiny);
    const float s = t * t;
    float angle =
        t *
        (0.99997726f +
         s * (-0.33262347f +
              s * (0.19354346f +
                   s * (-0.11643287f + s * (0.05265332f - s * 0.01172120f)))));
    angle = ax > ay ? angle : kPi / 2 - angle;
    angle = x < 0 ? kPi - angle : angle;
    angle = y < 0 ? 2 * kPi - angle : angle;
    polar[2 * i] = std::sqrt(x * x + y * y);
    polar[2 * i + 1] = angle;
  }
}

// Twice: to length 1, cut at 0.2, and to length 1 again.
void Normalise(float (&descriptor)[128]) {
  constexpr float kMost = 0.2f;
  constexpr float kTiny = 1e-20f;
  for (int round = 0; round < 2; ++round) {
    float sum = 0;
    for (const float value : descriptor) sum += value * value;
    const float scale = 1 / (std::sqrt(sum) + kTiny);
    for (float& value : descriptor) {
      value *= scale;
      if (round == 0) value = std::min(value, kMost);
    }
  }
}

}  // namespace

void FillGradient(const float* level, int width, int height, float* gradient) {
  if (width < 2 || height < 2) {
    std::fill_n(gradient, static_cast<size_t>(2) * width * height, 0.0f);
    return;
  }
  std::vector<float> gx(width);
  std::vector<float> gy(width);
  for (int y = 0; y < height; ++y) {
    const float* row = level + static_cast<size_t>(y) * width;
    const float* above = y > 0 ? row - width : row;
    const float* below = y + 1 < height ? row + width : row;
    const float half_y = y > 0 && y + 1 < height ? 0.5f : 1.0f;
    for (int x = 1; x + 1 < width; ++x)
      gx[x] = 0.5f * (row[x + 1] - row[x - 1]);
    gx[0] = row[1] - row[0];
    gx[width - 1] = row[width - 1] - row[width - 2];
    for (int x = 0; x < width; ++x) gy[x] = half_y * (below[x] - above[x]);
    ToPolar(gx.data(),
            gy.data(),
            width,
            gradient + static_cast<size_t>(2) * y * width);
  }
}

void ComputeDescriptor(const float* gradient,
                       int width,
                       int height,
                       const DescriptorPlace& place,
                       float (&descriptor)[128]) {
  constexpr int kCells = 4;  // of the square, each way
  constexpr int kDirections = 8;
  constexpr float kCellSize = 3;                 // sigma
  constexpr float kReach = 0.5f * (kCells + 1);  // cells, for interpolation
  constexpr float kWindow = kCells / 2.0f;       // sigma of the weights, cells
  const float cell = kCellSize * place.sigma;
  const int reach = static_cast<int>(std::sqrt(2.0f) * cell * kReach + 0.5f);
  const int x0 = static_cast<int>(place.x + 0.5f);
  const int y0 = static_cast<int>(place.y + 0.5f);
  std::fill(std::begin(descriptor), std::end(descriptor), 0.0f);
  if (x0 < 0 || x0 >= width || y0 < 0 || y0 >= height) return;
  const float c = std::cos(place.angle) / cell;
  const float s = std::sin(place.angle) / cell;
  const int first_x = std::max(1, x0 - reach);
  const int last_x = std::min(width - 2, x0 + reach);
  const int first_y = std::max(1, y0 - reach);
  const int last_y = std::min(height - 2, y0 + reach);
  // The weights are round, so that they are products of one factor for the
  // column and one for the row.
  const auto weight = [&](float distance) {
    const float cells = distance / cell;
    return std::exp(-cells * cells / (2 * kWindow * kWindow));
  };
  std::vector<float> weights;
  for (int x = first_x; x <= last_x; ++x) {
    weights.push_back(weight(static_cast<float>(x) - place.x));
  }
  // A border of cells and of directions takes what falls outside.
  float sums[kCells + 2][kCells + 2][kDirections + 1] = {};
  for (int y = first_y; y <= last_y; ++y) {
    const float dy = static_cast<float>(y) - place.y;
    const float row_weight = weight(dy);
    const float* row = gradient + static_cast<size_t>(2) * y * width;
    for (int x = first_x; x <= last_x; ++x) {
      const float dx = static_cast<float>(x) - place.x;
      const float u = c * dx + s * dy;
      const float v = c * dy - s * dx;
      if (!(std::fabs(u) < kReach) || !(std::fabs(v) < kReach)) continue;
      float t = (row[2 * x + 1] - place.angle) * (kDirections / (2 * kPi));
      t -= kDirections * std::floor(t / kDirections);
      const float length = row_weight * weights[x - first_x] * row[2 * x];
      const float fu = u + kReach;
      const float fv = v + kReach;
      // Rounding may reach the very end.
      const int iu = std::min(static_cast<int>(fu), kCells);
      const int iv = std::min(static_cast<int>(fv), kCells);
      const int it = std::min(static_cast<int>(t), kDirections - 1);
      const float ru = fu - static_cast<float>(iu);
      const float rv = fv - static_cast<float>(iv);
      const float rt = t - static_cast<float>(it);
      const float high = length * rv;
      const float low = length - high;
      const float low_right = low * ru;
      const float high_right = high * ru;
      const auto add = [&](float* to, float value) {
        to[0] += value * (1 - rt);
        to[1] += value * rt;
      };
      add(&sums[iv][iu][it], low - low_right);
      add(&sums[iv][iu + 1][it], low_right);
      add(&sums[iv + 1][iu][it], high - high_right);
      add(&sums[iv + 1][iu + 1][it], high_right);
    }
  }
  float* out = descriptor;
  for (int row = 1; row <= kCells; ++row) {
    for (int column = 1; column <= kCells; ++column) {
      float* cell_sums = sums[row][column];
      cell_sums[0] += cell_sums[kDirections];
      out = std::copy_n(cell_sums, kDirections, out);
    }
  }
  Normalise(descriptor);
}

}  // namespace nerfpipe::sfm
