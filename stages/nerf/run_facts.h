#pragma once

#include "stages/nerf/scene.h"
#include "stages/nerf/tensors.h"

#include <cstdint>

namespace nerfpipe::nerf {

// What is known of a run before its method is made.
struct RunFacts {
  bool bounded = false;
  int64_t pixels = 0;      // of the largest training image
  int64_t all_pixels = 0;  // of all training images
  double pixel = 0;        // mean side of one, against its distance
  torch::Device device = torch::kCPU;
};

// Of the training views.
RunFacts FactsOfRun(const Dataset& dataset, bool bounded, torch::Device device);

}  // namespace nerfpipe::nerf
