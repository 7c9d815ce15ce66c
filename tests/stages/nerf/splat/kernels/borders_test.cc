// The kernels of splats at sizes that fit no tile, block or vector, in memory
// that ends where it is said to end: the sanitizers see what is beyond. A
// picture is put together from parts cut out of it, at all of whose borders
// gaussians lie.

#include "stages/nerf/splat/kernels/splat_kernels.h"
#include "stages/nerf/splat/kernels/survey.h"
#include "tests/stages/nerf/kernels/simd_levels.h"

#include <array>
#include <cmath>
#include <cstring>
#include <new>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe::nerf::splat {
namespace {

using kernels::AtEverySimdLevel;

// Aligned as the kernels ask for it, and no byte longer than asked for.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{64};

  AlignedAllocator() = default;
  template <class U>
  explicit AlignedAllocator(const AlignedAllocator<U>&) {}
  T* allocate(size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), kAlignment));
  }
  void deallocate(T* memory, size_t) { ::operator delete(memory, kAlignment); }
  bool operator==(const AlignedAllocator&) const { return true; }
};
template <class T>
using Aligned = std::vector<T, AlignedAllocator<T>>;

PinholeView ViewOfSize(int width, int height) {
  PinholeView view;
  const float c = std::cos(0.3f), s = std::sin(0.3f);
  view.rotation = {c, 0, s, 0, 1, 0, -s, 0, c};
  view.translation = {0.2f, -0.1f, 0.4f};
  for (int k = 0; k < 3; ++k) {
    view.centre[k] = 0;
    for (int r = 0; r < 3; ++r) {
      view.centre[k] -= view.rotation[3 * r + k] * view.translation[r];
    }
  }
  view.fx = 47;
  view.fy = 39;
  view.cx = 0.45f * static_cast<float>(width);
  view.cy = 0.55f * static_cast<float>(height);
  view.width = width;
  view.height = height;
  view.near = 0.3f;
  SetTangentLimits(&view);
  return view;
}

// Gaussians before the camera, some beyond every border and one behind it, and
// a photo. What fills up the last block is no number.
struct Scene {
  Scene(size_t count, int degree_, int width, int height, int channels)
      : degree(degree_), view(ViewOfSize(width, height)) {
    gaussians.count = count;
    gaussians.rows = RowsOf(degree);
    values.assign(numbers(), NAN);
    smoothing.assign(gaussians.blocks() * kBlock, NAN);
    errors.assign(gaussians.blocks() * kBlock, 0);
    first.assign(numbers(), 0);
    second.assign(numbers(), 0);
    gaussians.values = values.data();
    gaussians.smoothing = smoothing.data();
    std::mt19937 random(3);
    std::normal_distribution<float> normal(0, 1);
    std::uniform_real_distribution<float> uniform(0, 1);
    for (size_t i = 0; i < count; ++i) {
      const float depth = i == 5 ? -1.0f : 1 + 2 * uniform(random);
      const auto across = [&](int side) {
        return (1.4f * uniform(random) - 0.2f) * static_cast<float>(side);
      };
      const float camera[3] = {depth * (across(width) - view.cx) / view.fx,
                               depth * (across(height) - view.cy) / view.fy,
                               depth};
      for (int k = 0; k < 3; ++k) {
        gaussians.at(i, kMeanRow + k) = view.centre[k];
        for (int r = 0; r < 3; ++r) {
          gaussians.at(i, kMeanRow + k) += view.rotation[3 * r + k] * camera[r];
        }
        gaussians.at(i, kScaleRow + k) = -2 + 0.7f * normal(random);
      }
      for (int row = kRotationRow; row < gaussians.rows; ++row) {
        gaussians.at(i, row) = 0.8f * normal(random);
      }
      smoothing[i] = 1e-3f * uniform(random);
    }
    rules.background = {0.2f, 0.6f, 0.4f};
    rules.stop_transmittance = 0;
    photo.channels = channels;
    photo.row_bytes = static_cast<size_t>(width) * channels;
    photo.background = {0.8f, 0.1f, 0.3f};
    for (size_t i = 0; i < photo.row_bytes * height; ++i) {
      pixels.push_back(static_cast<uint8_t>(random() >> 24));
    }
    for (int i = 0; i < width * height; ++i) {
      mask.push_back(random() % 4 == 0 ? 0 : 255);
    }
    photo.pixels = pixels.data();
    photo.mask = mask.data();
    photo.mask_row_bytes = static_cast<size_t>(width);
  }
  Scene(const Scene&) = delete;

