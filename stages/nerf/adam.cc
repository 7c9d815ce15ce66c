#include "stages/nerf/adam.h"

#include "stages/nerf/archive.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

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
              torch::Tensor gradient,
              torch::Tensor second,
              torch::Tensor touched,
              double learning_rate,
              const AdamSettings& settings) {
  if (!table.device().is_cpu()) {
    AdamRowsPlain(table, gradient, second, touched, learning_rate, settings);
    return;
  }
  const int64_t width = table.size(1);
  uint8_t* flags = touched.data_ptr<uint8_t>();
  AT_DISPATCH_FLOATING_TYPES(table.scalar_type(), "AdamRows", [&] {
    scalar_t* p = table.data_ptr<scalar_t>();
    scalar_t* g = gradient.data_ptr<scalar_t>();
    scalar_t* v = second.data_ptr<scalar_t>();
    const scalar_t beta2 = settings.beta2;
    const scalar_t epsilon = settings.epsilon;
    const scalar_t rate = learning_rate;
    const auto update = [=](int64_t row) {
      scalar_t square = 0;
      for (int64_t i = row * width; i < (row + 1) * width; ++i) {
        square += g[i] * g[i] / width;
      }
      v[row] = beta2 * v[row] + (1 - beta2) * square;
      const scalar_t step = rate / (std::sqrt(v[row]) + epsilon);
      for (int64_t i = row * width; i < (row + 1) * width; ++i) {
        p[i] -= step * g[i];
        g[i] = 0;
      }
    };
    const int64_t rows = table.size(0);
    at::parallel_for(0, rows, 4096, [&](int64_t begin, int64_t end) {
      int64_t row = begin;
      while (row < end) {
        // Eight flags at a look: most are not set.
        uint64_t eight = 1;
        if (row + 8 <= end) {
          std::memcpy(&eight, flags + row, 8);
        }
        if (eight == 0) {
          row += 8;
          continue;
        }
        const int64_t stop = std::min(row + 8, end);
        for (; row < stop; ++row) {
          if (flags[row]) {
            flags[row] = 0;
            update(row);
          }
        }
      }
    });
  });
}

void AdamRowsPlain(torch::Tensor table,
                   torch::Tensor gradient,
                   torch::Tensor second,
                   torch::Tensor touched,
                   double learning_rate,
                   const AdamSettings& settings) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor mask = touched.to(torch::kBool).unsqueeze(1);
  const torch::Tensor v = settings.beta2 * second +
                          (1 - settings.beta2) * gradient.square().mean(1);
  const torch::Tensor rate = learning_rate / (v.sqrt() + settings.epsilon);
  second.copy_(torch::where(mask.squeeze(1), v, second));
  table.copy_(torch::where(mask, table - rate.unsqueeze(1) * gradient, table));
  gradient.zero_();
  touched.zero_();
}

}  // namespace nerfpipe::nerf
