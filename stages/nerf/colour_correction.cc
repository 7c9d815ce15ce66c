#include "stages/nerf/colour_correction.h"

#include "pipeline/base/error.h"

namespace nerfpipe::nerf {

torch::Tensor ColourCorrected(const torch::Tensor& image,
                              const torch::Tensor& truth) {
  NERFPIPE_CHECK(image.dim() == 3 && image.sizes() == truth.sizes());
  const torch::NoGradGuard no_grad;
  // Below, a channel has one value but for rounding.
  constexpr double kFlat = 1e-12;
  torch::Tensor corrected = torch::empty_like(image.detach().to(torch::kCPU));
  // One channel at a time: a large image takes little memory beside itself.
  for (int64_t c = 0; c < image.size(2); ++c) {
    const torch::Tensor x =
        image.detach().select(2, c).to(torch::kCPU, torch::kDouble);
    const torch::Tensor y =
        truth.detach().select(2, c).to(torch::kCPU, torch::kDouble);
    const torch::Tensor from_mean = x - x.mean();
    const double variance = from_mean.square().mean().item<double>();
    const double gain =
        variance > kFlat ? (from_mean * y).mean().item<double>() / variance : 0;
    corrected.select(2, c).copy_((from_mean * gain + y.mean()).clamp(0, 1));
  }
  return corrected;
}

}  // namespace nerfpipe::nerf
