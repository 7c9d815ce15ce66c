// The kernels of splats against plain LibTorch operations in double precision
// and autograd.

#include "stages/nerf/splat/kernels/splat_kernels.h"

#include "tests/stages/nerf/kernels/simd_levels.h"
#include "tests/stages/nerf/splat/plain_splats.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

namespace nerfpipe::nerf::splat {
namespace {

using kernels::AtEverySimdLevel;

// Neither side is a multiple of a tile or a block, the middle is off, and x and
// y differ.
PinholeView OddView() {
  PinholeView view;
  // A turn about (1, 2, 3) by 0.7.
  const float n = std::sqrt(14.0f);
  const float x = 1 / n, y = 2 / n, z = 3 / n;
  const float c = std::cos(0.7f), s = std::sin(0.7f);
  view.rotation = {c + x * x * (1 - c),
                   x * y * (1 - c) - z * s,
                   x * z * (1 - c) + y * s,
                   y * x * (1 - c) + z * s,
                   c + y * y * (1 - c),
                   y * z * (1 - c) - x * s,
                   z * x * (1 - c) - y * s,
                   z * y * (1 - c) + x * s,
                   c + z * z * (1 - c)};
  view.centre = {0.3f, -0.2f, -2.4f};
  for (int r = 0; r < 3; ++r) {
    view.translation[r] = 0;
    for (int k = 0; k < 3; ++k) {
      view.translation[r] -= view.rotation[3 * r + k] * view.centre[k];
    }
  }
  view.fx = 51;
  view.fy = 43;
  view.cx = 20.3f;
  view.cy = 21.9f;
  view.width = 45;
  view.height = 37;
  view.near = 0.5f;
  SetTangentLimits(&view);
  return view;
}

// Gaussians in the view and round it, in one memory for both forms.
struct Scene {
  explicit Scene(int degree_, size_t count = 77)
      : degree(degree_), view(OddView()) {
    gaussians.count = count;
    gaussians.rows = RowsOf(degree);
    values.Reserve(gaussians.blocks() * kBlock * gaussians.rows);
    smoothing.Reserve(gaussians.blocks() * kBlock);
    gaussians.values = values.data();
    gaussians.smoothing = smoothing.data();
    std::mt19937 random(5);
    std::normal_distribution<float> normal(0, 1);
    std::uniform_real_distribution<float> uniform(0, 1);
    for (size_t i = 0; i < count; ++i) {
      // In the picture, up to a little beyond it, and one behind the camera.
      const float depth = i == 7 ? -1.0f : 1.5f + 2 * uniform(random);
      const float camera[3] = {
          depth * ((1.3f * uniform(random) - 0.15f) * view.width - view.cx) /
              view.fx,
          depth * ((1.3f * uniform(random) - 0.15f) * view.height - view.cy) /
              view.fy,
          depth};
      for (int k = 0; k < 3; ++k) {
        float& mean = gaussians.at(i, kMeanRow + k);
        mean = view.centre[k];
        for (int r = 0; r < 3; ++r) {
          mean += view.rotation[3 * r + k] * camera[r];
        }
        gaussians.at(i, kScaleRow + k) = -2.2f + 0.6f * normal(random);
      }
      for (int k = 0; k < 4; ++k) {
        gaussians.at(i, kRotationRow + k) = normal(random);
      }
      gaussians.at(i, kOpacityRow) = 1.5f * normal(random);
      for (int row = kColourRow; row < gaussians.rows; ++row) {
        gaussians.at(i, row) =
            (row < kColourRow + 3 ? 1.0f : 0.4f) * normal(random);
      }
      smoothing[i] = 1e-4f + 1e-3f * uniform(random);
    }
    rules.background = {0.2f, 0.7f, 0.4f};
    rules.stop_transmittance = 0;
  }

