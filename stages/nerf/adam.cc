#include "stages/nerf/adam.h"

#include "stages/nerf/archive.h"

#include <cmath>

namespace nerfpipe::nerf {

Adam::Adam(NamedTensors parameters, AdamSettings settings)
    : parameters_(std::move(parameters)), settings_(settings) {
  for (const auto& [name, parameter] : parameters_) {
    first_.push_back(torch::zeros_like(parameter).detach());
    second_.push_back(torch::zeros_like(parameter).detach());
  }
}

void Adam::Step(double learning_rate) {
  const torch::NoGradGuard no_grad;
  ++steps_;
  const double steps = static_cast<double>(steps_);
  const double correction1 = 1 - std::pow(settings_.beta1, steps);
  const double correction2 = std::sqrt(1 - std::pow(settings_.beta2, steps));
  for (size_t i = 0; i < parameters_.size(); ++i) {
    torch::Tensor parameter = parameters_[i].second;
    if (!parameter.grad().defined()) {
      continue;
    }
    torch::Tensor gradient = parameter.grad();
    if (settings_.weight_decay != 0) {
      gradient = gradient + settings_.weight_decay * parameter;
    }
    first_[i].mul_(settings_.beta1).add_(gradient, 1 - settings_.beta1);
    second_[i]
        .mul_(settings_.beta2)
        .addcmul_(gradient, gradient, 1 - settings_.beta2);
    const torch::Tensor denominator =
        (second_[i].sqrt() / correction2).add_(settings_.epsilon);
    parameter.addcdiv_(first_[i], denominator, -learning_rate / correction1);
    parameter.mutable_grad() = torch::Tensor();
  }
}

void Adam::Save(torch::serialize::OutputArchive& archive) const {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    Write(archive, "adam.first." + parameters_[i].first, first_[i]);
    Write(archive, "adam.second." + parameters_[i].first, second_[i]);
  }
  Write(archive, "adam.steps", torch::tensor(steps_));
}

void Adam::Load(torch::serialize::InputArchive& archive) {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    ReadInto(archive, "adam.first." + parameters_[i].first, first_[i]);
    ReadInto(archive, "adam.second." + parameters_[i].first, second_[i]);
  }
  steps_ = ReadInteger(archive, "adam.steps");
}

void AdamRows(torch::Tensor table,
              const torch::Tensor& gradient,
              torch::Tensor second,
              double learning_rate,
              const AdamSettings& settings) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor squares = gradient.square().mean(1);
  const torch::Tensor touched = squares > 0;
  const torch::Tensor v =
      settings.beta2 * second + (1 - settings.beta2) * squares;
  const torch::Tensor rate = learning_rate / (v.sqrt() + settings.epsilon);
  second.copy_(torch::where(touched, v, second));
  table.copy_(torch::where(
      touched.unsqueeze(1), table - rate.unsqueeze(1) * gradient, table));
}

}  // namespace nerfpipe::nerf
