#pragma once

// Adam (Kingma and Ba 2015): dense for the nets, and for a table of which a
// step touches few rows.

#include "stages/nerf/tensors.h"

#include <string>
#include <utility>
#include <vector>

namespace nerfpipe::nerf {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

struct AdamSettings {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  // L2: added to the gradient
};

// With bias correction, as torch.optim.Adam.
class Adam {
 public:
  // Parameters are leaf tensors that require gradients.
  Adam(NamedTensors parameters, AdamSettings settings);

  // One step along the parameters' gradients, which are then cleared.
  // Parameters without a gradient stay as they are.
  void Step(double learning_rate);

  // The moments and the counter, for who takes the steps in our place.
  const std::vector<torch::Tensor>& first() const { return first_; }
  const std::vector<torch::Tensor>& second() const { return second_; }
  void SetSteps(int64_t steps) { steps_ = steps; }

  // Moments under "adam.first.NAME" and "adam.second.NAME", and the counter.
  void Save(torch::serialize::OutputArchive& archive) const;
  void Load(torch::serialize::InputArchive& archive);

 private:
  NamedTensors parameters_;
  std::vector<torch::Tensor> first_;
  std::vector<torch::Tensor> second_;
  AdamSettings settings_;
  int64_t steps_ = 0;
};

// One step for the rows of `table` (R x F) that have a gradient: no first
// moment and no bias correction, as a row's last visit may be long ago.
// `second` (R) is the moment of the mean square of each row's gradient; that of
// the other rows stands still. Of the settings beta2 and epsilon count.
void AdamRows(torch::Tensor table,
              const torch::Tensor& gradient,
              torch::Tensor second,
              double learning_rate,
              const AdamSettings& settings);

}  // namespace nerfpipe::nerf