  size_t numbers() const {
    return gaussians.blocks() * kBlock * gaussians.rows;
  }
  PhotoPart PhotoFrom(int x, int y) const {
    PhotoPart part = photo;
    part.pixels +=
        y * photo.row_bytes + static_cast<size_t>(x) * photo.channels;
    part.mask += y * photo.mask_row_bytes + x;
    return part;
  }

  int degree;
  PinholeView view;
  Gaussians gaussians;
  Aligned<float> values, smoothing, errors;
  Aligned<uint16_t> first, second;
  RasterRules rules;
  std::vector<uint8_t> pixels, mask;
  PhotoPart photo;
};

struct Part {
  int x, y, width, height;
};

// Cuts at places that are in no tile's corner, and a pixel by itself.
std::vector<Part> PartsOf(const PinholeView& view) {
  const auto cuts = [](int side) {
    std::vector<int> at = {0};
    for (const int cut : {1, 12, 29}) {
      if (cut < side) at.push_back(cut);
    }
    at.push_back(side);
    return at;
  };
  const std::vector<int> xs = cuts(view.width), ys = cuts(view.height);
  std::vector<Part> parts;
  for (size_t j = 0; j + 1 < ys.size(); ++j) {
    for (size_t i = 0; i + 1 < xs.size(); ++i) {
      parts.push_back({xs[i], ys[j], xs[i + 1] - xs[i], ys[j + 1] - ys[j]});
    }
  }
  return parts;
}

// Everything that one look at the scene says.
struct Found {
  // By pixel: three colours, depth, opacity.
  std::vector<std::array<float, 5>> picture;
  double loss = 0;  // sum over pixels and channels
  double squared = 0;
  Aligned<float> gradients, errors;
};

void Look(SplatKernels& kernels,
          const Scene& scene,
          const Part& part,
          const LossRules& rules,
          Found* found) {
  const Planes& picture = kernels.Rasterise(
      scene.gaussians,
      Cropped(scene.view, part.x, part.y, part.width, part.height),
      scene.degree,
      scene.rules,
      /*with_depth=*/true);
  found->picture.resize(static_cast<size_t>(scene.view.width) *
                        scene.view.height);
  for (int y = 0; y < part.height; ++y) {
    for (int x = 0; x < part.width; ++x) {
      const size_t at = y * picture.stride + x;
      found->picture[static_cast<size_t>(part.y + y) * scene.view.width +
                     part.x + x] = {picture.colour[0][at],
                                    picture.colour[1][at],
                                    picture.colour[2][at],
                                    picture.depth[at],
                                    picture.opacity[at]};
    }
  }
  const LossSums sums = kernels.Compare(rules, scene.PhotoFrom(part.x, part.y));
  found->loss += sums.loss * 3 * part.width * part.height;
  found->squared += sums.squared_error * 3 * part.width * part.height;
  kernels.Differentiate();
  Aligned<float> gradients(scene.numbers());
  found->gradients.resize(scene.numbers());
  found->errors.resize(scene.errors.size());
  kernels.ParameterGradients(found->errors.data(), gradients.data());
  for (size_t i = 0; i < gradients.size(); ++i) {
    found->gradients[i] += gradients[i];
  }
}

// Without a window, loss and gradients of a picture are the sums of its parts'.
void CheckParts(const Scene& scene, int threads) {
  const LossRules rules = {0.7f, 0};
  Found whole, parts;
  SplatKernels kernels(threads);
  const Part all = {0, 0, scene.view.width, scene.view.height};
  Look(kernels, scene, all, rules, &whole);
  for (const Part& part : PartsOf(scene.view)) {
    Look(kernels, scene, part, rules, &parts);
  }
  float opacity = 0;
  for (size_t i = 0; i < whole.picture.size(); ++i) {
    for (int k = 0; k < 5; ++k) {
      ASSERT_NEAR(parts.picture[i][k], whole.picture[i][k], 1e-4) << i;
    }
    opacity += whole.picture[i][4];
  }
  EXPECT_GT(opacity, 0);
  EXPECT_GT(whole.loss, 0);
  EXPECT_NEAR(parts.loss, whole.loss, 1e-4 * whole.loss);
  EXPECT_NEAR(parts.squared, whole.squared, 1e-4 * whole.squared);
  double most = 0;
  for (size_t i = 0; i < scene.gaussians.count; ++i) {
    for (int row = 0; row < scene.gaussians.rows; ++row) {
      const size_t at =
          (i / kBlock * scene.gaussians.rows + row) * kBlock + i % kBlock;
      const double expected = whole.gradients[at];
      ASSERT_NEAR(
          parts.gradients[at], expected, 2e-3 * std::abs(expected) + 2e-2)
          << i << " " << row;
      most = std::max(most, std::abs(expected));
    }
    EXPECT_NEAR(parts.errors[i], whole.errors[i], 1e-3 * whole.errors[i] + 1e-3)
        << i;
  }
  EXPECT_GT(most, 1);
}

