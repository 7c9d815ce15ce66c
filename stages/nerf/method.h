#pragma once

// The interface every NeRF method is seen through: parameters, render rays,
// one training step, state. The trainer knows nothing else of a method.

#include "stages/nerf/options.h"
#include "stages/nerf/rays.h"
#include "stages/nerf/scene.h"
#include "stages/nerf/scene_frame.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/torch.h>

namespace nerfpipe::nerf {

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
  int64_t samples = 0;       // samples that were trained
  double learning_rate = 0;  // of this step
};

// What a method is made from. Everything is copied by the method.
struct MethodContext {
  // Nothing in them is left open any more: train.steps is the real number,
  // never 0 (with a budget of time it may be beyond reach), and so is what a
  // method settles by the length of the run and the scene.
  Options options;
  SceneFrame frame;
  std::vector<Camera> cameras;        // of the training views
  std::vector<torch::Tensor> images;  // theirs; none when only rendering
  // Lines of sight, see Dataset; undefined: none.
  torch::Tensor sights;
  bool has_alpha = false;  // some image has transparent pixels
  std::array<double, 3> background = {1, 1, 1};  // behind those
  torch::Device device = torch::kCPU;
};

// Where in the run a step stands.
struct Schedule {
  double done = 0;     // share of the run's steps or time, 0 to 1
  double warm_up = 1;  // factor on the learning rate, below 1 after a restart
};

class Method {
 public:
  virtual ~Method() = default;

  virtual std::string Name() const = 0;
  // Named parameters, all of them leaf tensors.
  virtual std::vector<std::pair<std::string, torch::Tensor>> Parameters() = 0;
  virtual RayRules Rules() const = 0;
  // Rays wanted in the next batch.
  virtual int64_t RaysPerStep() const = 0;
  // Colour behind the scene in what Render() returns.
  virtual std::array<double, 3> Background() const = 0;
  // Forward, loss, backward, optimiser step. `step` counts from 0. All
  // randomness comes from the seed and `step`.
  virtual StepReport Step(const RayBatch& batch,
                          int64_t step,
                          const Schedule& schedule) = 0;
  // Without gradient, deterministic, any number of rays (chunked inside).
  virtual Rendered Render(const Rays& rays) = 0;
  // Everything a resumed run needs: parameters, optimiser moments and
  // counters, occupancy grid, adapted batch size.
  virtual void Save(torch::serialize::OutputArchive& archive) = 0;
  // Throws UserError when the archive is of another shape.
  virtual void Load(torch::serialize::InputArchive& archive) = 0;
};

}  // namespace nerfpipe::nerf
