#include "stages/stereo/patch_match.h"

#include "pipeline/base/random.h"

#include <algorithm>
#include <cmath>

// The order matters: foreach_target.h reads this file once per SIMD level.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/stereo/patch_match.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::stereo {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr int kTaps = 16;  // 4 x 4 places of a patch
using FloatTag = hn::CappedTag<float, kTaps>;
using FloatVec = hn::Vec<FloatTag>;
inline constexpr size_t kLanes = hn::MaxLanes(FloatTag());
inline constexpr size_t kParts = kTaps / kLanes;
inline constexpr float kFlat = 2;  // variance that is noise, of 255 greys
inline constexpr int kMostNeighbours = 8;

HWY_INLINE FloatVec Num(float value) { return hn::Set(FloatTag(), value); }

struct Patch {
  FloatVec part[kParts];
};

HWY_INLINE float Mean(const Patch& patch) {
  FloatVec sum = patch.part[0];
  for (size_t i = 1; i < kParts; ++i) sum = hn::Add(sum, patch.part[i]);
  return hn::GetLane(hn::SumOfLanes(FloatTag(), sum)) / kTaps;
}

HWY_INLINE float MeanProduct(const Patch& a, const Patch& b) {
  FloatVec sum = hn::Mul(a.part[0], b.part[0]);
  for (size_t i = 1; i < kParts; ++i) {
    sum = hn::MulAdd(a.part[i], b.part[i], sum);
  }
  return hn::GetLane(hn::SumOfLanes(FloatTag(), sum)) / kTaps;
}

HWY_INLINE void Centre(Patch* patch) {
  const FloatVec mean = Num(Mean(*patch));
  for (FloatVec& part : patch->part) part = hn::Sub(part, mean);
}

// Bilinear, at places within the picture; false when one is not.
HWY_INLINE bool Sample(const View& view,
                       const Patch& x,
                       const Patch& y,
                       Patch* grey) {
  const FloatTag d;
  const hn::RebindToSigned<FloatTag> di;
  const hn::RebindToUnsigned<FloatTag> du;
  const uint32_t* first = view.corners.data();
  for (size_t i = 0; i < kParts; ++i) {
    const FloatVec u = hn::Sub(x.part[i], Num(0.5f));
    const FloatVec v = hn::Sub(y.part[i], Num(0.5f));
    const auto inside = hn::And(
        hn::And(hn::Ge(u, Num(0)),
                hn::Lt(u, Num(static_cast<float>(view.width) - 1.001f))),
        hn::And(hn::Ge(v, Num(0)),
                hn::Lt(v, Num(static_cast<float>(view.height) - 1.001f))));
    if (!hn::AllTrue(d, inside)) return false;
    const auto column = hn::ConvertTo(di, u);
    const auto row = hn::ConvertTo(di, v);
    const FloatVec right = hn::Sub(u, hn::ConvertTo(d, column));
    const FloatVec down = hn::Sub(v, hn::ConvertTo(d, row));
    const auto at = hn::Add(hn::Mul(row, hn::Set(di, view.width)), column);
    const auto corners = hn::GatherIndex(du, first, at);
    const auto grey_of = [&](auto byte) HWY_ATTR {
      return hn::ConvertTo(d, hn::BitCast(di, byte));
    };
    const auto low = hn::Set(du, 0xff);
    const FloatVec g00 = grey_of(hn::And(corners, low));
    const FloatVec g01 = grey_of(hn::And(hn::ShiftRight<8>(corners), low));
    const FloatVec g10 = grey_of(hn::And(hn::ShiftRight<16>(corners), low));
    const FloatVec g11 = grey_of(hn::ShiftRight<24>(corners));
    const FloatVec top = hn::MulAdd(right, hn::Sub(g01, g00), g00);
    const FloatVec bottom = hn::MulAdd(right, hn::Sub(g11, g10), g10);
    grey->part[i] = hn::MulAdd(down, hn::Sub(bottom, top), top);
  }
  return true;
}

// From pixels of one view to another one: the other's camera coordinates are
// depth * (matrix (x, y, 1)) + shift.
struct Passage {
  const View* other;
  float matrix[9];
  float shift[3];

  Passage(const View& from, const View& to) : other(&to) {
    float turn[9];
    for (int r = 0; r < 3; ++r) {
      shift[r] = to.translation[r];
      for (int c = 0; c < 3; ++c) {
        turn[3 * r + c] = 0;
        for (int k = 0; k < 3; ++k) {
          turn[3 * r + c] += to.rotation[3 * r + k] * from.rotation[3 * c + k];
        }
        shift[r] -= turn[3 * r + c] * from.translation[c];
      }
      matrix[3 * r] = turn[3 * r] / from.fx;
      matrix[3 * r + 1] = turn[3 * r + 1] / from.fy;
      matrix[3 * r + 2] = turn[3 * r + 2] - turn[3 * r] * from.cx / from.fx -
                          turn[3 * r + 1] * from.cy / from.fy;
    }
  }
};

