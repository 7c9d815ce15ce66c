#include "stages/nerf/sampling.h"

namespace nerfpipe::nerf {

torch::Tensor StratifiedDepths(const torch::Tensor& near,
                               const torch::Tensor& far,
                               int64_t count,
                               bool lindisp,
                               const torch::Tensor& uniforms) {
  const torch::Tensor t = torch::linspace(0, 1, count, near.options());
  const torch::Tensor a = near.unsqueeze(1);
  const torch::Tensor b = far.unsqueeze(1);
  const torch::Tensor depths =
      lindisp ? 1 / ((1 - t) / a + t / b) : a * (1 - t) + b * t;
  if (!uniforms.defined()) {
    return depths;
  }
  const torch::Tensor middles =
      0.5 * (depths.slice(1, 1) + depths.slice(1, 0, -1));
  const torch::Tensor upper =
      torch::cat({middles, depths.slice(1, count - 1)}, 1);
  const torch::Tensor lower = torch::cat({depths.slice(1, 0, 1), middles}, 1);
  return lower + (upper - lower) * uniforms;
}

torch::Tensor SamplePdf(const torch::Tensor& edges,
                        const torch::Tensor& weights,
                        const torch::Tensor& uniforms) {
  const torch::Tensor padded = weights + 1e-5;
  const torch::Tensor pdf = padded / padded.sum(-1, /*keepdim=*/true);
  const torch::Tensor cdf = torch::cat(
      {torch::zeros_like(pdf.slice(1, 0, 1)), torch::cumsum(pdf, -1)}, -1);

  const torch::Tensor found = torch::searchsorted(cdf,
                                                  uniforms.contiguous(),
                                                  /*out_int32=*/false,
                                                  /*right=*/true);
  const torch::Tensor below = (found - 1).clamp_min(0);
  const torch::Tensor above = found.clamp_max(cdf.size(1) - 1);
  const torch::Tensor cdf_below = cdf.gather(1, below);
  const torch::Tensor edge_below = edges.gather(1, below);
  torch::Tensor width = cdf.gather(1, above) - cdf_below;
  width = torch::where(width < 1e-5, torch::ones_like(width), width);
  const torch::Tensor t = (uniforms - cdf_below) / width;
  return edge_below + t * (edges.gather(1, above) - edge_below);
}

}  // namespace nerfpipe::nerf
