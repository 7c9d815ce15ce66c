#pragma once

// The interface every method is seen through: a training step, a picture, its
// state. The trainer knows nothing else of a method; what it learns from it
// takes from the data set itself, as rays, parts of images or whole ones.

#include "stages/nerf/options.h"
#include "stages/nerf/scene.h"
#include "stages/nerf/scene_frame.h"
#include "stages/nerf/tensors.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nerfpipe::nerf {

struct StepReport {
  double loss = 0;
  double psnr = 0;           // of the pixels of the step, fine network
  int64_t pixels = 0;        // that were compared
  int64_t samples = 0;       // that were trained: of rays, or gaussians
  double learning_rate = 0;  // of this step
};

// What a method is made from. All but the data set is copied by the method.
struct MethodContext {
  // Nothing in them is left open any more: train.steps is the real number,
  // never 0 (with a budget of time it may be beyond reach), and so is what a
  // method settles by the length of the run and the scene.
  Options options;
  SceneFrame frame;
  // Outlives the method; null when only rendering.
  const Dataset* dataset = nullptr;
  bool has_alpha = false;  // some training image has transparent pixels
  std::array<double, 3> background = {1, 1, 1};  // behind those
  torch::Device device = torch::kCPU;
};

// Where in the run a step stands.
struct Schedule {
  double done = 0;     // share of the run's steps or time, 0 to 1
  double warm_up = 1;  // factor on the learning rate, below 1 after a restart
};

// A whole view, on the CPU, float32.
struct RenderedView {
  torch::Tensor rgb;      // height x width x 3, 0 to 1, over the background
  torch::Tensor depth;    // height x width, world units along the optical axis
  torch::Tensor opacity;  // height x width, 0 to 1
};

// Asked now and then while a picture is made; true gives it up.
using Cancelled = std::function<bool()>;

class Method {
 public:
  virtual ~Method() = default;

  virtual std::string Name() const = 0;
  // What a user should know of the way it runs here, a sentence; empty:
  // nothing.
  virtual std::string Remark() const { return ""; }
  // What a run settles; all of them that can be have a gradient.
  virtual std::vector<std::pair<std::string, torch::Tensor>> Parameters() = 0;
  // Colour behind the scene in pictures.
  virtual std::array<double, 3> Background() const = 0;
  // Forward, loss, backward, optimiser step, on pixels of its own choice of
  // the data set. `step` counts from 0. All randomness comes from the seed and
  // `step`.
  virtual StepReport Step(int64_t step, const Schedule& schedule) = 0;
  // Deterministic, without gradient, of any size: a part at a time, so that
  // memory beyond the result does not grow with it. Tensors are undefined when
  // it was given up. Where MethodFacts::instant_pictures holds, several threads
  // may ask at once, each with OneThread.
  virtual RenderedView RenderView(const Camera& camera,
                                  const Cancelled& cancelled = {}) const = 0;
  // Everything a resumed run needs: parameters, optimiser moments and
  // counters, what was adapted on the way.
  virtual void Save(torch::serialize::OutputArchive& archive) = 0;
  // Throws UserError when the archive is of another shape.
  virtual void Load(torch::serialize::InputArchive& archive) = 0;
};

}  // namespace nerfpipe::nerf
