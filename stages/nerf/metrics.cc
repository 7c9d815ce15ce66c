#include "stages/nerf/metrics.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>
#include <vector>

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

// Weighted mean of the windows along one axis that fit. Not conv2d, which has
// no double precision but by a copy of the image for every weight.
torch::Tensor MeanAlong(const torch::Tensor& plane,
                        const std::vector<double>& kernel,
                        int64_t axis) {
  const auto window = static_cast<int64_t>(kernel.size());
  const int64_t count = plane.size(axis) - window + 1;
  torch::Tensor mean = plane.narrow(axis, 0, count) * kernel[0];
  for (int64_t k = 1; k < window; ++k) {
    mean.add_(plane.narrow(axis, k, count), kernel[k]);
  }
  return mean;
}

// Mean of every window that fits; `plane` is height x width.
torch::Tensor WindowMean(const torch::Tensor& plane,
                         const std::vector<double>& kernel) {
  return MeanAlong(MeanAlong(plane, kernel, 0), kernel, 1);
}

// A Gaussian at `window` places, with sum 1.
std::vector<double> GaussianKernel(int64_t window) {
  std::vector<double> kernel;
  double sum = 0;
  for (int64_t k = 0; k < window; ++k) {
    const double offset = static_cast<double>(k - window / 2);
    kernel.push_back(std::exp(-offset * offset / (2 * kSigma * kSigma)));
    sum += kernel.back();
  }
  for (double& weight : kernel) weight /= sum;
  return kernel;
}

// Of one channel, height x width.
double PlaneSsim(const torch::Tensor& x,
                 const torch::Tensor& y,
                 const std::vector<double>& kernel) {
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
  const int64_t side = std::min({kWindow, image.size(0), image.size(1)});
  const int64_t window = side % 2 == 1 ? side : side - 1;
  NERFPIPE_CHECK(window >= 1);
  const std::vector<double> kernel = GaussianKernel(window);
  // One channel at a time: a large image takes little memory.
  const int64_t channels = image.size(2);
  double sum = 0;
  for (int64_t c = 0; c < channels; ++c) {
    sum += PlaneSsim(ToDouble(image.slice(2, c, c + 1)).squeeze(2).contiguous(),
                     ToDouble(truth.slice(2, c, c + 1)).squeeze(2).contiguous(),
                     kernel);
  }
  return sum / static_cast<double>(channels);
}

}  // namespace nerfpipe::nerf
