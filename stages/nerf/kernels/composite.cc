#include "stages/nerf/kernels/composite.h"

#include <cmath>

// The order matters: foreach_target.h reads this file once per SIMD level.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/nerf/kernels/composite.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void ComputeOpacitiesT(const Opacities& arrays, size_t count) {
  const hn::CappedTag<float, 16> d;
  const auto limit = hn::Set(d, kLargestLogDensity);
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto raw = hn::LoadU(d, arrays.log_density + i);
    const auto kept = hn::Min(hn::Max(raw, hn::Neg(limit)), limit);
    const auto density = hn::Exp(d, kept);
    const auto thickness = hn::Mul(density, hn::LoadU(d, arrays.length + i));
    hn::StoreU(density, d, arrays.density + i);
    hn::StoreU(hn::Exp(d, hn::Neg(thickness)), d, arrays.transparency + i);
  }
}

void ComputeColoursT(float* outputs, size_t count) {
  const hn::CappedTag<float, kColoursPadded> d;
  const auto one = hn::Set(d, 1.0f);
  for (size_t i = 0; i < count * kColoursPadded; i += hn::Lanes(d)) {
    const auto e = hn::Exp(d, hn::Neg(hn::LoadU(d, outputs + i)));
    hn::StoreU(hn::Div(one, hn::Add(one, e)), d, outputs + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::nerf::kernels {
namespace {
HWY_EXPORT(ComputeOpacitiesT);
HWY_EXPORT(ComputeColoursT);
}  // namespace

void ComputeOpacities(const Opacities& arrays, size_t count) {
  HWY_DYNAMIC_DISPATCH(ComputeOpacitiesT)(arrays, count);
}

void ComputeColours(float* outputs, size_t count) {
  HWY_DYNAMIC_DISPATCH(ComputeColoursT)(outputs, count);
}

namespace {

// From distances of 0 to infinity to 0 to 1.
float Squeezed(float distance) { return distance / (1 + distance); }

// Slope of the distortion loss by the weight of a sample, the sums before which
// are in `ray`.
float DistortionSlope(const Sample& sample, const RaySum& ray) {
  const float u = Squeezed(sample.distance);
  const float length = sample.length * (1 - u) * (1 - u);
  const float apart = 2 * (u * ray.weight_before - ray.moment_before) +
                      ray.moment - u * ray.weight;
  return ray.distortion * (2 * apart + 2.0f / 3 * sample.weight * length);
}

}  // namespace

void SumColours(const Sample* samples,
                const float* colours,
                size_t count,
                RaySum* rays) {
  for (size_t i = 0; i < count; ++i) {
    const Sample& sample = samples[i];
    RaySum& ray = rays[sample.ray];
    for (int c = 0; c < 3; ++c) {
      ray.colour[c] += sample.weight * colours[i * kColoursPadded + c];
    }
    ray.weight += sample.weight;
    ray.distance += sample.weight * sample.distance;
    ray.moment += sample.weight * Squeezed(sample.distance);
  }
}

float CloseRay(const LossRules& rules,
               const std::array<float, 3>& background,
               const std::array<float, 3>& target,
               RaySum* ray,
               float* squared_error) {
  float loss = 0;
  *squared_error = 0;
  ray->behind = 0;
  ray->weight_before = ray->weight;
  ray->moment_before = ray->moment;
  ray->distortion = 3 * rules.scale * rules.distortion;
  ray->free_space = 3 * rules.scale * rules.free_space;
  for (int c = 0; c < 3; ++c) {
    ray->colour[c] += ray->transmittance * background[c];
    const float error = ray->colour[c] - target[c];
    *squared_error += error * error;
    if (rules.kind == LossKind::kSquared) {
      loss += error * error;
      ray->slope[c] = 2 * error * rules.scale;
    } else {
      const float size = std::abs(error);
      const bool small = size <= kHuberDelta;
      loss += small ? 0.5f * error * error
                    : kHuberDelta * (size - 0.5f * kHuberDelta);
      ray->slope[c] =
          rules.scale * (small ? error : std::copysign(kHuberDelta, error));
    }
    ray->behind += ray->slope[c] * ray->transmittance * background[c];
  }
  return loss * rules.scale;
}

void DifferentiateSamples(const Sample* samples,
                          const float* colours,
                          size_t count,
                          RaySum* rays,
                          float* d_outputs,
                          float* d_log_density) {
  for (size_t i = count; i-- > 0;) {
    const Sample& sample = samples[i];
    RaySum& ray = rays[sample.ray];
    const float* colour = colours + i * kColoursPadded;
    float* d_output = d_outputs + i * kColoursPadded;
    ray.weight_before -= sample.weight;
    ray.moment_before -= sample.weight * Squeezed(sample.distance);
    // Of the loss by this sample's weight.
    float along =
        DistortionSlope(sample, ray) + (sample.free ? ray.free_space : 0.0f);
    for (int c = 0; c < kColoursPadded; ++c) {
      d_output[c] = 0;
      if (c >= 3) continue;
      along += ray.slope[c] * colour[c];
      d_output[c] = sample.weight * ray.slope[c] * colour[c] * (1 - colour[c]);
    }
    d_log_density[i] = sample.in_range
                           ? sample.boost * sample.density * sample.length *
                                 (sample.after * along - ray.behind)
                           : 0.0f;
    ray.behind += sample.weight * along;
  }
}

void Harmonics(const float direction[3], float* out) {
  const float x = direction[0], y = direction[1], z = direction[2];
  const float xx = x * x, yy = y * y, zz = z * z;
  out[0] = 0.28209479177387814f;
  out[1] = -0.48860251190291987f * y;
  out[2] = 0.48860251190291987f * z;
  out[3] = -0.48860251190291987f * x;
  out[4] = 1.0925484305920792f * x * y;
  out[5] = -1.0925484305920792f * y * z;
  out[6] = 0.94617469575756008f * zz - 0.31539156525252005f;
  out[7] = -1.0925484305920792f * x * z;
  out[8] = 0.54627421529603959f * (xx - yy);
  out[9] = 0.59004358992664352f * y * (yy - 3 * xx);
  out[10] = 2.8906114426405538f * x * y * z;
  out[11] = 0.45704579946446572f * y * (1 - 5 * zz);
  out[12] = 0.37317633259011546f * z * (5 * zz - 3);
  out[13] = 0.45704579946446572f * x * (1 - 5 * zz);
  out[14] = 1.4453057213202769f * z * (xx - yy);
  out[15] = 0.59004358992664352f * x * (3 * yy - xx);
}

}  // namespace nerfpipe::nerf::kernels
#endif  // HWY_ONCE
