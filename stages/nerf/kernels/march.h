#pragma once

// Samples along rays where the occupancy grid is not empty.

#include "stages/nerf/kernels/occupancy_bits.h"

#include <cstddef>
#include <cstdint>

namespace nerfpipe::nerf::kernels {

// Distances are in frame units along unit directions.
struct MarchRules {
  bool contracted = false;
  // Distance between samples; with contraction, where it is not larger by
  // `cone` times the distance from the start of the ray.
  float step = 0;
  float cone = 0;  // used with contraction only
};

// One ray on its way. Samples lie at fixed places s = jitter + 0, 1, 2, ...,
// at distance near + s step (bounded), or so up to where the cone is wider
// than the step and growing by the factor 1 + cone from there on.
struct MarchRay {
  float origin[3];
  float direction[3];  // unit length
  float inverse[3];    // 1 / direction
  float near;
  float far;
  float jitter;     // in [0, 1)
  float straight;   // s where growth begins (contraction only)
  float grow_from;  // distance there
  float growth;     // log(1 + cone)
  int32_t next;     // the next s - jitter to look at
  bool done;
};

// Clips to the box when not contracted; `done` at once when nothing is left.
MarchRay StartRay(const MarchRules& rules,
                  const float origin[3],
                  const float direction[3],
                  float near,
                  float far,
                  float jitter);

// Samples found, as arrays: the points of the unit cube where the encoding is
// evaluated, distance from the origin and length of the step.
struct MarchSamples {
  float* x;
  float* y;
  float* z;
  float* distance;
  float* length;
};

// At least this many elements behind the asked-for ones must be writable; what
// is in them behind the found ones is overwritten.
inline constexpr size_t kMarchSlack = 16;

// Goes on with `ray` until `wanted` or a few more samples are found or the
// ray is done; returns how many.
size_t March(const MarchRules& rules,
             const OccupancyBits& bits,
             size_t wanted,
             MarchRay* ray,
             const MarchSamples& samples);

}  // namespace nerfpipe::nerf::kernels