TEST(SplatBordersTest, PartsAddUpToTheWhole) {
  AtEverySimdLevel([] {
    CheckParts(Scene(77, 3, 45, 37, 3), 1);
    CheckParts(Scene(16, 0, 33, 16, 4), 2);
    CheckParts(Scene(15, 1, 16, 1, 3), 3);
    CheckParts(Scene(17, 2, 1, 50, 4), 3);
  });
}

TEST(SplatBordersTest, WithoutGaussiansThereIsTheBackground) {
  AtEverySimdLevel([] {
    const Scene scene(0, 2, 19, 5, 3);
    Found found;
    SplatKernels kernels(2);
    Look(kernels, scene, {0, 0, 19, 5}, {}, &found);
    for (const auto& pixel : found.picture) {
      EXPECT_EQ(pixel, (std::array<float, 5>{0.2f, 0.6f, 0.4f, 0, 0}));
    }
    EXPECT_EQ(kernels.visible(), 0);
    EXPECT_EQ(kernels.entries(), 0);
  });
}

// Steps of all that has a size, with windows that reach beyond the picture:
// what is a number stays one, and what nobody has is not touched.
TEST(SplatBordersTest, StepsKeepToWhatIsThere) {
  AtEverySimdLevel([] {
    for (const auto& [count, width, height] : std::vector<std::array<int, 3>>{
             {1, 1, 1}, {0, 7, 3}, {31, 3, 40}, {64, 17, 15}, {533, 50, 9}}) {
      Scene scene(count, 3, width, height, 3);
      UpdateRules rules;
      rules.mean = rules.scale = rules.rotation = 1e-2f;
      rules.opacity = rules.colour = rules.harmonics = 1e-2f;
      rules.noise = 10;
      rules.opacity_penalty = rules.scale_penalty = 0.1f;
      SplatKernels kernels(2);
      const Aligned<float> before = scene.values;
      size_t moved = 0;
      for (int step = 0; step < 3; ++step) {
        // The degree grows as it does in training.
        kernels.Rasterise(scene.gaussians, scene.view, step, scene.rules);
        kernels.Compare({}, scene.photo);
        kernels.Differentiate();
        kernels.Update(rules,
                       {scene.first.data(), scene.second.data()},
                       scene.errors.data());
      }
      for (size_t i = 0; i < scene.gaussians.blocks() * kBlock; ++i) {
        const size_t at =
            i / kBlock * scene.gaussians.rows * kBlock + i % kBlock;
        if (i >= scene.gaussians.count) {
          ASSERT_TRUE(std::isnan(scene.values[at])) << i;
          ASSERT_EQ(scene.first[at], 0) << i;
          continue;
        }
        for (int row = 0; row < scene.gaussians.rows; ++row) {
          ASSERT_TRUE(std::isfinite(scene.gaussians.at(i, row))) << i;
        }
        moved += scene.values[at] != before[at];
      }
      EXPECT_EQ(moved > 0, count > 0) << count;
    }
  });
}

TEST(SplatBordersTest, SurveysLookAtNoMoreThanThereIs) {
  AtEverySimdLevel([] {
    for (const size_t count : {0, 1, 16, 77}) {
      Scene scene(count, 0, 45, 37, 3);
      MeasureSmoothing(scene.gaussians,
                       {scene.view, Cropped(scene.view, 3, 4, 1, 1)},
                       3,
                       scene.smoothing.data());
      // The last cells are at the border of what was seen.
      const Aligned<float> known(11 * 9, 1 / 5.0f);
      const std::vector<KnownSurface> surfaces(
          4, {scene.view, 4, 11, 9, known.data()});
      Aligned<uint8_t> floats(count);
      FindFloaters(scene.gaussians, surfaces, {}, 3, floats.data());
      size_t floating = 0;
      for (size_t i = 0; i < count; ++i) {
        EXPECT_GE(scene.smoothing[i], 0);
        EXPECT_LT(scene.smoothing[i], 0.2 * 9 / (39 * 39.0));
        floating += floats[i];
      }
      // All before the camera are nearer than 5; beyond the picture nothing is
      // known.
      EXPECT_EQ(floating > 0, count > 1) << count;
      EXPECT_LT(floating, count + 1);
    }
  });
}

}  // namespace
}  // namespace nerfpipe::nerf::splat