// A patch of the view itself.
struct Template {
  Patch x, y;     // of its places
  Patch centred;  // grey less its mean
  float variance;
};

// How alike the patch is to that of another view if it lies at `depth` and
// faces the camera, -1 to 1.
HWY_INLINE float Correlation(const Template& own,
                             const Passage& passage,
                             float depth) {
  const View& view = *passage.other;
  const float* m = passage.matrix;
  Patch x, y, grey;
  for (size_t i = 0; i < kParts; ++i) {
    const auto row = [&](int r) HWY_ATTR {
      const FloatVec ray = hn::MulAdd(
          Num(m[3 * r]),
          own.x.part[i],
          hn::MulAdd(Num(m[3 * r + 1]), own.y.part[i], Num(m[3 * r + 2])));
      return hn::MulAdd(ray, Num(depth), Num(passage.shift[r]));
    };
    const FloatVec inverse =
        hn::Div(Num(1), hn::Max(row(2), Num(1e-6f * depth)));
    x.part[i] =
        hn::MulAdd(hn::Mul(row(0), inverse), Num(view.fx), Num(view.cx));
    y.part[i] =
        hn::MulAdd(hn::Mul(row(1), inverse), Num(view.fy), Num(view.cy));
  }
  if (!Sample(view, x, y, &grey)) return -1;
  Centre(&grey);
  const float variance = MeanProduct(grey, grey);
  return MeanProduct(own.centred, grey) /
         std::sqrt((own.variance + kFlat) * (variance + kFlat));
}

class Matcher {
 public:
  Matcher(const std::vector<View>& views,
          int index,
          const std::vector<int>& neighbours,
          const PatchMatchRules& rules,
          uint64_t seed)
      : view_(views[index]), rules_(rules), random_(seed) {
    map_.step = rules.step;
    map_.width = view_.width / rules.step;
    map_.height = view_.height / rules.step;
    const size_t cells =
        static_cast<size_t>(map_.width) * static_cast<size_t>(map_.height);
    map_.inverse_depth.assign(cells, 0);
    map_.score.assign(cells, -2);
    map_.agreeing.assign(cells, 0);
    for (size_t k = 0; k < neighbours.size() && k < kMostNeighbours; ++k) {
      passages_.emplace_back(view_, views[neighbours[k]]);
    }
    Bucket();
  }

  DepthMap Run() {
    if (passages_.empty() || map_.size() == 0) return std::move(map_);
    for (int sweep = 0; sweep <= rules_.sweeps; ++sweep) {
      for (size_t k = 0; k < map_.size(); ++k) {
        const size_t cell = sweep % 2 == 0 ? k : map_.size() - 1 - k;
        const Template own = TemplateAt(cell);
        if (sweep == 0) {
          Guess(cell, own);
        } else {
          Improve(cell, own, sweep);
        }
      }
    }
    return std::move(map_);
  }

 private:
  // The known depths by squares of the picture, to find those near a cell.
  void Bucket() {
    side_ = std::max(16, view_.width / 12);
    columns_ = view_.width / side_ + 1;
    rows_ = view_.height / side_ + 1;
    buckets_.resize(static_cast<size_t>(columns_) * rows_);
    if (std::ssize(view_.sparse) < rules_.few_points) return;
    for (const SparseDepth& known : view_.sparse) {
      const int column =
          std::clamp(static_cast<int>(known.x) / side_, 0, columns_ - 1);
      const int row =
          std::clamp(static_cast<int>(known.y) / side_, 0, rows_ - 1);
      buckets_[static_cast<size_t>(row) * columns_ + column].push_back(&known);
    }
  }

  // At most six, nearest first, from squares around; wider when there are few.
  std::vector<const SparseDepth*> KnownNear(float x, float y) const {
    constexpr size_t kEnough = 6;
    const int column = std::min(columns_ - 1, static_cast<int>(x) / side_);
    const int row = std::min(rows_ - 1, static_cast<int>(y) / side_);
    std::vector<const SparseDepth*> near;
    for (int reach = 1; reach <= 3 && near.size() < kEnough; ++reach) {
      near.clear();
      for (int r = std::max(0, row - reach);
           r <= std::min(rows_ - 1, row + reach);
           ++r) {
        for (int c = std::max(0, column - reach);
             c <= std::min(columns_ - 1, column + reach);
             ++c) {
          const auto& bucket = buckets_[static_cast<size_t>(r) * columns_ + c];
          near.insert(near.end(), bucket.begin(), bucket.end());
        }
      }
    }
    const auto distance = [&](const SparseDepth* known) {
      const float dx = known->x - x, dy = known->y - y;
      return dx * dx + dy * dy;
    };
    const size_t kept = std::min(kEnough, near.size());
    std::partial_sort(near.begin(),
                      near.begin() + static_cast<int64_t>(kept),
                      near.end(),
                      [&](const auto* a, const auto* b) {
                        return distance(a) < distance(b);
                      });
    near.resize(kept);
    return near;
  }

