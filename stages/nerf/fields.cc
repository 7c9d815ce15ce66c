#include "stages/nerf/fields.h"

#include "pipeline/base/error.h"

#include <cmath>

namespace nerfpipe::nerf {
namespace {

// The layer after which the input joins again (nerf-pytorch, skips=[4]).
constexpr int kSkip = 4;

// A leaf tensor, uniform in [-bound, bound]. Made on the CPU so that every
// device starts from the same numbers.
torch::Tensor Uniform(std::vector<int64_t> shape,
                      double bound,
                      torch::Device device,
                      torch::Generator& generator) {
  torch::Tensor values = torch::empty(shape, torch::kFloat32);
  values.uniform_(-bound, bound, generator);
  return values.to(device).requires_grad_(true);
}

}  // namespace

torch::Tensor NerfNet::Linear::operator()(const torch::Tensor& x) const {
  return torch::addmm(bias, x, weight.t());
}

NerfNet::NerfNet(Shape shape, torch::Device device, torch::Generator& generator)
    : shape_(shape) {
  const auto linear = [&](int64_t in, int64_t out) {
    const double bound = 1 / std::sqrt(static_cast<double>(in));
    Linear layer;
    layer.weight = Uniform({out, in}, bound, device, generator);
    layer.bias = Uniform({out}, bound, device, generator);
    return layer;
  };
  const int width = shape.width;
  for (int i = 0; i < shape.depth; ++i) {
    int input = i == 0 ? shape.input : width;
    if (i == kSkip + 1) {
      input += shape.input;
    }
    layers_.push_back(linear(input, width));
  }
  if (shape.input_views > 0) {
    density_ = linear(width, 1);
    feature_ = linear(width, width);
    view_ = linear(width + shape.input_views, width / 2);
    colour_ = linear(width / 2, 3);
  } else {
    colour_ = linear(width, 4);
  }
}

torch::Tensor NerfNet::Forward(const torch::Tensor& position,
                               const torch::Tensor& view) const {
  torch::Tensor h = position;
  for (int i = 0; i < shape_.depth; ++i) {
    if (i == kSkip + 1) {
      h = torch::cat({position, h}, 1);
    }
    h = layers_[i](h).relu_();
  }
  if (shape_.input_views == 0) {
    return colour_(h);
  }
  const torch::Tensor joined = torch::cat({feature_(h), view}, 1);
  return torch::cat({colour_(torch::relu(view_(joined))), density_(h)}, 1);
}

NamedTensors NerfNet::Parameters(const std::string& prefix) const {
  NamedTensors result;
  const auto add = [&](const std::string& name, const Linear& layer) {
    if (layer.weight.defined()) {
      result.emplace_back(prefix + "." + name + ".weight", layer.weight);
      result.emplace_back(prefix + "." + name + ".bias", layer.bias);
    }
  };
  for (size_t i = 0; i < layers_.size(); ++i) {
    add("layer" + std::to_string(i), layers_[i]);
  }
  add("density", density_);
  add("feature", feature_);
  add("view", view_);
  add("colour", colour_);
  return result;
}

NgpNets::NgpNets(Shape shape,
                 torch::Device device,
                 torch::Generator& generator) {
  const auto matrix = [&](int64_t in, int64_t out) {
    const double bound = std::sqrt(6.0 / static_cast<double>(in + out));
    return Uniform({out, in}, bound, device, generator);
  };
  density1_ = matrix(shape.input, shape.hidden);
  density2_ = matrix(shape.hidden, shape.geometry);
  colour1_ = matrix(shape.geometry + shape.direction, shape.hidden);
  colour2_ = matrix(shape.hidden, shape.hidden);
  colour3_ = matrix(shape.hidden, 3);
}

torch::Tensor NgpNets::Geometry(const torch::Tensor& features) const {
  return torch::relu(features.mm(density1_.t())).mm(density2_.t());
}

torch::Tensor NgpNets::LogDensity(const torch::Tensor& features) const {
  return torch::relu(features.mm(density1_.t())).mv(density2_.select(0, 0));
}

torch::Tensor NgpNets::Colour(const torch::Tensor& geometry,
                              const torch::Tensor& direction) const {
  const torch::Tensor input = torch::cat({geometry, direction}, 1);
  const torch::Tensor hidden = torch::relu(input.mm(colour1_.t()));
  return torch::sigmoid(torch::relu(hidden.mm(colour2_.t())).mm(colour3_.t()));
}

NamedTensors NgpNets::Parameters() const {
  return {{"density1", density1_},
          {"density2", density2_},
          {"colour1", colour1_},
          {"colour2", colour2_},
          {"colour3", colour3_}};
}

torch::Tensor DensityFromLog(const torch::Tensor& log_density) {
  return torch::exp(log_density.clamp(-15, 15));
}

}  // namespace nerfpipe::nerf
