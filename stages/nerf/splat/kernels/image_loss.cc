#include "stages/nerf/splat/kernels/image_loss.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

// The order matters: foreach_target.h reads this file once per SIMD level.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/nerf/splat/kernels/image_loss.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "stages/nerf/splat/kernels/records-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::splat {
namespace HWY_NAMESPACE {

inline constexpr int kRadius = 5;
inline constexpr int kTaps = 2 * kRadius + 1;
inline constexpr float kC1 = 0.01f * 0.01f;
inline constexpr float kC2 = 0.03f * 0.03f;

struct Window {
  float taps[kTaps];

  Window() {
    double sum = 0;
    double values[kTaps];
    for (int k = 0; k < kTaps; ++k) {
      const double x = (k - kRadius) / 1.5;
      values[k] = std::exp(-0.5 * x * x);
      sum += values[k];
    }
    for (int k = 0; k < kTaps; ++k) {
      taps[k] = static_cast<float>(values[k] / sum);
    }
  }
};

// Sums over the columns of a window for every x of row y: `kCount` of them, by
// `f(row, x, sums)` which adds a row of the window. They are left in `columns`,
// kRadius floats behind the begin of a row of `stride`; what is beyond the
// picture stays 0.
template <int kCount, class F>
HWY_INLINE void SumColumns(const Window& window,
                           const Planes& picture,
                           int y,
                           float* columns,
                           size_t stride,
                           const F& add) {
  const int top = std::max(0, y - kRadius);
  const int bottom = std::min(picture.height - 1, y + kRadius);
  for (size_t x = 0; x < picture.stride; x += kLanes) {
    FloatVec sums[kCount];
    for (FloatVec& sum : sums) sum = Num(0);
    for (int row = top; row <= bottom; ++row) {
      add(Num(window.taps[row - y + kRadius]), row * picture.stride + x, sums);
    }
    for (int k = 0; k < kCount; ++k) {
      hn::StoreU(sums[k], FloatTag(), columns + k * stride + kBlock + x);
    }
  }
}

// The other half: along the row.
HWY_INLINE FloatVec SumRow(const Window& window,
                           const float* columns,
                           size_t x) {
  const float* from = columns + kBlock + x - kRadius;
  FloatVec sum = hn::Mul(Num(window.taps[0]), hn::LoadU(FloatTag(), from));
  for (int k = 1; k < kTaps; ++k) {
    sum = hn::MulAdd(Num(window.taps[k]), hn::LoadU(FloatTag(), from + k), sum);
  }
  return sum;
}

// Lanes that are within the picture.
HWY_INLINE hn::Mask<FloatTag> Within(const Planes& picture, size_t x) {
  return hn::FirstN(
      FloatTag(),
      std::min(kLanes, picture.width - std::min<size_t>(x, picture.width)));
}

// Of 1 - SSIM at every pixel of a row by the window's sums of x, x^2 and x y, x
// being the picture; returns the sum over the row.
HWY_INLINE double DissimilarityRow(const Window& window,
                                   const Planes& picture,
                                   const float* x_plane,
                                   const float* y_plane,
                                   int y,
                                   float* columns,
                                   size_t stride,
                                   float* const by_sum[3]) {
  const FloatTag d;
  SumColumns<5>(window,
                picture,
                y,
                columns,
                stride,
                [&](FloatVec tap, size_t at, FloatVec* sums) HWY_ATTR {
                  const FloatVec a = hn::Load(d, x_plane + at);
                  const FloatVec b = hn::Load(d, y_plane + at);
                  const FloatVec ta = hn::Mul(tap, a);
                  const FloatVec tb = hn::Mul(tap, b);
                  sums[0] = hn::Add(sums[0], ta);
                  sums[1] = hn::Add(sums[1], tb);
                  sums[2] = hn::MulAdd(ta, a, sums[2]);
                  sums[3] = hn::MulAdd(tb, b, sums[3]);
                  sums[4] = hn::MulAdd(ta, b, sums[4]);
                });
  FloatVec total = Num(0);
  const FloatVec c1 = Num(kC1), c2 = Num(kC2), two = Num(2), one = Num(1);
  for (size_t x = 0; x < picture.stride; x += kLanes) {
    FloatVec s[5];
    for (int k = 0; k < 5; ++k) s[k] = SumRow(window, columns + k * stride, x);
    const FloatVec aa = hn::Mul(s[0], s[0]);
    const FloatVec bb = hn::Mul(s[1], s[1]);
    const FloatVec ab = hn::Mul(s[0], s[1]);
    const FloatVec means = hn::MulAdd(two, ab, c1);
    const FloatVec spreads = hn::MulAdd(two, hn::Sub(s[4], ab), c2);
    const FloatVec under_means = hn::Div(one, hn::Add(hn::Add(aa, bb), c1));
    const FloatVec under_spreads = hn::Div(
        one, hn::Add(hn::Add(hn::Sub(s[2], aa), hn::Sub(s[3], bb)), c2));
    const FloatVec under = hn::Mul(under_means, under_spreads);
    const FloatVec ssim = hn::Mul(hn::Mul(means, spreads), under);
    const auto within = Within(picture, x);
    total = hn::Add(total, hn::IfThenElseZero(within, hn::Sub(one, ssim)));
    const size_t at = y * picture.stride + x;
    const auto store = [&](FloatVec by, float* plane) HWY_ATTR {
      hn::Store(hn::IfThenElseZero(within, hn::Neg(by)), d, plane + at);
    };
    store(hn::Mul(two,
                  hn::MulSub(hn::Mul(s[1], hn::Sub(spreads, means)),
                             under,
                             hn::Mul(hn::Mul(s[0], ssim),
                                     hn::Sub(under_means, under_spreads)))),
          by_sum[0]);
    store(hn::Neg(hn::Mul(ssim, under_spreads)), by_sum[1]);
    store(hn::Mul(two, hn::Mul(means, under)), by_sum[2]);
  }
  return hn::GetLane(hn::SumOfLanes(d, total));
}

struct RowSums {
  double loss = 0;
  double squared = 0;
};

// The derivative by the pixels of a row of one channel, and its error.
HWY_INLINE RowSums GradientRow(const Window& window,
                               const LossRules& rules,
                               const Planes& picture,
                               int channel,
                               int y,
                               float* columns,
                               size_t stride,
                               const uint8_t* mask,
                               LossPlanes* planes) {
  const FloatTag d;
  const float* by_sum[3];
  for (int k = 0; k < 3; ++k) by_sum[k] = planes->by_sum(k);
  if (rules.dssim > 0) {
    SumColumns<3>(window,
                  picture,
                  y,
                  columns,
                  stride,
                  [&](FloatVec tap, size_t at, FloatVec* sums) HWY_ATTR {
                    for (int k = 0; k < 3; ++k) {
                      sums[k] =
                          hn::MulAdd(tap, hn::Load(d, by_sum[k] + at), sums[k]);
                    }
                  });
  }
  FloatVec loss = Num(0), squared = Num(0);
  for (size_t x = 0; x < picture.stride; x += kLanes) {
    const size_t at = y * picture.stride + x;
    const FloatVec a = hn::Load(d, picture.colour[channel] + at);
    const FloatVec b = hn::Load(d, planes->truth(channel) + at);
    const FloatVec difference = hn::Sub(a, b);
    const FloatVec size = hn::Abs(difference);
    FloatVec gradient = hn::IfThenElseZero(
        hn::Gt(size, Num(1e-6f)), hn::CopySign(Num(rules.l1), difference));
    if (rules.dssim > 0) {
      const FloatVec s0 = SumRow(window, columns, x);
      const FloatVec s1 = SumRow(window, columns + stride, x);
      const FloatVec s2 = SumRow(window, columns + 2 * stride, x);
      gradient =
          hn::MulAdd(Num(rules.dssim),
                     hn::MulAdd(b, s2, hn::MulAdd(hn::Add(a, a), s1, s0)),
                     gradient);
    }
    auto counts = Within(picture, x);
    if (mask != nullptr) {
      HWY_ALIGN float weights[kLanes];
      for (size_t i = 0; i < kLanes; ++i) {
        weights[i] =
            x + i < static_cast<size_t>(picture.width) ? mask[x + i] : 0;
      }
      counts = hn::And(counts, hn::Gt(hn::Load(d, weights), Num(0)));
    }
    hn::Store(hn::IfThenElseZero(counts, gradient),
              d,
              planes->gradient(channel) + at);
    const FloatVec error = hn::IfThenElseZero(counts, size);
    float* errors = planes->error() + at;
    hn::Store(
        channel == 0 ? error : hn::Add(error, hn::Load(d, errors)), d, errors);
    loss = hn::Add(loss, error);
    squared = hn::MulAdd(error, error, squared);
  }
  return {rules.l1 * hn::GetLane(hn::SumOfLanes(d, loss)),
          hn::GetLane(hn::SumOfLanes(d, squared))};
}

// A row of the photo as floats, over its background. What the mask leaves out
// is what the picture shows already.
HWY_INLINE void TruthRow(const Planes& picture,
                         const PhotoPart& photo,
                         int y,
                         LossPlanes* planes) {
  const uint8_t* pixel = photo.pixels + y * photo.row_bytes;
  const size_t first = y * picture.stride;
  float* rows[3];
  for (int c = 0; c < 3; ++c) rows[c] = planes->truth(c) + first;
  const size_t width = picture.width;
  if (photo.channels == 3) {
    for (size_t x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) rows[c][x] = pixel[3 * x + c] * (1 / 255.0f);
    }
  } else {
    for (size_t x = 0; x < width; ++x) {
      const float alpha = pixel[4 * x + 3] * (1 / 255.0f);
      for (int c = 0; c < 3; ++c) {
        rows[c][x] = pixel[4 * x + c] * (1 / 255.0f) * alpha +
                     (1 - alpha) * photo.background[c];
      }
    }
  }
  for (int c = 0; c < 3; ++c) {
    std::fill(rows[c] + width, rows[c] + picture.stride, 0.0f);
    // Also of the picture: a window must not see what is beyond.
    std::fill(picture.colour[c] + first + width,
              picture.colour[c] + first + picture.stride,
              0.0f);
  }
  if (photo.mask == nullptr) return;
  const uint8_t* mask = photo.mask + y * photo.mask_row_bytes;
  for (int c = 0; c < 3; ++c) {
    for (size_t x = 0; x < width; ++x) {
      if (mask[x] == 0) rows[c][x] = picture.colour[c][first + x];
    }
  }
}

