#pragma once

// From the gradients of the ellipses to those of the gaussians' parameters.

#include "stages/nerf/splat/kernels/gaussian_blocks.h"
#include "stages/nerf/splat/kernels/raster_gradient.h"
#include "stages/nerf/splat/kernels/tile_lists.h"

#include <cstddef>
#include <cstdint>

namespace nerfpipe::nerf::splat {

// What a picture was made from.
struct PictureSource {
  const PinholeView* view = nullptr;
  int degree = 0;
  const Ellipse* ellipses = nullptr;
  const TileBox* boxes = nullptr;
  const uint16_t* visible = nullptr;  // by block
  const TileLists* lists = nullptr;
  const EllipseGradient* gradients = nullptr;  // by slot
};

// Of a view whose blur is the trained one, and of blocks begin to end - 1 that
// have a visible gaussian: the loss by each parameter, laid out as they are
// from block `begin` on; 0 for gaussians that are not visible. Rows of
// harmonics beyond the degree, and other blocks, are left alone. Adds to the
// statistics.
void DifferentiateGaussians(const Gaussians& gaussians,
                            const PictureSource& source,
                            size_t begin,
                            size_t end,
                            float* errors,
                            float* gradients);

}  // namespace nerfpipe::nerf::splat