  torch::Tensor Rows(int first, int count) const {
    const torch::Tensor rows = torch::empty(
        {static_cast<int64_t>(gaussians.count), count}, torch::kDouble);
    for (size_t i = 0; i < gaussians.count; ++i) {
      for (int k = 0; k < count; ++k) {
        rows[i][k] = gaussians.at(i, first + k);
      }
    }
    return rows;
  }

  PlainGaussians Plain() const {
    PlainGaussians plain;
    plain.means = Rows(kMeanRow, 3);
    plain.log_scales = Rows(kScaleRow, 3);
    plain.rotations = Rows(kRotationRow, 4);
    plain.opacities = Rows(kOpacityRow, 1).flatten();
    plain.colours = Rows(kColourRow, gaussians.rows - kColourRow)
                        .view({-1, HarmonicsOf(degree), 3});
    plain.smoothing = torch::from_blob(smoothing.data(),
                                       {static_cast<int64_t>(gaussians.count)})
                          .to(torch::kDouble);
    return plain;
  }

  int degree;
  PinholeView view;
  mutable kernels::Buffer<float> values, smoothing;
  Gaussians gaussians;
  RasterRules rules;
};

torch::Tensor Plane(const Planes& picture, const float* plane) {
  return torch::from_blob(const_cast<float*>(plane),
                          {picture.height, picture.width},
                          {static_cast<int64_t>(picture.stride), 1})
      .to(torch::kDouble);
}

torch::Tensor Rgb(const Planes& picture) {
  return torch::stack({Plane(picture, picture.colour[0]),
                       Plane(picture, picture.colour[1]),
                       Plane(picture, picture.colour[2])},
                      2);
}

double Largest(const torch::Tensor& difference) {
  return difference.abs().max().item<double>();
}

// A photo of the size of the view, and a mask in which a part is left out.
struct Photo {
  explicit Photo(const PinholeView& view, int channels) {
    std::mt19937 random(9);
    pixels = torch::empty({view.height, view.width, channels}, torch::kUInt8);
    uint8_t* bytes = pixels.data_ptr<uint8_t>();
    for (int64_t i = 0; i < pixels.numel(); ++i) {
      bytes[i] = static_cast<uint8_t>(random() >> 24);
    }
    mask = torch::full({view.height, view.width}, 200, torch::kUInt8);
    mask.slice(0, 5, 19).slice(1, 30, 41).zero_();
    part.pixels = bytes;
    part.row_bytes = static_cast<size_t>(view.width) * channels;
    part.channels = channels;
    part.background = {0.9f, 0.1f, 0.3f};
  }

  torch::Tensor Truth() const {
    const torch::Tensor all = pixels.to(torch::kDouble) / 255;
    if (part.channels == 3) return all;
    const torch::Tensor behind = torch::tensor(
        {part.background[0], part.background[1], part.background[2]},
        torch::kDouble);
    const torch::Tensor alpha = all.slice(2, 3);
    return all.slice(2, 0, 3) * alpha + behind * (1 - alpha);
  }

  void UseMask(int width) {
    part.mask = mask.data_ptr<uint8_t>();
    part.mask_row_bytes = static_cast<size_t>(width);
  }

