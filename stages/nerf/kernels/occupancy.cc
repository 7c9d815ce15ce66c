#include "stages/nerf/kernels/occupancy.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

namespace nerfpipe::nerf::kernels {
namespace {

constexpr uint32_t kSlab = kGridSide * kGridSide;  // cells of one z

// One bit per block, a word for each row along x.
using Blocks = std::array<uint32_t, size_t{kBlockSide} * kBlockSide>;
static_assert(kBlockSide == 32);

// Ors each element with those `stride` before and behind it; the axis has
// kBlockSide elements.
Blocks GrownAlong(const Blocks& blocks, size_t stride) {
  Blocks grown = blocks;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const size_t place = i / stride % kBlockSide;
    if (place > 0) grown[i] |= blocks[i - stride];
    if (place + 1 < kBlockSide) grown[i] |= blocks[i + stride];
  }
  return grown;
}

// Each block and its 26 neighbours.
Blocks Grown(Blocks blocks) {
  for (uint32_t& row : blocks) row |= row << 1 | row >> 1;
  return GrownAlong(GrownAlong(blocks, 1), kBlockSide);
}

}  // namespace

OccupancyGrid::OccupancyGrid(std::span<float> thickness)
    : thickness_(thickness),
      words_(kGridCells / 32),
      clearance_(size_t{kBlockSide} * kBlockSide * kBlockSide) {
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
  constexpr int kLayers = kBlockSide;
  constexpr uint32_t kLayerCells = kGridCells / kLayers;
  std::array<std::vector<uint32_t>, kLayers> found;
  // A layer of blocks has words of its own.
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int layer = 0; layer < kLayers; ++layer) {
    const size_t words = words_.size() / kLayers;
    std::fill_n(words_.begin() + layer * words, words, 0u);
    const uint32_t begin = layer * kLayerCells;
    for (uint32_t i = begin; i < begin + kLayerCells; ++i) {
      if (!(thickness_[i] > limit)) continue;
      const uint32_t x = i % kGridSide;
      const uint32_t y = i / kGridSide % kGridSide;
      const uint32_t z = i / kSlab;
      const uint32_t bit = BitOfCell(x, y, z);
      words_[bit >> 5] |= 1u << (bit & 31);
      found[layer].push_back(i);
    }
  }
  occupied_.clear();
  for (const auto& layer : found) {
    occupied_.insert(occupied_.end(), layer.begin(), layer.end());
  }
  MeasureClearance();
}

void OccupancyGrid::MeasureClearance() {
  Blocks taken = {};
  for (size_t block = 0; block < clearance_.size(); ++block) {
    if ((words_[2 * block] | words_[2 * block + 1]) == 0) continue;
    taken[block / kBlockSide] |= 1u << (block % kBlockSide);
  }
  // The blocks grow by one at a time; who is not reached by then is one
  // further away.
  std::fill(clearance_.begin(), clearance_.end(), uint8_t{0});
  for (int reach = 0; reach < kBlockSide; ++reach) {
    bool all = true;
    for (size_t row = 0; row < taken.size(); ++row) {
      for (uint32_t left = ~taken[row]; left != 0; left &= left - 1) {
        ++clearance_[row * kBlockSide + std::countr_zero(left)];
        all = false;
      }
    }
    if (all) return;
    taken = Grown(taken);
  }
}

}  // namespace nerfpipe::nerf::kernels
