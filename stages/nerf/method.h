#pragma once

// The interface every NeRF method is seen through: parameters, render rays,
// one training step, state. The trainer knows nothing else of a method.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "stages/nerf/scene.h"
#include "stages/nerf/scene_frame.h"

#include <torch/torch.h>

namespace nerfpipe::nerf {

// N rays in the coordinates of the SceneFrame, float32. Directions have length
// 1 along the optical axis, not in space: `t` of a sample is its depth, as in
// nerf-pytorch.
struct Rays {
  torch::Tensor origins;     // N x 3
  torch::Tensor directions;  // N x 3
  torch::Tensor near;        // N, depths between which samples are taken
  torch::Tensor far;         // N
};

struct RayBatch {
  Rays rays;
  torch::Tensor rgba;  // N x 4, 0 to 1; alpha 1 for opaque images
};

// Colours are composited over the background already.
struct Rendered {
  torch::Tensor rgb;      // N x 3
  torch::Tensor depth;    // N, expected depth in scene-frame units
  torch::Tensor opacity;  // N, 0 to 1
};

struct StepReport {
  double loss = 0;
  double psnr = 0;           // of the batch, fine network
  int64_t samples = 0;       // field evaluations
  int64_t rays_next = 0;     // how many rays the method wants in its next batch
};

class Method {
 public:
  virtual ~Method() = default;

  virtual std::string Name() const = 0;
  // Named parameters, all of them leaf tensors.
  virtual std::vector<std::pair<std::string, torch::Tensor>> Parameters() = 0;
  virtual int64_t RaysPerStep() const = 0;
  // Forward, loss, backward, optimiser step. `step` counts from 0.
  virtual StepReport Step(const RayBatch& batch, int64_t step) = 0;
  // Without gradient, deterministic, any number of rays (chunked inside).
  virtual Rendered Render(const Rays& rays) = 0;
  // Everything a resumed run needs beside the trainer's own state: parameters,
  // optimiser moments and counters, occupancy grid, adapted batch size.
  virtual void Save(torch::serialize::OutputArchive& archive) = 0;
  // Throws UserError when the archive is of another shape.
  virtual void Load(torch::serialize::InputArchive& archive) = 0;
};

}  // namespace nerfpipe::nerf
