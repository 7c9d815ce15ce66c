#include "stages/nerf/kernels/ngp_shape.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::nerf::kernels {

GridLevels MakeGridLevels(const NgpShape& shape) {
  GridLevels levels;
  const uint64_t table = uint64_t{1} << shape.log2_table;
  const double growth = std::log2(static_cast<double>(shape.finest_resolution) /
                                  shape.base_resolution) /
                        (kLevels - 1);
  uint32_t first_row = 0;
  for (int l = 0; l < kLevels; ++l) {
    double scale = std::exp2(l * growth) * shape.base_resolution - 1;
    // A whole-number scale must not be rounded up to one more cell.
    if (std::abs(scale - std::round(scale)) < 1e-9) scale = std::round(scale);
    const uint64_t resolution = static_cast<uint64_t>(std::ceil(scale)) + 1;
    const uint64_t cells = resolution * resolution * resolution;
    levels[l].scale = static_cast<float>(scale);
    levels[l].resolution = static_cast<uint32_t>(resolution);
    levels[l].first_row = first_row;
    levels[l].hashed = cells > table;
    levels[l].rows =
        static_cast<uint32_t>(levels[l].hashed ? table : (cells + 7) / 8 * 8);
    first_row += levels[l].rows;
  }
  return levels;
}

int64_t TableRows(const GridLevels& levels) {
  return int64_t{levels.back().first_row} + levels.back().rows;
}

}  // namespace nerfpipe::nerf::kernels
