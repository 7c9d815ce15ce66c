#pragma once

// The networks of both methods, as plain tensors.

#include "stages/nerf/adam.h"
#include "stages/nerf/tensors.h"

#include <string>
#include <utility>
#include <vector>

namespace nerfpipe::nerf {

// The MLP of Mildenhall et al. 2020, figure 7, with the layers of nerf-pytorch
// (run_nerf_helpers.py, class NeRF): the input joins again after layer 5.
class NerfNet {
 public:
  struct Shape {
    int depth = 8;
    int width = 256;
    int input = 63;        // encoded position
    int input_views = 27;  // encoded direction; 0: colour without direction
  };

  // Weights and biases as torch.nn.Linear starts them, from `generator`.
  NerfNet(Shape shape, torch::Device device, torch::Generator& generator);

  // position: N x input, view: N x input_views (or undefined). Result N x 4:
  // colour logits and raw density.
  torch::Tensor Forward(const torch::Tensor& position,
                        const torch::Tensor& view) const;

  // Named "PREFIX.layer0.weight" and so on.
  NamedTensors Parameters(const std::string& prefix) const;

 private:
  struct Linear {
    torch::Tensor weight;  // out x in
    torch::Tensor bias;    // out
    torch::Tensor operator()(const torch::Tensor& x) const;
  };

  Shape shape_;
  std::vector<Linear> layers_;
  Linear density_, feature_, view_, colour_;
};

// Density and colour net of instant-ngp: no biases, ReLU between.
class NgpNets {
 public:
  struct Shape {
    int input = 32;  // features of all levels of the hash grid
    int hidden = 64;
    int geometry = 16;  // outputs of the density net, log density first
    int direction = 16;
  };

  // Xavier uniform, from `generator`.
  NgpNets(Shape shape, torch::Device device, torch::Generator& generator);

  // features: M x input. Result M x geometry.
  torch::Tensor Geometry(const torch::Tensor& features) const;
  // Only its first column, M: cheaper where no colour is wanted.
  torch::Tensor LogDensity(const torch::Tensor& features) const;
  // M x 3 in 0 to 1; direction: M x direction.
  torch::Tensor Colour(const torch::Tensor& geometry,
                       const torch::Tensor& direction) const;

  NamedTensors Parameters() const;

 private:
  torch::Tensor density1_, density2_, colour1_, colour2_, colour3_;
};

// exp(x), with x held to [-15, 15].
torch::Tensor DensityFromLog(const torch::Tensor& log_density);

}  // namespace nerfpipe::nerf
