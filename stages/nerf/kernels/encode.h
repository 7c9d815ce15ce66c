#pragma once

// The multi-resolution hash encoding: from points in [0, 1]^3 to the inputs of
// the density net, and gradients back into the table.

#include "stages/nerf/kernels/ngp_shape.h"

#include <cstddef>
#include <cstdint>

namespace nerfpipe::nerf::kernels {

// Points as three arrays. Whole vectors are read: 16 elements behind the last
// must be readable.
struct Points {
  const float* x;
  const float* y;
  const float* z;
};

// `count` rows of kFeatures as halves; cut off, not rounded, where the
// processor has no instruction for it.
void RoundRows(const float* rows, size_t count, Half* halves);

// Writes count x kInputs, one row per point: the trilinear mean of eight table
// rows for each level. `table` is TableRows x kFeatures.
void EncodePoints(const GridLevels& levels,
                  const Half* table,
                  const Points& points,
                  size_t count,
                  float* inputs);

// Adds to the gradients of one level. `d_features` is count x kFeatures of
// this level, `gradients` and `touched` belong to this level alone: rows x
// kFeatures, and one byte for every kRowsPerFlag rows that is set to 1 where
// something was added.
void ScatterLevel(const GridLevel& level,
                  const Points& points,
                  const float* d_features,
                  size_t count,
                  float* gradients,
                  uint8_t* touched);

}  // namespace nerfpipe::nerf::kernels