  torch::Tensor pixels, mask;
  PhotoPart part;
};

class SplatKernelsTest : public ::testing::TestWithParam<int> {
 protected:
  SplatKernelsTest() { at::set_num_threads(1); }
};

INSTANTIATE_TEST_SUITE_P(Degrees, SplatKernelsTest, ::testing::Range(0, 4));

TEST_P(SplatKernelsTest, PictureEqualsThePlainOne) {
  Scene scene(GetParam());
  // As trained, and as if that had been on larger or smaller pixels.
  for (const float zoom : {1.0f, 0.3f, 1.7f}) {
    SetBlur(zoom, &scene.view);
    const PlainPicture expected =
        RasterisePlain(scene.Plain(), scene.view, scene.degree, scene.rules);
    ASSERT_GT(expected.opacity.mean().item<double>(), 0.3);
    ASSERT_LT(expected.opacity.mean().item<double>(), 0.95);
    AtEverySimdLevel([&] {
      SplatKernels kernels(1);
      const Planes& picture = kernels.Rasterise(
          scene.gaussians, scene.view, scene.degree, scene.rules, true);
      EXPECT_LT(Largest(Rgb(picture) - expected.rgb), 3e-5);
      EXPECT_LT(Largest(Plane(picture, picture.depth) - expected.depth), 3e-5);
      EXPECT_LT(Largest(Plane(picture, picture.opacity) - expected.opacity),
                3e-5);
    });
  }
}

// The middle of three pixels by three is where the one pixel was.
TEST(SplatZoomTest, LargerPicturesAreTheTrainedOneInBetween) {
  const Scene scene(2);
  SplatKernels kernels(1);
  const torch::Tensor trained =
      Rgb(kernels.Rasterise(
              scene.gaussians, scene.view, scene.degree, scene.rules))
          .clone();
  PinholeView large = scene.view;
  for (float* one : {&large.fx, &large.fy, &large.cx, &large.cy}) *one *= 3;
  large.width *= 3;
  large.height *= 3;
  SetBlur(3, &large);
  const torch::Tensor zoomed =
      Rgb(kernels.Rasterise(scene.gaussians, large, scene.degree, scene.rules));
  using torch::indexing::Slice;
  EXPECT_LT(Largest(zoomed.index({Slice(1, {}, 3), Slice(1, {}, 3)}) - trained),
            3e-5);
}

// The loss of a picture, and its derivative by every parameter.
void CheckGradients(const Scene& scene, const Photo& photo) {
  PlainGaussians plain = scene.Plain();
  std::vector<torch::Tensor> parameters = {plain.means,
                                           plain.log_scales,
                                           plain.rotations,
                                           plain.opacities,
                                           plain.colours};
  for (torch::Tensor& parameter : parameters) parameter.requires_grad_(true);
  const LossRules rules = {0.65f, 0.4f};
  const torch::Tensor mask =
      photo.part.mask != nullptr ? photo.mask : torch::Tensor();
  const torch::Tensor loss = PlainLoss(
      rules,
      RasterisePlain(plain, scene.view, scene.degree, scene.rules).rgb,
      photo.Truth(),
      mask);
  const std::vector<torch::Tensor> expected =
      torch::autograd::grad({loss}, parameters);
  const char* const names[] = {
      "mean", "scale", "rotation", "opacity", "colour"};
  const int first[] = {
      kMeanRow, kScaleRow, kRotationRow, kOpacityRow, kColourRow};
  const double pixels = scene.view.width * scene.view.height;
  AtEverySimdLevel([&] {
    SplatKernels kernels(2);
    kernels.Rasterise(scene.gaussians, scene.view, scene.degree, scene.rules);
    const LossSums sums = kernels.Compare(rules, photo.part);
    EXPECT_NEAR(sums.loss,
                loss.item<double>() / (3 * pixels),
                1e-4 * loss.item<double>() / (3 * pixels));
    kernels.Differentiate();
    const int rows = scene.gaussians.rows;
    Scene found = Scene(scene.degree, scene.gaussians.count);
    kernels::Buffer<float> errors;
    errors.Reserve(found.gaussians.blocks() * kBlock);
    kernels.ParameterGradients(errors.data(), found.values.data());
    for (int p = 0; p < 5; ++p) {
      const int count = (p < 4 ? first[p + 1] : rows) - first[p];
      const torch::Tensor gradient =
          found.Rows(first[p], count).view(expected[p].sizes());
      EXPECT_LT(Largest(gradient - expected[p]), 2e-3 * Largest(expected[p]))
          << names[p];
      EXPECT_LT((gradient - expected[p]).norm().item<double>(),
                5e-4 * expected[p].norm().item<double>())
          << names[p];
    }
  });
}

TEST_P(SplatKernelsTest, GradientsEqualAutograds) {
  const Scene scene(GetParam());
  CheckGradients(scene, Photo(scene.view, 3));
}

TEST(SplatLossTest, TransparentPixelsShowTheBackground) {
  const Scene scene(1);
  CheckGradients(scene, Photo(scene.view, 4));
}

TEST(SplatLossTest, WhatIsMaskedCountsForNothing) {
  const Scene scene(1);
  Photo photo(scene.view, 3);
  photo.UseMask(scene.view.width);
  CheckGradients(scene, photo);
}

// What is hidden may be left out, as far as was allowed.
TEST(SplatStopTest, LeavesOutNoMoreThanIsAllowed) {
  Scene scene(0, 400);
  for (size_t i = 0; i < scene.gaussians.count; ++i) {
    scene.gaussians.at(i, kOpacityRow) += 4;
    for (int k = 0; k < 3; ++k) scene.gaussians.at(i, kScaleRow + k) += 1;
  }
  SplatKernels kernels(1);
  const torch::Tensor whole = Rgb(kernels.Rasterise(
      scene.gaussians, scene.view, scene.degree, scene.rules));
  scene.rules.stop_transmittance = 0.03f;
  const torch::Tensor stopped = Rgb(kernels.Rasterise(
      scene.gaussians, scene.view, scene.degree, scene.rules));
  EXPECT_GT(Largest(whole - stopped), 1e-3);
  EXPECT_LT(Largest(whole - stopped), 0.03 * 4);  // of the brightest colour
}

// A state to train on, with random moments.
struct Training {
  explicit Training(int degree) : scene(degree, 300) {
    errors.Reserve(scene.gaussians.blocks() * kBlock);
    const size_t numbers =
        scene.gaussians.blocks() * kBlock * scene.gaussians.rows;
    std::mt19937 random(3);
    for (auto* moments : {&first, &second}) moments->Reserve(numbers);
    for (size_t i = 0; i < numbers; ++i) {
      first[i] = static_cast<uint16_t>(0x3c00 + random() % 128);
      second[i] = static_cast<uint16_t>(0x3a00 + random() % 128);
    }
    rules.mean = 1e-3f;
    rules.scale = 2e-3f;
    rules.rotation = 3e-3f;
    rules.opacity = 4e-3f;
    rules.colour = 5e-3f;
    rules.harmonics = 6e-3f;
    rules.noise = 100;
    rules.noise_key = 17;
    rules.opacity_penalty = 0.3f;
    rules.scale_penalty = 0.2f;
    rules.correction = 0.8f;
  }