  Template TemplateAt(size_t cell) const {
    const float x = map_.x(cell), y = map_.y(cell);
    HWY_ALIGN float xs[kTaps];
    HWY_ALIGN float ys[kTaps];
    for (int i = 0; i < kTaps; ++i) {
      // At the border of the picture its places move in.
      xs[i] =
          std::clamp(x + (static_cast<float>(i % 4) - 1.5f) * rules_.spacing,
                     0.5f,
                     static_cast<float>(view_.width) - 1.6f);
      ys[i] =
          std::clamp(y + (static_cast<float>(i / 4) - 1.5f) * rules_.spacing,
                     0.5f,
                     static_cast<float>(view_.height) - 1.6f);
    }
    Template own;
    for (size_t i = 0; i < kParts; ++i) {
      own.x.part[i] = hn::Load(FloatTag(), xs + i * kLanes);
      own.y.part[i] = hn::Load(FloatTag(), ys + i * kLanes);
      own.centred.part[i] = Num(0);
    }
    Sample(view_, own.x, own.y, &own.centred);
    Centre(&own.centred);
    own.variance = MeanProduct(own.centred, own.centred);
    return own;
  }

  // The mean of the two best neighbours: in the others something may stand
  // before it.
  float ScoreOf(const Template& own, float inverse_depth) const {
    float best = -1, second = -1;
    for (const Passage& passage : passages_) {
      const float score = Correlation(own, passage, 1 / inverse_depth);
      if (score > best) {
        second = best;
        best = score;
      } else {
        second = std::max(second, score);
      }
    }
    return passages_.size() == 1 ? best : 0.5f * (best + second);
  }

  void Try(size_t cell, const Template& own, float inverse_depth) {
    if (inverse_depth < 0.3f * view_.least_inverse_depth ||
        inverse_depth > 1.5f * view_.most_inverse_depth) {
      return;
    }
    const float score = ScoreOf(own, inverse_depth);
    if (score > map_.score[cell]) {
      map_.score[cell] = score;
      map_.inverse_depth[cell] = inverse_depth;
    }
  }

  float AnyInverseDepth() {
    return static_cast<float>(
        random_.Uniform(view_.least_inverse_depth, view_.most_inverse_depth));
  }

  void Guess(size_t cell, const Template& own) {
    const auto near = KnownNear(map_.x(cell), map_.y(cell));
    for (const SparseDepth* known : near) Try(cell, own, 1 / known->depth);
    for (int k = 0; k < 4; ++k) Try(cell, own, AnyInverseDepth());
    // Where nothing can be compared, what is next to it is the best guess.
    if (!near.empty() && map_.score[cell] <= -1) {
      map_.inverse_depth[cell] = 1 / near.front()->depth;
    }
  }

  void Improve(size_t cell, const Template& own, int sweep) {
    constexpr int kAround[8][2] = {
        {-1, 0}, {0, -1}, {1, 0}, {0, 1}, {-3, 0}, {3, 0}, {0, -3}, {0, 3}};
    const int x = static_cast<int>(cell % map_.width);
    const int y = static_cast<int>(cell / map_.width);
    for (const auto& [dx, dy] : kAround) {
      if (x + dx < 0 || y + dy < 0 || x + dx >= map_.width ||
          y + dy >= map_.height) {
        continue;
      }
      const float theirs =
          map_.inverse_depth[static_cast<size_t>(y + dy) * map_.width + x + dx];
      const float own_depth = map_.inverse_depth[cell];
      if (theirs > 0 && std::abs(theirs - own_depth) > 1e-4f * own_depth) {
        Try(cell, own, theirs);
      }
    }
    const float reach = 0.1f * std::pow(0.4f, static_cast<float>(sweep - 1));
    for (const float by : {reach, 0.3f * reach}) {
      Try(cell,
          own,
          map_.inverse_depth[cell] *
              (1 + by * static_cast<float>(random_.Uniform(-1, 1))));
    }
    if (sweep < 3) Try(cell, own, AnyInverseDepth());
  }

  const View& view_;
  PatchMatchRules rules_;
  Random random_;
  DepthMap map_;
  std::vector<Passage> passages_;
  int side_ = 0, columns_ = 0, rows_ = 0;
  std::vector<std::vector<const SparseDepth*>> buckets_;
};

DepthMap MatchPatchesT(const std::vector<View>& views,
                       int index,
                       const std::vector<int>& neighbours,
                       const PatchMatchRules& rules,
                       uint64_t seed) {
  return Matcher(views, index, neighbours, rules, seed).Run();
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::stereo
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::stereo {
namespace {
HWY_EXPORT(MatchPatchesT);
}  // namespace

DepthMap MatchPatches(const std::vector<View>& views,
                      int index,
                      const std::vector<int>& neighbours,
                      const PatchMatchRules& rules,
                      uint64_t seed) {
  return HWY_DYNAMIC_DISPATCH(MatchPatchesT)(
      views, index, neighbours, rules, seed);
}

}  // namespace nerfpipe::stereo
#endif  // HWY_ONCE
