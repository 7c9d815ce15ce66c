#include "stages/nerf/colour_correction.h"

#include "pipeline/base/error.h"

namespace nerfpipe::nerf {

torch::Tensor ColourCorrected(const torch::Tensor& image,
                              const torch::Tensor& truth) {
  NERFPIPE_CHECK(image.dim() == 3 && image.sizes() == truth.sizes());
  const torch::NoGradGuard no_grad;
  // Below, a channel has one value but for rounding.
  constexpr double kFlat = 1e-12;
  const torch::Tensor x = image.detach().to(torch::kCPU, torch::kDouble);
  const torch::Tensor y = truth.detach().to(torch::kCPU, torch::kDouble);
  const auto mean = [](const torch::Tensor& values) {
    return values.mean(torch::IntArrayRef({0, 1}));
  };
  const torch::Tensor from_mean = x - mean(x);
  const torch::Tensor variance = mean(from_mean.square());
  const torch::Tensor gain = torch::where(variance > kFlat,
                                          mean(from_mean * y) / variance,
                                          torch::zeros_like(variance));
  return (from_mean * gain + mean(y)).clamp(0, 1);
}

}  // namespace nerfpipe::nerf
