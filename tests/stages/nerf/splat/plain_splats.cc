#include "tests/stages/nerf/splat/plain_splats.h"

#include <cmath>
#include <vector>

namespace nerfpipe::nerf::splat {
namespace {

using torch::Tensor;

Tensor AsTensor(const float* values,
                torch::IntArrayRef shape,
                const Tensor& like) {
  return torch::from_blob(const_cast<float*>(values), shape)
      .to(like.scalar_type());
}

// N x 3 x 3.
Tensor RotationsOf(const Tensor& quaternions) {
  const Tensor q =
      quaternions / quaternions.norm(2, /*dim=*/1, /*keepdim=*/true);
  const Tensor w = q.select(1, 0), x = q.select(1, 1), y = q.select(1, 2),
               z = q.select(1, 3);
  return torch::stack({1 - 2 * (y * y + z * z),
                       2 * (x * y - w * z),
                       2 * (x * z + w * y),
                       2 * (x * y + w * z),
                       1 - 2 * (x * x + z * z),
                       2 * (y * z - w * x),
                       2 * (x * z - w * y),
                       2 * (y * z + w * x),
                       1 - 2 * (x * x + y * y)},
                      1)
      .view({-1, 3, 3});
}

// N x harmonics, by the associated Legendre functions with the phase of
// Condon and Shortley, negated for odd orders as in Kerbl et al.
Tensor Basis(const Tensor& direction, int degree) {
  const Tensor x = direction.select(1, 0), y = direction.select(1, 1),
               z = direction.select(1, 2);
  const double pi = std::acos(-1.0);
  std::vector<Tensor> basis = {torch::full_like(x, 0.5 * std::sqrt(1 / pi))};
  if (degree > 0) {
    const double k = std::sqrt(3 / (4 * pi));
    basis.insert(basis.end(), {-k * y, k * z, -k * x});
  }
  if (degree > 1) {
    const double k = 0.5 * std::sqrt(15 / pi);
    basis.insert(basis.end(),
                 {k * x * y,
                  -k * y * z,
                  0.25 * std::sqrt(5 / pi) * (2 * z * z - x * x - y * y),
                  -k * x * z,
                  0.5 * k * (x * x - y * y)});
  }
  if (degree > 2) {
    const double a = 0.25 * std::sqrt(35 / (2 * pi));
    const double b = 0.5 * std::sqrt(105 / pi);
    const double c = 0.25 * std::sqrt(21 / (2 * pi));
    const Tensor rest = 4 * z * z - x * x - y * y;
    basis.insert(
        basis.end(),
        {-a * y * (3 * x * x - y * y),
         b * x * y * z,
         -c * y * rest,
         0.25 * std::sqrt(7 / pi) * z * (2 * z * z - 3 * x * x - 3 * y * y),
         -c * x * rest,
         0.5 * b * z * (x * x - y * y),
         -a * x * (x * x - 3 * y * y)});
  }
  return torch::stack(basis, 1);
}

// Sums over windows of 11 x 11, zeros beyond; 1 x 1 x height x width.
Tensor Blur(const Tensor& image) {
  const Tensor x = torch::arange(-5, 6).to(torch::kDouble) / 1.5;
  const Tensor taps = torch::exp(-0.5 * x * x);
  const Tensor line = (taps / taps.sum()).to(image.scalar_type());
  const Tensor window = torch::outer(line, line).view({1, 1, 11, 11});
  return torch::conv2d(image, window, {}, /*stride=*/1, /*padding=*/5);
}

}  // namespace

PlainPicture RasterisePlain(const PlainGaussians& g,
                            const PinholeView& view,
                            int degree,
                            const RasterRules& rules) {
  const Tensor rotation = AsTensor(view.rotation.data(), {3, 3}, g.means);
  const Tensor translation = AsTensor(view.translation.data(), {3}, g.means);
  const Tensor centre = AsTensor(view.centre.data(), {3}, g.means);
  const Tensor camera = torch::matmul(g.means, rotation.t()) + translation;
  const Tensor z = camera.select(1, 2);
  const Tensor tx = camera.select(1, 0) / z;
  const Tensor ty = camera.select(1, 1) / z;
  const Tensor limited_x = tx.clamp(view.low_tangent[0], view.high_tangent[0]);
  const Tensor limited_y = ty.clamp(view.low_tangent[1], view.high_tangent[1]);
  const Tensor zero = torch::zeros_like(z);
  const Tensor jacobian = torch::stack({view.fx / z,
                                        zero,
                                        -view.fx * limited_x / z,
                                        zero,
                                        view.fy / z,
                                        -view.fy * limited_y / z},
                                       1)
                              .view({-1, 2, 3});
  const Tensor variance = torch::exp(2 * g.log_scales);
  const Tensor wide = variance + g.smoothing.unsqueeze(1);
  const Tensor half =
      torch::matmul(torch::matmul(jacobian, rotation),
                    RotationsOf(g.rotations) * torch::sqrt(wide).unsqueeze(1));
  const Tensor ellipse = torch::matmul(half, half.transpose(1, 2));
  const auto blurred_by = [&](double blur) {
    return ellipse + blur * torch::eye(2, ellipse.options());
  };
  const Tensor blurred = blurred_by(view.blur);
  const Tensor inverse = torch::inverse(blurred);
  const Tensor fading = torch::sqrt(torch::det(blurred_by(view.trained_blur)) /
                                    torch::det(blurred));
  const Tensor opacity = kMostOpaque * torch::sigmoid(g.opacities) * fading;
  const Tensor direction = g.means - centre;
  const Tensor basis =
      Basis(direction / direction.norm(2, /*dim=*/1, /*keepdim=*/true), degree);
  const Tensor colour =
      ((basis.unsqueeze(2) * g.colours.slice(1, 0, basis.size(1))).sum(1) + 0.5)
          .clamp_min(0);

  const Tensor order = torch::argsort(z.detach(), /*stable=*/true, /*dim=*/0);
  const auto columns = torch::arange(view.width, g.means.options());
  const auto rows = torch::arange(view.height, g.means.options());
  Tensor through = torch::ones({view.height, view.width}, g.means.options());
  PlainPicture picture;
  picture.rgb = torch::zeros({view.height, view.width, 3}, g.means.options());
  picture.depth = torch::zeros_like(through);
  for (int64_t k = 0; k < order.size(0); ++k) {
    const int64_t i = order[k].item<int64_t>();
    if (z[i].item<double>() <= view.near) continue;
    const Tensor u = (columns - (view.fx * tx[i] + view.cx - 0.5)).unsqueeze(0);
    const Tensor v = (rows - (view.fy * ty[i] + view.cy - 0.5)).unsqueeze(1);
    const Tensor exponent =
        -0.5 * (inverse[i][0][0] * u * u + 2 * inverse[i][0][1] * u * v +
                inverse[i][1][1] * v * v);
    Tensor alpha = opacity[i] * torch::exp(exponent);
    alpha = torch::where(alpha >= kFaintest, alpha, torch::zeros_like(alpha));
    const Tensor weight = alpha * through;
    picture.rgb = picture.rgb + weight.unsqueeze(2) * colour[i];
    picture.depth = picture.depth + weight * z[i];
    through = through - weight;
  }
  picture.rgb =
      picture.rgb +
      through.unsqueeze(2) * AsTensor(rules.background.data(), {3}, g.means);
  picture.opacity = 1 - through;
  return picture;
}

Tensor PlainLoss(const LossRules& rules,
                 const Tensor& rgb,
                 const Tensor& truth,
                 const Tensor& mask) {
  Tensor seen = rgb;
  Tensor wanted = truth;
  if (mask.defined()) {
    const Tensor on = mask.unsqueeze(2) > 0;
    wanted = torch::where(on, truth, rgb.detach());
    seen = torch::where(on, rgb, rgb.detach());
  }
  const auto planes = [](const Tensor& image) {
    return image.permute({2, 0, 1}).unsqueeze(1);
  };
  const Tensor x = planes(seen), y = planes(wanted);
  const Tensor mx = Blur(x), my = Blur(y);
  const Tensor vx = Blur(x * x) - mx * mx;
  const Tensor vy = Blur(y * y) - my * my;
  const Tensor vxy = Blur(x * y) - mx * my;
  const double c1 = 1e-4, c2 = 9e-4;
  const Tensor ssim = (2 * mx * my + c1) * (2 * vxy + c2) /
                      ((mx * mx + my * my + c1) * (vx + vy + c2));
  return rules.l1 * (x - y).abs().sum() + rules.dssim * (1 - ssim).sum();
}

}  // namespace nerfpipe::nerf::splat
