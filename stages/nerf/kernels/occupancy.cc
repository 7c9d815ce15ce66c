#include "stages/nerf/kernels/occupancy.h"

#include "pipeline/base/error.h"

#include <algorithm>

namespace nerfpipe::nerf::kernels {

OccupancyGrid::OccupancyGrid(std::span<float> thickness)
    : thickness_(thickness),
      words_(kGridCells / 32),
      coarse_(kCoarseSide * kCoarseSide * kCoarseSide) {
  NERFPIPE_CHECK(thickness.size() == kGridCells);
  Fill(-0.5f);
}

void OccupancyGrid::Rebuild(float threshold) {
  double sum = 0;
  size_t seen = 0;
  for (const float value : thickness_) {
    if (value < 0) continue;
    sum += value;
    ++seen;
  }
  const double mean = seen > 0 ? sum / static_cast<double>(seen) : 0;
  Fill(std::min(threshold, static_cast<float>(mean)));
}

void OccupancyGrid::Fill(float limit) {
  std::fill(words_.begin(), words_.end(), 0u);
  std::fill(coarse_.begin(), coarse_.end(), uint8_t{0});
  occupied_.clear();
  for (uint32_t i = 0; i < kGridCells; ++i) {
    if (!(thickness_[i] > limit)) continue;
    const uint32_t x = i % kGridSide;
    const uint32_t y = i / kGridSide % kGridSide;
    const uint32_t z = i / (kGridSide * kGridSide);
    const uint32_t bit = BitOfCell(x, y, z);
    words_[bit >> 5] |= 1u << (bit & 31);
    coarse_[(x >> 3) + kCoarseSide * ((y >> 3) + kCoarseSide * (z >> 3))] = 1;
    occupied_.push_back(i);
  }
}

}  // namespace nerfpipe::nerf::kernels
