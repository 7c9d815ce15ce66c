#pragma once

// Gaussians as a camera sees them: ellipses with a colour, and the tiles that
// they touch (Kerbl et al. 2023).

#include "stages/nerf/splat/kernels/gaussian_blocks.h"

#include <cstddef>
#include <cstdint>

namespace nerfpipe::nerf::splat {

inline constexpr int kTileSide = 16;  // pixels

// An ellipse in the coordinates of pixel centres: at (x, y) pixels from the
// centre of the first one its opacity is 2^(peak + xx dx^2 + xy dx dy + yy
// dy^2), where that is kFaintest at least.
struct alignas(64) Ellipse {
  float x, y;
  float xx, xy, yy;
  float peak;
  float red, green, blue;
  // Along a row of pixels dy away it is densest at dx = ridge_x * dy, and along
  // a column dx away at dy = ridge_y * dx.
  float ridge_x, ridge_y;
  float depth;  // along the optical axis
  float unused[4];
};
static_assert(sizeof(Ellipse) == 64);

// Tiles in the box round an ellipse; both ends are within.
struct TileBox {
  uint16_t x0, x1, y0, y1;
  uint32_t count() const {
    return static_cast<uint32_t>(x1 - x0 + 1) *
           static_cast<uint32_t>(y1 - y0 + 1);
  }
};

// Projects the gaussians of blocks begin to end - 1 into ellipses[i] and
// boxes[i], i being the gaussian. visible[b] has a bit for each gaussian of a
// block that is in the picture; of the others nothing is written. `degree` is
// that of the harmonics that count, at most what the rows hold.
void ProjectGaussians(const Gaussians& gaussians,
                      const PinholeView& view,
                      int degree,
                      size_t begin,
                      size_t end,
                      Ellipse* ellipses,
                      TileBox* boxes,
                      uint16_t* visible);

// As many tiles make up the width or height of a picture.
constexpr int TilesAlong(int pixels) {
  return (pixels + kTileSide - 1) / kTileSide;
}

}  // namespace nerfpipe::nerf::splat
