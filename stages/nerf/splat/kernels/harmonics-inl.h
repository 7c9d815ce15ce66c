// Colour by direction: real spherical harmonics, and their derivatives.
// Included once per SIMD target, inside foreach_target.

#if defined(NERFPIPE_SPLAT_HARMONICS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NERFPIPE_SPLAT_HARMONICS_INL_H_
#undef NERFPIPE_SPLAT_HARMONICS_INL_H_
#else
#define NERFPIPE_SPLAT_HARMONICS_INL_H_
#endif

#include "stages/nerf/splat/kernels/gaussian_blocks.h"
#include "stages/nerf/splat/kernels/projection-inl.h"

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::splat {
namespace HWY_NAMESPACE {

// Where the gaussian is seen from the camera's centre.
struct Sight {
  FloatVec direction[3];
  FloatVec inverse_distance;
};

HWY_INLINE Sight SightOf(const float* block,
                         size_t at,
                         const PinholeView& view) {
  Sight sight;
  for (int k = 0; k < 3; ++k) {
    sight.direction[k] =
        hn::Sub(Row(block, kMeanRow + k, at), Num(view.centre[k]));
  }
  sight.inverse_distance =
      InverseRoot(hn::Max(Dot(sight.direction, sight.direction), Num(1e-20f)));
  for (FloatVec& v : sight.direction) v = hn::Mul(v, sight.inverse_distance);
  return sight;
}

// Real spherical harmonics in the order and with the signs of Kerbl et al.
template <int kDegree>
HWY_INLINE void HarmonicsAt(const FloatVec direction[3], FloatVec* basis) {
  basis[0] = Num(0.28209479177f);
  if constexpr (kDegree > 0) {
    const FloatVec x = direction[0], y = direction[1], z = direction[2];
    basis[1] = hn::Mul(Num(-0.48860251190f), y);
    basis[2] = hn::Mul(Num(0.48860251190f), z);
    basis[3] = hn::Mul(Num(-0.48860251190f), x);
    if constexpr (kDegree > 1) {
      const FloatVec xx = Square(x), yy = Square(y), zz = Square(z);
      basis[4] = hn::Mul(Num(1.09254843059f), hn::Mul(x, y));
      basis[5] = hn::Mul(Num(-1.09254843059f), hn::Mul(y, z));
      basis[6] = hn::Mul(Num(0.31539156525f),
                         hn::Sub(hn::Sub(hn::Add(zz, zz), xx), yy));
      basis[7] = hn::Mul(Num(-1.09254843059f), hn::Mul(x, z));
      basis[8] = hn::Mul(Num(0.54627421530f), hn::Sub(xx, yy));
      if constexpr (kDegree > 2) {
        const FloatVec three = Num(3), four = Num(4);
        const FloatVec rest = hn::Sub(hn::MulSub(four, zz, xx), yy);
        basis[9] = hn::Mul(hn::Mul(Num(-0.59004358993f), y),
                           hn::MulSub(three, xx, yy));
        basis[10] = hn::Mul(Num(2.89061144264f), hn::Mul(x, hn::Mul(y, z)));
        basis[11] = hn::Mul(hn::Mul(Num(-0.45704579946f), y), rest);
        basis[12] =
            hn::Mul(hn::Mul(Num(0.37317633259f), z),
                    hn::NegMulAdd(three, hn::Add(xx, yy), hn::Add(zz, zz)));
        basis[13] = hn::Mul(hn::Mul(Num(-0.45704579946f), x), rest);
        basis[14] = hn::Mul(hn::Mul(Num(1.44530572132f), z), hn::Sub(xx, yy));
        basis[15] = hn::Mul(hn::Mul(Num(-0.59004358993f), x),
                            hn::NegMulAdd(three, yy, xx));
      }
    }
  }
}

// One of the colours before it is cut at zero.
template <int kDegree>
HWY_INLINE FloatVec
ColourOf(const float* block, size_t at, int channel, const FloatVec* basis) {
  FloatVec colour = Num(0.5f);
  for (int j = 0; j < HarmonicsOf(kDegree); ++j) {
    colour = hn::MulAdd(
        basis[j], Row(block, kColourRow + 3 * j + channel, at), colour);
  }
  return colour;
}

// Colours and harmonics, from the derivatives `by_colours` of the three colours
// of a block; adds to the gradient of the mean through the direction in which
// it is seen.
template <int kDegree>
HWY_INLINE void DifferentiateColours(const float* block,
                                     size_t at,
                                     const PinholeView& view,
                                     const float (*by_colours)[kBlock],
                                     float* gradients,
                                     FloatVec by_mean[3]) {
  const FloatTag d;
  const Sight sight = SightOf(block, at, view);
  FloatVec basis[HarmonicsOf(kDegree)];
  HarmonicsAt<kDegree>(sight.direction, basis);
  const FloatVec x = sight.direction[0];
  const FloatVec y = sight.direction[1];
  const FloatVec z = sight.direction[2];
  FloatVec by_direction[3] = {Num(0), Num(0), Num(0)};
  for (int c = 0; c < 3; ++c) {
    const FloatVec raw = ColourOf<kDegree>(block, at, c, basis);
    const FloatVec by_colour = hn::IfThenElseZero(
        hn::Gt(raw, Num(0)), hn::Load(d, by_colours[c] + at));
    for (int j = 0; j < HarmonicsOf(kDegree); ++j) {
      hn::Store(hn::Mul(by_colour, basis[j]),
                d,
                gradients + (kColourRow + 3 * j + c) * kBlock + at);
    }
    // by_direction += by_colour * coefficient * factor * term
    const auto add =
        [&](int axis, int j, float factor, FloatVec term) HWY_ATTR {
          const FloatVec coefficient = Row(block, kColourRow + 3 * j + c, at);
          by_direction[axis] = hn::MulAdd(hn::Mul(by_colour, coefficient),
                                          hn::Mul(Num(factor), term),
                                          by_direction[axis]);
        };
    if constexpr (kDegree > 0) {
      add(1, 1, -0.48860251190f, Num(1));
      add(2, 2, 0.48860251190f, Num(1));
      add(0, 3, -0.48860251190f, Num(1));
    }
    if constexpr (kDegree > 1) {
      constexpr float k = 1.09254843059f;
      add(0, 4, k, y);
      add(1, 4, k, x);
      add(1, 5, -k, z);
      add(2, 5, -k, y);
      add(0, 6, -0.63078313051f, x);
      add(1, 6, -0.63078313051f, y);
      add(2, 6, 1.26156626101f, z);
      add(0, 7, -k, z);
      add(2, 7, -k, x);
      add(0, 8, k, x);
      add(1, 8, -k, y);
    }
    if constexpr (kDegree > 2) {
      const FloatVec xx = Square(x), yy = Square(y), zz = Square(z);
      const FloatVec xy = hn::Mul(x, y), xz = hn::Mul(x, z), yz = hn::Mul(y, z);
      const FloatVec three = Num(3);
      const FloatVec apart = hn::Sub(xx, yy);
      add(0, 9, -0.59004358993f * 6, xy);
      add(1, 9, -0.59004358993f * 3, apart);
      add(0, 10, 2.89061144264f, yz);
      add(1, 10, 2.89061144264f, xz);
      add(2, 10, 2.89061144264f, xy);
      const FloatVec four_zz = hn::Mul(Num(4), zz);
      add(0, 11, 0.45704579946f * 2, xy);
      add(1,
          11,
          -0.45704579946f,
          hn::NegMulAdd(three, yy, hn::Sub(four_zz, xx)));
      add(2, 11, -0.45704579946f * 8, yz);
      add(0, 12, -0.37317633259f * 6, xz);
      add(1, 12, -0.37317633259f * 6, yz);
      add(2, 12, 0.37317633259f * 3, hn::Sub(hn::Add(zz, zz), hn::Add(xx, yy)));
      add(0,
          13,
          -0.45704579946f,
          hn::NegMulAdd(three, xx, hn::Sub(four_zz, yy)));
      add(1, 13, 0.45704579946f * 2, xy);
      add(2, 13, -0.45704579946f * 8, xz);
      add(0, 14, 1.44530572132f * 2, xz);
      add(1, 14, -1.44530572132f * 2, yz);
      add(2, 14, 1.44530572132f, apart);
      add(0, 15, -0.59004358993f * 3, apart);
      add(1, 15, 0.59004358993f * 6, xy);
    }
  }
  // The direction has length 1: only what is across it counts.
  const FloatVec along = Dot(by_direction, sight.direction);
  for (int k = 0; k < 3; ++k) {
    by_mean[k] =
        hn::MulAdd(hn::NegMulAdd(along, sight.direction[k], by_direction[k]),
                   sight.inverse_distance,
                   by_mean[k]);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::splat
HWY_AFTER_NAMESPACE();

#endif  // include guard
