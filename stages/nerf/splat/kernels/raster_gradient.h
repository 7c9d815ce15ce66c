#pragma once

// From the derivatives by the pixels of a tile to those by its ellipses.

#include "stages/nerf/splat/kernels/rasteriser.h"

#include <array>

namespace nerfpipe::nerf::splat {

// Derivatives of the loss by the ellipse of a gaussian, summed over the pixels
// of a tile. With u = x - ellipse.x, v = y - ellipse.y and g the derivative by
// the natural logarithm of the opacity in a pixel:
struct alignas(64) EllipseGradient {
  float g, gu, gv, guu, guv, gvv;
  float red, green, blue;
  float error;  // of the pixels, weighted as the colours are
  float unused[6];
};
static_assert(sizeof(EllipseGradient) == 64);

// Derivatives of the loss by the colours, as planes like those of the picture;
// `error` is any figure of merit per pixel.
struct PixelGradients {
  std::array<const float*, 3> colour = {};
  const float* error = nullptr;
};

// After RasteriseTile() of the same. Writes gradients[slot] of every entry.
void DifferentiateTile(const Ellipse* ellipses,
                       const TileLists& lists,
                       int tile,
                       const RasterRecord& record,
                       const Planes& picture,
                       const PixelGradients& pixels,
                       TileScratch* scratch,
                       EllipseGradient* gradients);

}  // namespace nerfpipe::nerf::splat
