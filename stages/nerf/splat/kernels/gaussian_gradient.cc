#include "stages/nerf/splat/kernels/gaussian_gradient.h"

#include <algorithm>
#include <bit>
#include <cstddef>

// The order matters: foreach_target.h reads this file once per SIMD level.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/nerf/splat/kernels/gaussian_gradient.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "stages/nerf/splat/kernels/harmonics-inl.h"
#include "stages/nerf/splat/kernels/projection-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::splat {
namespace HWY_NAMESPACE {

inline constexpr int kSums = 12;  // floats of EllipseGradient that are used
static_assert(offsetof(EllipseGradient, unused) <= kSums * sizeof(float));

// Sums over the tiles of each gaussian of a block, by field and gaussian.
struct BlockSums {
  HWY_ALIGN float field[kSums][kBlock];
};

HWY_INLINE void SumOverTiles(const PictureSource& source,
                             size_t block,
                             BlockSums* sums) {
  HWY_ALIGN float rows[kBlock][kSums] = {};
  const FourTag d4;
  for (uint32_t bits = source.visible[block]; bits != 0; bits &= bits - 1) {
    const size_t lane = std::countr_zero(bits);
    const size_t i = block * kBlock + lane;
    const EllipseGradient* first =
        source.gradients + source.lists->first_slot(i);
    const size_t tiles = source.boxes[i].count();
    for (size_t k = 0; k < kSums; k += 4) {
      auto sum = hn::Load(d4, &first->g + k);
      for (size_t tile = 1; tile < tiles; ++tile) {
        sum = hn::Add(sum, hn::Load(d4, &first[tile].g + k));
      }
      hn::Store(sum, d4, rows[lane] + k);
    }
  }
  for (size_t at = 0; at < kBlock; at += kLanes) {
    for (size_t k = 0; k < kSums; k += 4) {
      FloatVec fields[4];
      LoadFields([&](size_t lane) { return rows[at + lane] + k; }, fields);
      for (size_t f = 0; f < 4; ++f) {
        hn::Store(fields[f], FloatTag(), sums->field[k + f] + at);
      }
    }
  }
}

enum SumField { kG, kGu, kGv, kGuu, kGuv, kGvv, kRed, kError = 9 };

// Derivatives by what the exponent of an ellipse is made of.
struct EllipseSlopes {
  FloatVec x, y;     // by its centre
  FloatVec a, b, c;  // by its variances, blurred
};

HWY_INLINE EllipseSlopes SlopesOf(const Projection& p,
                                  const BlockSums& sums,
                                  size_t at) {
  const FloatTag d;
  const auto sum = [&](int field)
                       HWY_ATTR { return hn::Load(d, sums.field[field] + at); };
  // The natural exponent is -(c u^2 - 2 b u v + a v^2) / (2 det).
  const FloatVec inverse = hn::Div(Num(1), p.det);
  const FloatVec ia = hn::Mul(p.c, inverse);
  const FloatVec ib = hn::Neg(hn::Mul(p.b, inverse));
  const FloatVec ic = hn::Mul(p.a, inverse);
  const FloatVec gu = sum(kGu), gv = sum(kGv);
  const FloatVec guu = sum(kGuu), guv = sum(kGuv), gvv = sum(kGvv);
  // With S the inverse: half of S [guu guv; guv gvv] S is the derivative by the
  // variances.
  const FloatVec m00 = hn::MulAdd(ia, guu, hn::Mul(ib, guv));
  const FloatVec m01 = hn::MulAdd(ia, guv, hn::Mul(ib, gvv));
  const FloatVec m10 = hn::MulAdd(ib, guu, hn::Mul(ic, guv));
  const FloatVec m11 = hn::MulAdd(ib, guv, hn::Mul(ic, gvv));
  const FloatVec half = Num(0.5f);
  return {hn::MulAdd(ia, gu, hn::Mul(ib, gv)),
          hn::MulAdd(ib, gu, hn::Mul(ic, gv)),
          hn::Mul(half, hn::MulAdd(m00, ia, hn::Mul(m01, ib))),
          hn::MulAdd(m00, ib, hn::Mul(m01, ic)),
          hn::Mul(half, hn::MulAdd(m10, ib, hn::Mul(m11, ic)))};
}

// Quaternion from the derivatives by the entries of its rotation.
HWY_INLINE void QuaternionGradient(const Projection& p,
                                   const FloatVec r[9],
                                   FloatVec out[4]) {
  const FloatVec w = p.rotation[0], x = p.rotation[1], y = p.rotation[2],
                 z = p.rotation[3];
  const FloatVec two = Num(2);
  const FloatVec s01 = hn::Add(r[1], r[3]), d01 = hn::Sub(r[3], r[1]);
  const FloatVec s02 = hn::Add(r[2], r[6]), d02 = hn::Sub(r[2], r[6]);
  const FloatVec s12 = hn::Add(r[5], r[7]), d12 = hn::Sub(r[7], r[5]);
  const auto gradient = [&](FloatVec a0,
                            FloatVec b0,
                            FloatVec a1,
                            FloatVec b1,
                            FloatVec a2,
                            FloatVec b2) HWY_ATTR {
    return hn::Mul(two,
                   hn::MulAdd(a0, b0, hn::MulAdd(a1, b1, hn::Mul(a2, b2))));
  };
  const auto less =
      [&](FloatVec v, FloatVec q, FloatVec r0, FloatVec r1) HWY_ATTR {
        return hn::NegMulAdd(hn::Mul(Num(4), q), hn::Add(r0, r1), v);
      };
  out[0] = gradient(z, d01, y, d02, x, d12);
  out[1] = less(gradient(y, s01, z, s02, w, d12), x, r[4], r[8]);
  out[2] = less(gradient(x, s01, w, d02, z, s12), y, r[0], r[8]);
  out[3] = less(gradient(w, d01, x, s02, y, s12), z, r[0], r[4]);
  const FloatVec along = hn::MulAdd(
      w,
      out[0],
      hn::MulAdd(x, out[1], hn::MulAdd(y, out[2], hn::Mul(z, out[3]))));
  for (int k = 0; k < 4; ++k) {
    out[k] =
        hn::Mul(hn::NegMulAdd(along, p.rotation[k], out[k]), p.inverse_norm);
  }
}

// Gradients of kLanes gaussians of a block.
template <int kDegree>
HWY_INLINE void DifferentiateVector(const Gaussians& gaussians,
                                    const PinholeView& view,
                                    size_t block_number,
                                    size_t at,
                                    const BlockSums& sums,
                                    float* gradients) {
  const FloatTag d;
  const float* block = gaussians.block(block_number);
  Projection p;
  ProjectVector(block,
                at,
                hn::Load(d, gaussians.smoothing + block_number * kBlock + at),
                view,
                &p);
  const FloatVec one = Num(1), two = Num(2);
  const EllipseSlopes by = SlopesOf(p, sums, at);
  const FloatVec by_log_opacity = hn::Load(d, sums.field[kG] + at);

  // Through the local projection, deviations and axes.
  const FloatVec scale_x = hn::Mul(Num(view.fx), p.inverse_depth);
  const FloatVec scale_y = hn::Mul(Num(view.fy), p.inverse_depth);
  FloatVec by_axes[9];
  FloatVec by_deviation[3];
  FloatVec by_jacobian[4] = {Num(0), Num(0), Num(0), Num(0)};  // 00 02 11 12
  for (int j = 0; j < 3; ++j) {
    const FloatVec by_x =
        hn::MulAdd(hn::Mul(two, by.a), p.half_x[j], hn::Mul(by.b, p.half_y[j]));
    const FloatVec by_y =
        hn::MulAdd(hn::Mul(two, by.c), p.half_y[j], hn::Mul(by.b, p.half_x[j]));
    FloatVec scaled[3];
    for (int i = 0; i < 3; ++i) {
      scaled[i] = hn::Mul(p.axes[3 * i + j], p.deviation[j]);
    }
    by_jacobian[0] = hn::MulAdd(by_x, scaled[0], by_jacobian[0]);
    by_jacobian[1] = hn::MulAdd(by_x, scaled[2], by_jacobian[1]);
    by_jacobian[2] = hn::MulAdd(by_y, scaled[1], by_jacobian[2]);
    by_jacobian[3] = hn::MulAdd(by_y, scaled[2], by_jacobian[3]);
    const FloatVec column[3] = {
        hn::Mul(scale_x, by_x),
        hn::Mul(scale_y, by_y),
        hn::Neg(hn::MulAdd(hn::Mul(scale_x, p.tangent[0]),
                           by_x,
                           hn::Mul(hn::Mul(scale_y, p.tangent[1]), by_y)))};
    const FloatVec axis[3] = {p.axes[j], p.axes[3 + j], p.axes[6 + j]};
    by_deviation[j] = Dot(column, axis);
    for (int i = 0; i < 3; ++i) {
      by_axes[3 * i + j] = hn::Mul(column[i], p.deviation[j]);
    }
  }
  // By the mean in camera coordinates. A limited tangent stands still.
  const FloatVec iz = p.inverse_depth;
  const FloatVec tx = hn::Mul(p.camera[0], iz), ty = hn::Mul(p.camera[1], iz);
  const FloatVec free_x = hn::IfThenZeroElse(p.limited[0], by_jacobian[1]);
  const FloatVec free_y = hn::IfThenZeroElse(p.limited[1], by_jacobian[3]);
  const FloatVec sx = hn::Mul(scale_x, iz), sy = hn::Mul(scale_y, iz);
  FloatVec by_camera[3];
  by_camera[0] = hn::MulSub(scale_x, by.x, hn::Mul(sx, free_x));
  by_camera[1] = hn::MulSub(scale_y, by.y, hn::Mul(sy, free_y));
  // d/dz of fx / z, of -fx t / z with t = x / z or fixed, and of the centre.
  const auto by_depth = [&](FloatVec scale,
                            FloatVec s,
                            FloatVec t,
                            FloatVec centre,
                            FloatVec limited_t,
                            FloatVec j0,
                            FloatVec j2,
                            FloatVec free) HWY_ATTR {
    FloatVec sum = hn::Neg(hn::Mul(hn::Mul(scale, t), centre));
    sum = hn::NegMulAdd(s, j0, sum);
    sum = hn::MulAdd(hn::Mul(s, limited_t), j2, sum);
    return hn::MulAdd(hn::Mul(s, t), free, sum);
  };
  by_camera[2] = hn::Add(by_depth(scale_x,
                                  sx,
                                  tx,
                                  by.x,
                                  p.tangent[0],
                                  by_jacobian[0],
                                  by_jacobian[1],
                                  free_x),
                         by_depth(scale_y,
                                  sy,
                                  ty,
                                  by.y,
                                  p.tangent[1],
                                  by_jacobian[2],
                                  by_jacobian[3],
                                  free_y));

  const auto transposed = [&](int k, const FloatVec v[3]) HWY_ATTR {
    return hn::MulAdd(Num(view.rotation[k]),
                      v[0],
                      hn::MulAdd(Num(view.rotation[3 + k]),
                                 v[1],
                                 hn::Mul(Num(view.rotation[6 + k]), v[2])));
  };
  FloatVec by_mean[3];
  FloatVec by_rotation[9];
  for (int k = 0; k < 3; ++k) {
    by_mean[k] = transposed(k, by_camera);
    for (int j = 0; j < 3; ++j) {
      const FloatVec column[3] = {by_axes[j], by_axes[3 + j], by_axes[6 + j]};
      by_rotation[3 * k + j] = transposed(k, column);
    }
  }
  DifferentiateColours<kDegree>(
      block, at, view, sums.field + kRed, gradients, by_mean);
  const auto store = [&](int row, FloatVec v) HWY_ATTR {
    hn::Store(v, d, gradients + row * kBlock + at);
  };
  for (int k = 0; k < 3; ++k) {
    store(kMeanRow + k, by_mean[k]);
    // deviation^2 = variance + smoothing, variance = exp(2 log scale)
    store(kScaleRow + k,
          hn::Mul(by_deviation[k], hn::Div(p.variance[k], p.deviation[k])));
  }
  FloatVec by_quaternion[4];
  QuaternionGradient(p, by_rotation, by_quaternion);
  for (int k = 0; k < 4; ++k) store(kRotationRow + k, by_quaternion[k]);
  store(kOpacityRow, hn::Mul(by_log_opacity, hn::Sub(one, p.logistic)));
}

HWY_INLINE void AddErrors(const BlockSums& sums,
                          FloatMask seen,
                          size_t at,
                          float* errors) {
  const FloatTag d;
  const FloatVec error = hn::Load(d, sums.field[kError] + at);
  hn::Store(
      hn::Add(hn::Load(d, errors), hn::IfThenElseZero(seen, error)), d, errors);
}

template <int kDegree>
void DifferentiateBlocks(const Gaussians& gaussians,
                         const PictureSource& source,
                         size_t begin,
                         size_t end,
                         float* errors,
                         float* gradients) {
  const FloatTag d;
  BlockSums sums;
  for (size_t block = begin; block < end; ++block) {
    if (source.visible[block] == 0) continue;
    SumOverTiles(source, block, &sums);
    float* to = gradients + (block - begin) * gaussians.rows * kBlock;
    for (size_t at = 0; at < kBlock; at += kLanes) {
      DifferentiateVector<kDegree>(
          gaussians, *source.view, block, at, sums, to);
      const FloatMask seen = VisibleLanes(source.visible[block], at);
      AddErrors(sums, seen, at, errors + block * kBlock + at);
      for (int row = 0; row < RowsOf(kDegree); ++row) {
        float* values = to + row * kBlock + at;
        hn::Store(hn::IfThenElseZero(seen, hn::Load(d, values)), d, values);
      }
    }
  }
}

void DifferentiateGaussiansT(const Gaussians& gaussians,
                             const PictureSource& source,
                             size_t begin,
                             size_t end,
                             float* errors,
                             float* gradients) {
  WithDegree(source.degree, [&](auto constant) {
    DifferentiateBlocks<constant.value>(
        gaussians, source, begin, end, errors, gradients);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::splat
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::nerf::splat {
namespace {
HWY_EXPORT(DifferentiateGaussiansT);
}  // namespace

void DifferentiateGaussians(const Gaussians& gaussians,
                            const PictureSource& source,
                            size_t begin,
                            size_t end,
                            float* errors,
                            float* gradients) {
  HWY_DYNAMIC_DISPATCH(DifferentiateGaussiansT)
  (gaussians, source, begin, end, errors, gradients);
}

}  // namespace nerfpipe::nerf::splat
#endif  // HWY_ONCE
