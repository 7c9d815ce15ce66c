#pragma once

// Ellipses to pixels, nearest first: a tile of 16 x 16 pixels at a time, in
// blocks of 4 x 4 that know which ellipses reach them.

#include "stages/nerf/kernels/buffer.h"
#include "stages/nerf/splat/kernels/projection.h"
#include "stages/nerf/splat/kernels/tile_lists.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nerfpipe::nerf::splat {

// Planes of a picture whose sides are rounded up to whole tiles; pixel (x, y)
// is at y * stride + x. Aligned to 64 bytes.
struct Planes {
  int width = 0;
  int height = 0;
  size_t stride = 0;
  std::array<float*, 3> colour = {};
  // Both null, or as asked for. Depth is the mean of the centres' depths,
  // weighted as the colours are, and not divided by the opacity.
  float* depth = nullptr;
  float* opacity = nullptr;
};

struct RasterRules {
  std::array<float, 3> background = {0, 0, 0};
  // A block ends where less than this of what lies behind shines through.
  float stop_transmittance = 1e-3f;
};

// What the backward pass takes from the forward one.
class RasterRecord {
 public:
  void Reserve(const TileLists& lists);

  // Of a tile: 16 masks, one per block of pixels, for each 16 entries.
  uint16_t* masks(int tile) { return masks_.data() + first_[tile] * 16; }
  const uint16_t* masks(int tile) const {
    return masks_.data() + first_[tile] * 16;
  }
  // How many of these sixteens a block of pixels looked at.
  uint16_t* looked(int tile) { return looked_.data() + 16 * tile; }
  const uint16_t* looked(int tile) const { return looked_.data() + 16 * tile; }

 private:
  std::vector<size_t> first_;
  kernels::Buffer<uint16_t> masks_;
  std::vector<uint16_t> looked_;
};

// Memory of one thread.
struct TileScratch {
  kernels::Buffer<float> entries;  // what a pixel has to know of an ellipse
  kernels::Buffer<float> sums;
  kernels::Buffer<float> gradients;  // of some gaussians
};

void RasteriseTile(const Ellipse* ellipses,
                   const TileLists& lists,
                   int tile,
                   const RasterRules& rules,
                   RasterRecord* record,
                   TileScratch* scratch,
                   const Planes& picture);

}  // namespace nerfpipe::nerf::splat
