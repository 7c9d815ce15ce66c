#pragma once

// Batches of random pixels of the training images with the rays through them.

#include "stages/nerf/method.h"
#include "stages/nerf/options.h"
#include "stages/nerf/rays.h"
#include "stages/nerf/scene.h"

#include <cstdint>
#include <memory>

#include <torch/torch.h>

namespace nerfpipe::nerf {

// Which pixels a batch is drawn from.
struct SamplerOptions {
  uint64_t seed = 1;
  bool one_image = false;     // all rays of a batch from one view
  int64_t precrop_steps = 0;  // first steps: only the middle of the images
  double precrop_fraction = 0.5;
};

class RaySampler {
 public:
  // Keeps the images as bytes on `device`.
  RaySampler(const Dataset& dataset,
             const SceneFrame& frame,
             SamplerOptions options,
             torch::Device device);

  // `count` pixels, each equally likely; a function of seed and step alone.
  RayBatch Draw(int64_t count, int64_t step, const RayRules& rules) const;

 private:
  SamplerOptions options_;
  torch::Device device_;
  CameraTable cameras_;
  torch::Tensor sizes_;    // V x 2 on the CPU: width, height
  torch::Tensor offsets_;  // V + 1 on the CPU: first pixel of each view
  torch::Tensor pixels_;   // P x 4 uint8 on the device
};

}  // namespace nerfpipe::nerf
