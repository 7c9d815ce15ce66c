#include "stages/nerf/metrics.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include <ATen/Parallel.h>

namespace nerfpipe::nerf {
namespace {

constexpr double kBestPsnr = 100;
constexpr int64_t kWindow = 11;
constexpr double kSigma = 1.5;
constexpr double kC1 = 0.01 * 0.01;
constexpr double kC2 = 0.03 * 0.03;
// Rows that a thread looks at at once: a large image takes little memory beside
// itself.
constexpr int64_t kStripRows = 64;

int64_t StripsOf(int64_t rows) { return (rows + kStripRows - 1) / kStripRows; }

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

// Means over the windows of one channel.
struct Similarity {
  double all = 0;
  double structure = 0;  // and contrast, without luminance
};

// Sums over the windows of a strip of one channel.
Similarity StripSimilarity(const torch::Tensor& x,
                           const torch::Tensor& y,
                           const std::vector<double>& kernel) {
  const torch::Tensor mean_x = WindowMean(x, kernel);
  const torch::Tensor mean_y = WindowMean(y, kernel);
  const torch::Tensor var_x = WindowMean(x * x, kernel) - mean_x.square();
  const torch::Tensor var_y = WindowMean(y * y, kernel) - mean_y.square();
  const torch::Tensor covariance = WindowMean(x * y, kernel) - mean_x * mean_y;
  const torch::Tensor structure =
      (2 * covariance + kC2) / (var_x + var_y + kC2);
  const torch::Tensor similarity = (2 * mean_x * mean_y + kC1) * structure /
                                   (mean_x.square() + mean_y.square() + kC1);
  return {similarity.sum().item<double>(), structure.sum().item<double>()};
}

// Calls f(number, first row, rows) with strips that cover 0 .. rows - 1, on all
// threads: what is worked on stays in the caches.
template <class F>
void ForEachStrip(int64_t rows, const F& f) {
  at::parallel_for(0, StripsOf(rows), 1, [&](int64_t begin, int64_t end) {
    const torch::NoGradGuard no_grad;
    for (int64_t strip = begin; strip < end; ++strip) {
      const int64_t top = strip * kStripRows;
      f(strip, top, std::min(kStripRows, rows - top));
    }
  });
}

// Of one channel, height x width.
Similarity PlaneSimilarity(const torch::Tensor& x,
                           const torch::Tensor& y,
                           const std::vector<double>& kernel) {
  const int64_t beyond = static_cast<int64_t>(kernel.size()) - 1;
  const int64_t rows = x.size(0) - beyond;
  std::vector<Similarity> sums(StripsOf(rows));
  ForEachStrip(rows, [&](int64_t strip, int64_t top, int64_t count) {
    sums[strip] = StripSimilarity(x.narrow(0, top, count + beyond),
                                  y.narrow(0, top, count + beyond),
                                  kernel);
  });
  Similarity mean;
  const auto windows = static_cast<double>(rows * (x.size(1) - beyond));
  for (const Similarity& sum : sums) {
    mean.all += sum.all / windows;
    mean.structure += sum.structure / windows;
  }
  return mean;
}

torch::Tensor Channel(const torch::Tensor& image, int64_t c) {
  return ToDouble(image.slice(2, c, c + 1)).squeeze(2).contiguous();
}

torch::Tensor HalfSize(const torch::Tensor& plane) {
  return torch::avg_pool2d(plane.unsqueeze(0).unsqueeze(0), 2)
      .squeeze(0)
      .squeeze(0);
}

}  // namespace

double Psnr(const torch::Tensor& image, const torch::Tensor& truth) {
  NERFPIPE_CHECK(image.sizes() == truth.sizes());
  const int64_t rows = image.size(0);
  std::vector<double> sums(StripsOf(rows));
  ForEachStrip(rows, [&](int64_t strip, int64_t top, int64_t count) {
    sums[strip] = (ToDouble(image.narrow(0, top, count)) -
                   ToDouble(truth.narrow(0, top, count)))
                      .square()
                      .sum()
                      .item<double>();
  });
  double error = 0;
  for (const double sum : sums) error += sum;
  error /= static_cast<double>(image.numel());
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
  // One channel at a time: two planes of doubles are less than two images.
  const int64_t channels = image.size(2);
  double sum = 0;
  for (int64_t c = 0; c < channels; ++c) {
    sum += PlaneSimilarity(Channel(image, c), Channel(truth, c), kernel).all;
  }
  return sum / static_cast<double>(channels);
}

double MsSsim(const torch::Tensor& image, const torch::Tensor& truth) {
  NERFPIPE_CHECK(image.sizes() == truth.sizes());
  const torch::NoGradGuard no_grad;
  constexpr double kExponents[] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
  size_t scales = 1;
  for (int64_t side = std::min(image.size(0), image.size(1));
       scales < std::size(kExponents) && side / 2 >= kWindow;
       side /= 2) {
    ++scales;
  }
  double total = 0;
  for (size_t s = 0; s < scales; ++s) total += kExponents[s];
  const int64_t side = std::min({kWindow, image.size(0), image.size(1)});
  const std::vector<double> kernel =
      GaussianKernel(side % 2 == 1 ? side : side - 1);
  const int64_t channels = image.size(2);
  double sum = 0;
  for (int64_t c = 0; c < channels; ++c) {
    torch::Tensor x = Channel(image, c);
    torch::Tensor y = Channel(truth, c);
    double product = 1;
    for (size_t s = 0; s < scales; ++s) {
      const Similarity similarity = PlaneSimilarity(x, y, kernel);
      const double value =
          s + 1 == scales ? similarity.all : similarity.structure;
      // What is the reverse of the truth is as unlike it as can be.
      product *= std::pow(std::max(0.0, value), kExponents[s] / total);
      x = HalfSize(x);
      y = HalfSize(y);
    }
    sum += product;
  }
  return sum / static_cast<double>(channels);
}

}  // namespace nerfpipe::nerf
