// The projection of a vector of gaussians and what its derivative needs again.
// Included once per SIMD target, inside foreach_target.

#if defined(NERFPIPE_SPLAT_PROJECTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NERFPIPE_SPLAT_PROJECTION_INL_H_
#undef NERFPIPE_SPLAT_PROJECTION_INL_H_
#else
#define NERFPIPE_SPLAT_PROJECTION_INL_H_
#endif

#include "stages/nerf/splat/kernels/gaussian_blocks.h"
#include "stages/nerf/splat/kernels/projection.h"
#include "stages/nerf/splat/kernels/records-inl.h"

#include <type_traits>

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::splat {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatMask = hn::Mask<FloatTag>;

// Row `row` of gaussians `at` to `at + kLanes - 1` of a block.
HWY_INLINE FloatVec Row(const float* block, int row, size_t at) {
  return hn::Load(FloatTag(), block + row * kBlock + at);
}

HWY_INLINE FloatVec Square(FloatVec v) { return hn::Mul(v, v); }

// Of three products.
HWY_INLINE FloatVec Dot(const FloatVec a[3], const FloatVec b[3]) {
  return hn::MulAdd(a[0], b[0], hn::MulAdd(a[1], b[1], hn::Mul(a[2], b[2])));
}

HWY_INLINE FloatVec Dot(const float* a, const FloatVec b[3]) {
  return hn::MulAdd(
      Num(a[0]), b[0], hn::MulAdd(Num(a[1]), b[1], hn::Mul(Num(a[2]), b[2])));
}

// f(degree as a constant).
template <class F>
HWY_INLINE void WithDegree(int degree, const F& f) {
  switch (degree) {
    case 0:
      return f(std::integral_constant<int, 0>());
    case 1:
      return f(std::integral_constant<int, 1>());
    case 2:
      return f(std::integral_constant<int, 2>());
    default:
      return f(std::integral_constant<int, 3>());
  }
}

HWY_INLINE FloatVec LogisticOf(FloatVec v) {
  const FloatTag d;
  return hn::Div(Num(1), hn::Add(Num(1), hn::Exp(d, hn::Neg(v))));
}

// Those of a block's bits that belong to lanes `at` and following.
HWY_INLINE FloatMask VisibleLanes(uint32_t visible, size_t at) {
  uint8_t bytes[8] = {static_cast<uint8_t>(visible >> at),
                      static_cast<uint8_t>(visible >> at >> 8)};
  return hn::LoadMaskBits(FloatTag(), bytes);
}

HWY_INLINE FloatVec InverseRoot(FloatVec v) {
  return hn::Div(Num(1), hn::Sqrt(v));
}

struct Projection {
  FloatVec camera[3];  // the mean, camera coordinates
  FloatVec inverse_depth;
  FloatVec tangent[2];  // x and y of it over z, limited
  FloatMask limited[2];
  FloatVec variance[3];   // along its axes, without smoothing
  FloatVec deviation[3];  // with it
  FloatVec rotation[4];   // quaternion of length 1
  FloatVec inverse_norm;
  FloatVec axes[9];  // rotation from its axes to the camera
  // The rows of the local projection times the axes times the deviations: the
  // ellipse is their product with itself.
  FloatVec half_x[3], half_y[3];
  FloatVec a0, c0, b;  // variances in x and y, and between them
  FloatVec a, c;       // blurred
  FloatVec det;
  FloatVec logistic;  // of the opacity
};

// Of the variances with so much blur. As an area the part without it cannot be
// negative, whatever rounding says.
HWY_INLINE FloatVec BlurredDeterminant(const Projection& p, float blur) {
  const FloatVec sharp = hn::Max(hn::MulSub(p.a0, p.c0, Square(p.b)),
                                 hn::Mul(Num(1e-6f), hn::Mul(p.a0, p.c0)));
  return hn::MulAdd(Num(blur), hn::Add(hn::Add(p.a0, p.c0), Num(blur)), sharp);
}

// `smoothing` of the same gaussians.
HWY_INLINE void ProjectVector(const float* block,
                              size_t at,
                              FloatVec smoothing,
                              const PinholeView& view,
                              Projection* p) {
  const FloatTag d;
  const FloatVec mean[3] = {
      Row(block, 0, at), Row(block, 1, at), Row(block, 2, at)};
  for (int r = 0; r < 3; ++r) {
    p->camera[r] =
        hn::Add(Dot(&view.rotation[3 * r], mean), Num(view.translation[r]));
  }
  p->inverse_depth = hn::Div(Num(1), hn::Max(p->camera[2], Num(1e-6f)));
  for (int k = 0; k < 2; ++k) {
    const FloatVec tangent = hn::Mul(p->camera[k], p->inverse_depth);
    p->tangent[k] = hn::Min(hn::Max(tangent, Num(view.low_tangent[k])),
                            Num(view.high_tangent[k]));
    p->limited[k] = hn::Ne(p->tangent[k], tangent);
  }

  for (int k = 0; k < 3; ++k) {
    const FloatVec log_scale = Row(block, kScaleRow + k, at);
    p->variance[k] = hn::Exp(d, hn::Add(log_scale, log_scale));
    p->deviation[k] = hn::Sqrt(hn::Add(p->variance[k], smoothing));
  }
  FloatVec* q = p->rotation;
  for (int k = 0; k < 4; ++k) q[k] = Row(block, kRotationRow + k, at);
  p->inverse_norm = InverseRoot(
      hn::Add(Square(q[0]),
              hn::Add(Square(q[1]), hn::Add(Square(q[2]), Square(q[3])))));
  for (int k = 0; k < 4; ++k) q[k] = hn::Mul(q[k], p->inverse_norm);
  const FloatVec two = Num(2);
  const FloatVec one = Num(1);
  // 1 - 2 (a^2 + b^2), and 2 (a b +- c d)
  const auto diagonal = [&](FloatVec a, FloatVec b) HWY_ATTR {
    return hn::NegMulAdd(two, hn::MulAdd(a, a, Square(b)), one);
  };
  const auto sum =
      [&](FloatVec a, FloatVec b, FloatVec c, FloatVec e)
          HWY_ATTR { return hn::Mul(two, hn::MulAdd(a, b, hn::Mul(c, e))); };
  const auto difference =
      [&](FloatVec a, FloatVec b, FloatVec c, FloatVec e)
          HWY_ATTR { return hn::Mul(two, hn::MulSub(a, b, hn::Mul(c, e))); };
  const FloatVec rotation[9] = {diagonal(q[2], q[3]),
                                difference(q[1], q[2], q[0], q[3]),
                                sum(q[1], q[3], q[0], q[2]),
                                sum(q[1], q[2], q[0], q[3]),
                                diagonal(q[1], q[3]),
                                difference(q[2], q[3], q[0], q[1]),
                                difference(q[1], q[3], q[0], q[2]),
                                sum(q[2], q[3], q[0], q[1]),
                                diagonal(q[1], q[2])};
  for (int j = 0; j < 3; ++j) {
    const FloatVec column[3] = {rotation[j], rotation[3 + j], rotation[6 + j]};
    for (int i = 0; i < 3; ++i) {
      p->axes[3 * i + j] = Dot(&view.rotation[3 * i], column);
    }
  }
  const FloatVec scale_x = hn::Mul(Num(view.fx), p->inverse_depth);
  const FloatVec scale_y = hn::Mul(Num(view.fy), p->inverse_depth);
  for (int j = 0; j < 3; ++j) {
    p->half_x[j] =
        hn::Mul(hn::Mul(scale_x, p->deviation[j]),
                hn::NegMulAdd(p->tangent[0], p->axes[6 + j], p->axes[j]));
    p->half_y[j] =
        hn::Mul(hn::Mul(scale_y, p->deviation[j]),
                hn::NegMulAdd(p->tangent[1], p->axes[6 + j], p->axes[3 + j]));
  }
  p->a0 = Dot(p->half_x, p->half_x);
  p->c0 = Dot(p->half_y, p->half_y);
  p->b = Dot(p->half_x, p->half_y);
  p->a = hn::Add(p->a0, Num(view.blur));
  p->c = hn::Add(p->c0, Num(view.blur));
  p->det = BlurredDeterminant(*p, view.blur);
  p->logistic = LogisticOf(Row(block, kOpacityRow, at));
}

// What is left of the opacity, squared, where the blur makes an ellipse larger
// than it was trained to be.
HWY_INLINE FloatVec SquaredFading(const Projection& p,
                                  const PinholeView& view) {
  if (view.blur == view.trained_blur) return Num(1);
  return hn::Div(BlurredDeterminant(p, view.trained_blur), p.det);
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::splat
HWY_AFTER_NAMESPACE();

#endif  // include guard
