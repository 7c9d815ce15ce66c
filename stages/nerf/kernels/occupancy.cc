#include "stages/nerf/kernels/occupancy.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace nerfpipe::nerf::kernels {
namespace {

constexpr uint32_t kSlab = kGridSide * kGridSide;  // cells of one z

}  // namespace

OccupancyGrid::OccupancyGrid(std::span<float> thickness)
    : thickness_(thickness) {
  NERFPIPE_CHECK(thickness.size() == kGridCells);
  Fill(1);
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
  limit_ = std::min(threshold, static_cast<float>(mean));
  Fill(threads);
}

void OccupancyGrid::SetFree(std::span<const bool> cells) {
  NERFPIPE_CHECK(cells.size() == kGridCells);
  free_.emplace(kGridSide);
  for (uint32_t i = 0; i < kGridCells; ++i) {
    if (cells[i])
      free_->Set(i % kGridSide, i / kGridSide % kGridSide, i / kSlab);
  }
}

void OccupancyGrid::Fill(int threads) {
  // A layer of blocks has words of its own.
  constexpr int kLayers = kGridSide / kBlockSide;
  constexpr uint32_t kLayerCells = kGridCells / kLayers;
  std::array<std::vector<uint32_t>, kLayers> found;
  bits_.Clear();
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int layer = 0; layer < kLayers; ++layer) {
    const uint32_t begin = layer * kLayerCells;
    for (uint32_t i = begin; i < begin + kLayerCells; ++i) {
      if (!(thickness_[i] > limit_)) continue;
      bits_.Set(i % kGridSide, i / kGridSide % kGridSide, i / kSlab);
      found[layer].push_back(i);
    }
  }
  occupied_.clear();
  for (const auto& layer : found) {
    occupied_.insert(occupied_.end(), layer.begin(), layer.end());
  }
  bits_.MeasureClearance();
}

}  // namespace nerfpipe::nerf::kernels