LossSums ComputeLossT(const LossRules& rules,
                      const Planes& picture,
                      const PhotoPart& photo,
                      int threads,
                      LossPlanes* planes) {
  const Window window;
  const int height = picture.height;
  // Sums by channel and row, so that their order is always the same.
  std::vector<RowSums> sums(3 * static_cast<size_t>(height));
  const size_t stride = picture.stride + 2 * kBlock;
#pragma omp parallel num_threads(threads)
  {
    std::vector<float> columns(5 * stride);
#pragma omp for schedule(static)
    for (int y = 0; y < height; ++y) TruthRow(picture, photo, y, planes);
    for (int c = 0; c < 3; ++c) {
      RowSums* const of_rows = sums.data() + static_cast<size_t>(c) * height;
      if (rules.dssim > 0) {
        float* const by_sum[3] = {
            planes->by_sum(0), planes->by_sum(1), planes->by_sum(2)};
#pragma omp for schedule(static)
        for (int y = 0; y < height; ++y) {
          of_rows[y].loss = rules.dssim * DissimilarityRow(window,
                                                           picture,
                                                           picture.colour[c],
                                                           planes->truth(c),
                                                           y,
                                                           columns.data(),
                                                           stride,
                                                           by_sum);
        }
      }
#pragma omp for schedule(static)
      for (int y = 0; y < height; ++y) {
        const RowSums row = GradientRow(
            window,
            rules,
            picture,
            c,
            y,
            columns.data(),
            stride,
            photo.mask == nullptr ? nullptr
                                  : photo.mask + y * photo.mask_row_bytes,
            planes);
        of_rows[y].loss += row.loss;
        of_rows[y].squared = row.squared;
      }
    }
  }
  // The rows that only fill up the last tiles.
  const size_t end = static_cast<size_t>(TilesAlong(height)) * kTileSide;
  const size_t used = height * picture.stride;
  for (int c = 0; c < 3; ++c) {
    std::fill(planes->gradient(c) + used,
              planes->gradient(c) + end * picture.stride,
              0.0f);
  }
  std::fill(
      planes->error() + used, planes->error() + end * picture.stride, 0.0f);
  RowSums all;
  for (const RowSums& row : sums) {
    all.loss += row.loss;
    all.squared += row.squared;
  }
  const double count = 3.0 * picture.width * height;
  return {all.loss / count, all.squared / count};
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::splat
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::nerf::splat {
namespace {
HWY_EXPORT(ComputeLossT);
}  // namespace

void LossPlanes::Reserve(const Planes& picture) {
  size_ = picture.stride * TilesAlong(picture.height) * kTileSide;
  memory_.Reserve(size_ * 10);
}

LossSums ComputeLoss(const LossRules& rules,
                     const Planes& picture,
                     const PhotoPart& photo,
                     int threads,
                     LossPlanes* planes) {
  planes->Reserve(picture);
  return HWY_DYNAMIC_DISPATCH(ComputeLossT)(
      rules, picture, photo, threads, planes);
}

}  // namespace nerfpipe::nerf::splat
#endif  // HWY_ONCE
