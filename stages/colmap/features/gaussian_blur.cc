#include "stages/colmap/features/gaussian_blur.h"

#include "stages/colmap/features/for_each_cpu.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace nerfpipe::sfm {
namespace {

constexpr int kBlock = 16;  // pixels whose sums stay in registers

// The middle weight and those to one side.
std::vector<float> HalfKernel(double sigma) {
  const int radius = std::max(1, static_cast<int>(std::ceil(4 * sigma)));
  std::vector<double> weights(radius + 1);
  double sum = 0;
  for (int i = 0; i <= radius; ++i) {
    weights[i] = std::exp(-0.5 * i * i / (sigma * sigma));
    sum += i == 0 ? weights[i] : 2 * weights[i];
  }
  std::vector<float> kernel;
  for (const double weight : weights) {
    kernel.push_back(static_cast<float>(weight / sum));
  }
  return kernel;
}

// out[x] = sum over i of kernel[|i|] * rows[radius + i][x].
NERFPIPE_FOR_EACH_CPU
void SumRows(const std::vector<float>& kernel,
             const std::vector<const float*>& rows,
             int width,
             float* __restrict out) {
  const int radius = static_cast<int>(kernel.size()) - 1;
  int x = 0;
  for (; x + kBlock <= width; x += kBlock) {
    float sum[kBlock];
    for (int k = 0; k < kBlock; ++k) {
      sum[k] = kernel[0] * rows[radius][x + k];
    }
    for (int i = 1; i <= radius; ++i) {
      const float* above = rows[radius - i] + x;
      const float* below = rows[radius + i] + x;
      for (int k = 0; k < kBlock; ++k) {
        sum[k] += kernel[i] * (above[k] + below[k]);
      }
    }
    std::copy_n(sum, kBlock, out + x);
  }
  for (; x < width; ++x) {
    float sum = kernel[0] * rows[radius][x];
    for (int i = 1; i <= radius; ++i) {
      sum += kernel[i] * (rows[radius - i][x] + rows[radius + i][x]);
    }
    out[x] = sum;
  }
}

}  // namespace

void BlurGaussian(
    const float* in, int width, int height, double sigma, float* out) {
  const std::vector<float> kernel = HalfKernel(sigma);
  const int radius = static_cast<int>(kernel.size()) - 1;
  // One row at a time, down and then across, so that everything in use stays
  // in the cache. Summing across is summing rows that are one row, shifted.
  std::vector<float> padded(width + 2 * radius);
  std::vector<const float*> down(2 * radius + 1);
  std::vector<const float*> across(2 * radius + 1);
  for (int i = 0; i <= 2 * radius; ++i) {
    across[i] = padded.data() + i;
  }
  for (int y = 0; y < height; ++y) {
    for (int i = 0; i <= 2 * radius; ++i) {
      const int row = std::clamp(y + i - radius, 0, height - 1);
      down[i] = in + static_cast<size_t>(row) * width;
    }
    SumRows(kernel, down, width, padded.data() + radius);
    std::fill_n(padded.data(), radius, padded[radius]);
    std::fill_n(
        padded.data() + radius + width, radius, padded[radius + width - 1]);
    SumRows(kernel, across, width, out + static_cast<size_t>(y) * width);
  }
}

}  // namespace nerfpipe::sfm
