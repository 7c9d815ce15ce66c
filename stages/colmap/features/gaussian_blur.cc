#include "stages/colmap/features/gaussian_blur.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace nerfpipe::sfm {
namespace {

// Vectors are written out: given a loop over an array, GCC takes it apart into
// single floats at -O3.
using FourFloats = float __attribute__((vector_size(16)));
using EightFloats = float __attribute__((vector_size(32)));

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

// out[x] = sum over i of kernel[|i|] * rows[radius + i][x]. The sums of
// `kBlocks` blocks stay in registers.
template <typename Block, int kBlocks>
[[gnu::always_inline]] inline void SumInBlocks(
    const std::vector<float>& kernel,
    const std::vector<const float*>& rows,
    int width,
    float* __restrict out) {
  constexpr int kLanes = sizeof(Block) / sizeof(float);
  const int radius = static_cast<int>(kernel.size()) - 1;
  int x = 0;
  for (; x + kBlocks * kLanes <= width; x += kBlocks * kLanes) {
    Block sums[kBlocks], above, below;
    for (int k = 0; k < kBlocks; ++k) {
      std::memcpy(&sums[k], rows[radius] + x + k * kLanes, sizeof(Block));
      sums[k] *= kernel[0];
    }
    for (int i = 1; i <= radius; ++i) {
      for (int k = 0; k < kBlocks; ++k) {
        std::memcpy(&above, rows[radius - i] + x + k * kLanes, sizeof(Block));
        std::memcpy(&below, rows[radius + i] + x + k * kLanes, sizeof(Block));
        sums[k] += kernel[i] * (above + below);
      }
    }
    std::memcpy(out + x, sums, sizeof(sums));
  }
  for (; x < width; ++x) {
    float sum = kernel[0] * rows[radius][x];
    for (int i = 1; i <= radius; ++i) {
      sum += kernel[i] * (rows[radius - i][x] + rows[radius + i][x]);
    }
    out[x] = sum;
  }
}

using RowSum = void (*)(const std::vector<float>& kernel,
                        const std::vector<const float*>& rows,
                        int width,
                        float* out);

void SumRows(const std::vector<float>& kernel,
             const std::vector<const float*>& rows,
             int width,
             float* out) {
  SumInBlocks<FourFloats, 4>(kernel, rows, width, out);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void SumRowsAvx2(
    const std::vector<float>& kernel,
    const std::vector<const float*>& rows,
    int width,
    float* out) {
  SumInBlocks<EightFloats, 2>(kernel, rows, width, out);
}
#endif

// Without fused multiplication all give exactly the same sums.
RowSum FastestRowSum() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return SumRowsAvx2;
#endif
  return SumRows;
}

}  // namespace

void BlurGaussian(
    const float* in, int width, int height, double sigma, float* out) {
  const std::vector<float> kernel = HalfKernel(sigma);
  const int radius = static_cast<int>(kernel.size()) - 1;
  const RowSum sum_rows = FastestRowSum();
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
    sum_rows(kernel, down, width, padded.data() + radius);
    std::fill_n(padded.data(), radius, padded[radius]);
    std::fill_n(
        padded.data() + radius + width, radius, padded[radius + width - 1]);
    sum_rows(kernel, across, width, out + static_cast<size_t>(y) * width);
  }
}

}  // namespace nerfpipe::sfm
