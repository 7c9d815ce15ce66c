#pragma once

// Fields put into a method by hand, whose pictures are known in advance.

#include "stages/nerf/method.h"
#include "stages/nerf/options.h"
#include "stages/nerf/tensors.h"

#include <array>
#include <sstream>
#include <stdexcept>
#include <string>

#include <torch/serialize/archive.h>

namespace nerfpipe::nerf {

// A view of the parameter, without gradient.
inline torch::Tensor Parameter(Method& method, const std::string& name) {
  for (const auto& [other, parameter] : method.Parameters()) {
    if (other == name) return parameter.detach();
  }
  throw std::runtime_error("there is no parameter " + name);
}

// The fused kernels take note of new parameters when they are loaded.
inline void Refresh(Method& method) {
  torch::serialize::OutputArchive out;
  method.Save(out);
  std::stringstream bytes;
  out.save_to(bytes);
  torch::serialize::InputArchive in;
  in.load_from(bytes);
  method.Load(in);
}

// One density and colour all over the cube of `ngp`.
inline void FillUniformly(Method& ngp,
                          double log_density,
                          const std::array<double, 3>& logits) {
  Parameter(ngp, "table").fill_(1);
  const torch::Tensor density1 = Parameter(ngp, "density1");
  density1.fill_(1.0 / static_cast<double>(density1.size(1)));
  const auto hidden = static_cast<double>(density1.size(0));
  for (const char* name : {"density2", "colour1", "colour2", "colour3"}) {
    Parameter(ngp, name).zero_();
  }
  Parameter(ngp, "density2")[0].fill_(log_density / hidden);
  Parameter(ngp, "colour1").select(1, 0).fill_(1 / log_density);
  Parameter(ngp, "colour2").fill_(1 / hidden);
  for (int c = 0; c < 3; ++c) {
    Parameter(ngp, "colour3")[c].fill_(logits[c] / hidden);
  }
  Refresh(ngp);
}

// The smallest `nerf`: one layer on the bare position, no directions.
inline NerfOptions SmallestNerf() {
  NerfOptions options;
  options.netdepth = options.netdepth_fine = 1;
  options.netwidth = options.netwidth_fine = 4;
  options.i_embed = -1;
  options.use_viewdirs = false;
  options.N_samples = 16;
  options.N_importance = 0;
  options.perturb = 0;
  return options;
}

// Of a SmallestNerf(), "coarse" or "fine": density `slope` times the height of
// a position above the plane normal * x = offset, none below it; logits are
// colours[c] times coordinate c where that is within 10 of 0.
inline void FillHalf(Method& nerf,
                     const std::string& net,
                     const std::array<double, 3>& normal,
                     double offset,
                     double slope,
                     const std::array<double, 3>& colours) {
  const torch::Tensor weight = Parameter(nerf, net + ".layer0.weight");
  const torch::Tensor bias = Parameter(nerf, net + ".layer0.bias");
  const torch::Tensor out = Parameter(nerf, net + ".colour.weight").zero_();
  const torch::Tensor out_bias = Parameter(nerf, net + ".colour.bias");
  weight.zero_();
  for (int c = 0; c < 3; ++c) {
    weight[0][c] = normal[c];
    weight[c + 1][c] = 1;
    bias[c + 1] = 10;
    out[c][c + 1] = colours[c];
    out_bias[c] = -10 * colours[c];
  }
  bias[0] = -offset;
  out[3][0] = slope;
  out_bias[3] = 0;
}

// The same with one density all over, and one colour.
inline void FillUniformly(Method& nerf,
                          const std::string& net,
                          double density,
                          const std::array<double, 3>& logits) {
  FillHalf(nerf, net, {0, 0, 0}, -1, density, {0, 0, 0});
  const torch::Tensor bias = Parameter(nerf, net + ".colour.bias");
  for (int c = 0; c < 3; ++c) bias[c] = logits[c];
}

}  // namespace nerfpipe::nerf
