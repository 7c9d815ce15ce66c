#include "stages/nerf/encoding.h"

#include <vector>

namespace nerfpipe::nerf {

torch::Tensor FrequencyEncode(const torch::Tensor& x, int bands) {
  std::vector<torch::Tensor> parts = {x};
  double frequency = 1;
  for (int band = 0; band < bands; ++band, frequency *= 2) {
    parts.push_back(torch::sin(x * frequency));
    parts.push_back(torch::cos(x * frequency));
  }
  return torch::cat(parts, -1);
}

torch::Tensor SphericalHarmonics4(const torch::Tensor& directions) {
  const torch::Tensor x = directions.select(1, 0);
  const torch::Tensor y = directions.select(1, 1);
  const torch::Tensor z = directions.select(1, 2);
  const torch::Tensor xx = x * x, yy = y * y, zz = z * z;
  const torch::Tensor xy = x * y, yz = y * z, xz = x * z;
  return torch::stack({torch::full_like(x, 0.28209479177387814),
                       -0.48860251190291987 * y,
                       0.48860251190291987 * z,
                       -0.48860251190291987 * x,
                       1.0925484305920792 * xy,
                       -1.0925484305920792 * yz,
                       0.94617469575756008 * zz - 0.31539156525252005,
                       -1.0925484305920792 * xz,
                       0.54627421529603959 * (xx - yy),
                       0.59004358992664352 * y * (yy - 3 * xx),
                       2.8906114426405538 * xy * z,
                       0.45704579946446572 * y * (1 - 5 * zz),
                       0.37317633259011546 * z * (5 * zz - 3),
                       0.45704579946446572 * x * (1 - 5 * zz),
                       1.4453057213202769 * z * (xx - yy),
                       0.59004358992664352 * x * (3 * yy - xx)},
                      1);
}

torch::Tensor Contract(const torch::Tensor& x) {
  const torch::Tensor norm = x.abs().amax({-1}, /*keepdim=*/true);
  const torch::Tensor safe = norm.clamp_min(1);
  return torch::where(norm <= 1, x, (2 - 1 / safe) * x / safe);
}

}  // namespace nerfpipe::nerf
