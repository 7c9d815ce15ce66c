#include "stages/nerf/metrics.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::nerf {
namespace {

constexpr double kBestPsnr = 100;
constexpr int64_t kWindow = 11;
constexpr double kSigma = 1.5;
constexpr double kC1 = 0.01 * 0.01;
constexpr double kC2 = 0.03 * 0.03;

torch::Tensor ToDouble(const torch::Tensor& image) {
  NERFPIPE_CHECK(image.dim() == 3 && image.is_floating_point());
  return image.detach().to(torch::kCPU, torch::kDouble);
}

// Gaussian mean of every window that fits; `planes` is channels x 1 x h x w.
torch::Tensor WindowMean(const torch::Tensor& planes,
                         const torch::Tensor& kernel) {
  torch::Tensor rows =
      torch::conv2d(planes, kernel.reshape({1, 1, kernel.numel(), 1}));
  return torch::conv2d(rows, kernel.reshape({1, 1, 1, kernel.numel()}));
}

}  // namespace

double Psnr(const torch::Tensor& image, const torch::Tensor& truth) {
  NERFPIPE_CHECK(image.sizes() == truth.sizes());
  const double error =
      (ToDouble(image) - ToDouble(truth)).square().mean().item<double>();
  if (error <= 0) {
    return kBestPsnr;
  }
  return std::min(kBestPsnr, -10 * std::log10(error));
}

double Ssim(const torch::Tensor& image, const torch::Tensor& truth) {
  NERFPIPE_CHECK(image.sizes() == truth.sizes());
  const torch::NoGradGuard no_grad;
  const torch::Tensor x = ToDouble(image).permute({2, 0, 1}).unsqueeze(1);
  const torch::Tensor y = ToDouble(truth).permute({2, 0, 1}).unsqueeze(1);
  const int64_t side = std::min({kWindow, x.size(2), x.size(3)});
  const int64_t window = side % 2 == 1 ? side : side - 1;
  NERFPIPE_CHECK(window >= 1);

  const torch::Tensor offsets =
      torch::arange(window, torch::kDouble) - (window - 1) / 2;
  torch::Tensor kernel = torch::exp(-offsets.square() / (2 * kSigma * kSigma));
  kernel = kernel / kernel.sum();

  const torch::Tensor mean_x = WindowMean(x, kernel);
  const torch::Tensor mean_y = WindowMean(y, kernel);
  const torch::Tensor var_x = WindowMean(x * x, kernel) - mean_x.square();
  const torch::Tensor var_y = WindowMean(y * y, kernel) - mean_y.square();
  const torch::Tensor covariance = WindowMean(x * y, kernel) - mean_x * mean_y;
  const torch::Tensor similarity =
      (2 * mean_x * mean_y + kC1) * (2 * covariance + kC2) /
      ((mean_x.square() + mean_y.square() + kC1) * (var_x + var_y + kC2));
  return similarity.mean().item<double>();
}

}  // namespace nerfpipe::nerf
