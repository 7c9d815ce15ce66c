#pragma once

// The first gaussians, from depths that PatchMatch finds in the training views.

#include "stages/nerf/scene.h"
#include "stages/nerf/scene_frame.h"
#include "stages/nerf/splat/gaussian_set.h"
#include "stages/nerf/splat/kernels/survey.h"
#include "stages/nerf/splat/splat_space.h"
#include "stages/nerf/tensors.h"

#include <cstdint>
#include <vector>

namespace nerfpipe::nerf::splat {

// What the views are sure of, to tell floaters by.
struct Surfaces {
  int64_t step = 4;             // pixels of the training images, to a cell
  std::vector<int64_t> widths;  // in cells, by view
  std::vector<int64_t> heights;
  std::vector<torch::Tensor> inverse_depths;  // height x width; 0: unknown
};

struct FirstGuess {
  std::vector<NewGaussian> gaussians;
  Surfaces surfaces;
  double near = 0;  // nothing is nearer to a camera, in the space's units
};

// At most `most` gaussians, those first that several views agree on. A
// function of its arguments; needs the images of the training views, and works
// better where it knows points (View::seen).
FirstGuess GuessScene(const Dataset& dataset,
                      const SceneFrame& frame,
                      const SplatSpace& space,
                      int64_t most,
                      uint64_t seed,
                      int threads);

}  // namespace nerfpipe::nerf::splat
