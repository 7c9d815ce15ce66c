#include "stages/nerf/kernels/occupancy.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace nerfpipe::nerf::kernels {
namespace {

constexpr uint32_t kSlab = kGridSide * kGridSide;  // cells of one z
constexpr uint32_t kBlockSide = kGridSide / kCoarseSide;

}  // namespace

OccupancyGrid::OccupancyGrid(std::span<float> thickness)
    : thickness_(thickness),
      words_(kGridCells / 32),
      coarse_(kCoarseSide * kCoarseSide * kCoarseSide) {
  NERFPIPE_CHECK(thickness.size() == kGridCells);
  Fill(-0.5f, 1);
}

void OccupancyGrid::Rebuild(float threshold, int threads) {
  // Sums of slabs, added in order: the same for any number of threads.
  std::array<double, kGridSide> sums = {};
  std::array<size_t, kGridSide> seen = {};
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int z = 0; z < kGridSide; ++z) {
    const float* slab = thickness_.data() + size_t(z) * kSlab;
    double sum = 0;
    size_t count = 0;
    for (size_t row = 0; row < kGridSide; ++row) {
      float part = 0;
      int visible = 0;
      for (size_t x = 0; x < kGridSide; ++x) {
        const float value = slab[row * kGridSide + x];
        part += value < 0 ? 0.0f : value;
        visible += value < 0 ? 0 : 1;
      }
      sum += part;
      count += static_cast<size_t>(visible);
    }
    sums[z] = sum;
    seen[z] = count;
  }
  const double sum = std::accumulate(sums.begin(), sums.end(), 0.0);
  const size_t all = std::accumulate(seen.begin(), seen.end(), size_t{0});
  const double mean = all > 0 ? sum / static_cast<double>(all) : 0;
  Fill(std::min(threshold, static_cast<float>(mean)), threads);
}

void OccupancyGrid::Fill(float limit, int threads) {
  constexpr int kLayers = kGridSide / kBlockSide;
  std::array<std::vector<uint32_t>, kLayers> found;
  std::fill(coarse_.begin(), coarse_.end(), uint8_t{0});
  // A layer of 8 slabs has words and coarse bytes of its own.
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int layer = 0; layer < kLayers; ++layer) {
    const size_t words = words_.size() / kLayers;
    std::fill_n(words_.begin() + layer * words, words, 0u);
    const uint32_t begin = layer * kBlockSide * kSlab;
    for (uint32_t i = begin; i < begin + kBlockSide * kSlab; ++i) {
      if (!(thickness_[i] > limit)) continue;
      const uint32_t x = i % kGridSide;
      const uint32_t y = i / kGridSide % kGridSide;
      const uint32_t z = i / kSlab;
      const uint32_t bit = BitOfCell(x, y, z);
      words_[bit >> 5] |= 1u << (bit & 31);
      coarse_[(x >> 3) + kCoarseSide * ((y >> 3) + kCoarseSide * (z >> 3))] = 1;
      found[layer].push_back(i);
    }
  }
  occupied_.clear();
  for (const auto& layer : found) {
    occupied_.insert(occupied_.end(), layer.begin(), layer.end());
  }
}

}  // namespace nerfpipe::nerf::kernels