  void Step(SplatKernels& kernels, const Photo& photo) {
    kernels.Rasterise(scene.gaussians, scene.view, scene.degree, scene.rules);
    kernels.Compare({}, photo.part);
    kernels.Differentiate();
    kernels.Update(rules, {first.data(), second.data()}, errors.data());
  }

  Scene scene;
  kernels::Buffer<uint16_t> first, second;
  kernels::Buffer<float> errors;
  UpdateRules rules;
};

TEST(SplatUpdateTest, ThreadsDoNotChangeABit) {
  Training one(2), three(2);
  const Photo photo(one.scene.view, 3);
  SplatKernels alone(1), together(3);
  for (int step = 0; step < 5; ++step) {
    one.Step(alone, photo);
    three.Step(together, photo);
  }
  const size_t numbers =
      one.scene.gaussians.blocks() * kBlock * one.scene.gaussians.rows;
  EXPECT_EQ(std::memcmp(one.first.data(), three.first.data(), 2 * numbers), 0);
  EXPECT_EQ(std::memcmp(one.second.data(), three.second.data(), 2 * numbers),
            0);
  EXPECT_EQ(
      std::memcmp(
          one.scene.values.data(), three.scene.values.data(), 4 * numbers),
      0);
}

float FromShort(uint16_t bits) {
  const uint32_t word = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}

// To the nearest, ties to even.
uint16_t ToShort(float value) {
  uint32_t word;
  std::memcpy(&word, &value, 4);
  return static_cast<uint16_t>((word + 0x7fff + (word >> 16 & 1)) >> 16);
}

// One step from known moments, parameter by parameter.
TEST(SplatUpdateTest, IsAdamsStepForWhatWasSeen) {
  AtEverySimdLevel([] {
    Training training(1);
    training.rules.noise = 0;
    training.rules.largest_log_scale = -2.5f;
    Training before(1);
    const Scene& scene = before.scene;
    const Photo photo(scene.view, 3);
    SplatKernels kernels(1);
    training.Step(kernels, photo);
    const UpdateRules& rules = training.rules;
    int seen = 0, capped = 0;
    kernels::Buffer<float> gradients;
    gradients.Reserve(scene.gaussians.blocks() * kBlock * scene.gaussians.rows);
    SplatKernels twin(1);
    twin.Rasterise(scene.gaussians, scene.view, scene.degree, scene.rules);
    twin.Compare({}, photo.part);
    twin.Differentiate();
    twin.ParameterGradients(before.errors.data(), gradients.data());
    for (size_t i = 0; i < scene.gaussians.count; ++i) {
      const bool visible = twin.sees(i);
      seen += visible;
      EXPECT_EQ(training.errors[i] > 0, visible) << i;
      const double depth = [&] {
        double z = scene.view.translation[2];
        for (int k = 0; k < 3; ++k) {
          z += scene.view.rotation[6 + k] * scene.gaussians.at(i, k);
        }
        return std::clamp(z, 1.0, 30.0);
      }();
      for (int row = 0; row < scene.gaussians.rows; ++row) {
        const size_t at =
            (i / kBlock * scene.gaussians.rows + row) * kBlock + i % kBlock;
        const float old = before.scene.values[at];
        const float now = training.scene.values[at];
        if (!visible) {
          // Only the limit of the scale is for all of a block.
          if (row < kScaleRow || row >= kRotationRow) {
            ASSERT_EQ(now, old);
          }
          ASSERT_EQ(training.first[at], before.first[at]);
          ASSERT_EQ(training.second[at], before.second[at]);
          continue;
        }
        double g = gradients[at];
        double rate = row < kColourRow + 3 ? rules.colour : rules.harmonics;
        if (row < kScaleRow) {
          rate = rules.mean * depth;
        } else if (row < kRotationRow) {
          rate = rules.scale;
          g += rules.scale_penalty * std::exp(old);
        } else if (row < kOpacityRow) {
          rate = rules.rotation;
        } else if (row == kOpacityRow) {
          rate = rules.opacity;
          const double o = 1 / (1 + std::exp(-old));
          g += rules.opacity_penalty * o * (1 - o);
        }
        const double m = 0.9 * FromShort(before.first[at]) + 0.1 * g;
        const double v = 0.99 * FromShort(before.second[at]) + 0.01 * g * g;
        const double step = rate * rules.correction * m / std::sqrt(v);
        double expected = old - step;
        if (row >= kScaleRow && row < kRotationRow && expected > -2.5) {
          expected = -2.5;
          ++capped;
        }
        ASSERT_NEAR(now, expected, 1e-3 * std::abs(step) + 1e-6) << row;
        // Rounded, an error of the gradient may show in the last place.
        ASSERT_NEAR(training.first[at],
                    ToShort(static_cast<float>(m)),
                    std::abs(m) > 1e-4 ? 1 : 40);
        ASSERT_NEAR(training.second[at], ToShort(static_cast<float>(v)), 1);
      }
    }
    EXPECT_GT(seen, 150);
    EXPECT_LT(seen, 300);
    EXPECT_GT(capped, 20);
  });
}

// Random steps are of the covariance, for what is nearly transparent only.
TEST(SplatUpdateTest, NoiseMovesTheFaint) {
  Training training(0);
  Scene& scene = training.scene;
  for (size_t i = 0; i < scene.gaussians.count; ++i) {
    scene.gaussians.at(i, kOpacityRow) = i % 2 == 0 ? -4.0f : 1.0f;
  }
  training.rules = UpdateRules();
  training.rules.noise = 0.5f;
  training.rules.noise_key = 99;
  const torch::Tensor before = scene.Rows(kMeanRow, 3);
  const Photo photo(scene.view, 3);
  SplatKernels kernels(1);
  training.Step(kernels, photo);
  const torch::Tensor moved = scene.Rows(kMeanRow, 3) - before;
  double squares = 0;
  int64_t faint = 0;
  for (size_t i = 0; i < scene.gaussians.count; ++i) {
    const torch::Tensor by = moved[static_cast<int64_t>(i)];
    if (i % 2 == 1 || !kernels.sees(i)) {
      ASSERT_EQ(Largest(by), 0);
      continue;
    }
    ++faint;
    // As long as the noise was, in units of the covariance.
    const double opacity = 1 / (1 + std::exp(4.0));
    const double size = 0.5 / (1 + std::exp(100 * (opacity - 0.005)));
    const PlainGaussians plain = scene.Plain();
    double largest = 0;
    for (int k = 0; k < 3; ++k) {
      largest =
          std::max<double>(largest,
                           std::exp(2 * scene.gaussians.at(i, kScaleRow + k)) +
                               scene.smoothing[i]);
    }
    ASSERT_LT(by.norm().item<double>(), 6 * size * largest);
    squares += std::pow(by.norm().item<double>() / (size * largest), 2);
  }
  ASSERT_GT(faint, 80);
  // Of the longest axis alone it would be 1, of a ball 3.
  EXPECT_GT(squares / faint, 0.9);
  EXPECT_LT(squares / faint, 3);
}

// Every tile of a box has its gaussian once, and in the order of depth.
TEST(TileListsTest, AreInOrderAndComplete) {
  const Scene scene(0, 300);
  const size_t blocks = scene.gaussians.blocks();
  kernels::Buffer<Ellipse> ellipses;
  kernels::Buffer<TileBox> boxes;
  std::vector<uint16_t> visible(blocks);
  ellipses.Reserve(blocks * kBlock);
  boxes.Reserve(blocks * kBlock);
  ProjectGaussians(scene.gaussians,
                   scene.view,
                   0,
                   0,
                   blocks,
                   ellipses.data(),
                   boxes.data(),
                   visible.data());
  // Some at the same depth.
  for (size_t i = 0; i < 60; ++i) ellipses[i].depth = 2;
  for (const int threads : {1, 4}) {
    TileLists lists;
    lists.Fill(
        ellipses.data(), boxes.data(), visible.data(), blocks, 3, 3, threads);
    std::vector<std::vector<uint32_t>> of(scene.gaussians.count);
    std::vector<int> slots(lists.total());
    for (int tile = 0; tile < lists.tiles(); ++tile) {
      for (size_t k = 0; k < lists.count(tile); ++k) {
        const TileEntry entry = lists.entries(tile)[k];
        of[entry.gaussian].push_back(static_cast<uint32_t>(tile));
        ++slots[entry.slot];
        if (k == 0) continue;
        const uint32_t before = lists.entries(tile)[k - 1].gaussian;
        ASSERT_LE(ellipses[before].depth, ellipses[entry.gaussian].depth);
        if (ellipses[before].depth == ellipses[entry.gaussian].depth) {
          ASSERT_LT(before, entry.gaussian);
        }
      }
    }
    EXPECT_EQ(std::count(slots.begin(), slots.end(), 1), std::ssize(slots));
    for (size_t i = 0; i < scene.gaussians.count; ++i) {
      std::vector<uint32_t> expected;
      if ((visible[i / kBlock] >> (i % kBlock) & 1) != 0) {
        for (uint32_t y = boxes[i].y0; y <= boxes[i].y1; ++y) {
          for (uint32_t x = boxes[i].x0; x <= boxes[i].x1; ++x) {
            expected.push_back(3 * y + x);
          }
        }
      }
      ASSERT_EQ(of[i], expected) << i;
    }
  }
}

}  // namespace
}  // namespace nerfpipe::nerf::splat
