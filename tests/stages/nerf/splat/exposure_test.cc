// The light of views whose gains are known.

#include "stages/nerf/splat/exposure.h"

#include "pipeline/base/error.h"
#include "stages/nerf/colour_correction.h"
#include "stages/nerf/metrics.h"
#include "stages/nerf/trainer.h"
#include "tests/stages/nerf/spheres.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe::nerf::splat {
namespace {

using Kind = Exposure::Kind;

constexpr int kViews = 12;

// Gains whose mean logarithm is 0.
std::vector<LogGain> KnownGains(int views = kViews) {
  std::vector<LogGain> gains;
  for (int i = 0; i < views; ++i) {
    gains.push_back(
        {0.2 * std::sin(2.9 * i * i), 0.1 * ((i * 7) % 5), -0.01 * i});
  }
  Centre(&gains);
  return gains;
}

// Points of many colours, each in three to five views that follow each other.
std::vector<Sample> KnownSamples(const std::vector<LogGain>& gains,
                                 double noise = 0) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal(0, 1);
  std::vector<Sample> samples;
  const int views = static_cast<int>(gains.size());
  for (int point = 0; point < 300; ++point) {
    const LogGain colour = {normal(random), normal(random), normal(random)};
    const int first = point % (views - 2);
    const int end = std::min(views, first + 3 + point % 3);
    for (int view = first; view < end; ++view) {
      Sample sample = {2 * point, view, {}};
      for (int c = 0; c < 3; ++c) {
        sample.log_colour[c] =
            colour[c] + gains[view][c] + noise * normal(random);
      }
      samples.push_back(sample);
    }
  }
  return samples;
}

LogGain SumOf(const std::vector<LogGain>& gains) {
  LogGain sum = {};
  for (const LogGain& gain : gains) {
    for (int c = 0; c < 3; ++c) sum[c] += gain[c];
  }
  return sum;
}

double LargestDifference(const std::vector<LogGain>& a,
                         const std::vector<LogGain>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    for (int c = 0; c < 3; ++c) {
      largest = std::max(largest, std::abs(a[i][c] - b[i][c]));
    }
  }
  return largest;
}

TEST(LightFitTest, FindsGainsExactly) {
  const std::vector<LogGain> gains = KnownGains();
  for (const int rounds : {0, 4}) {
    const LightFit fit = FitLight(KnownSamples(gains), kViews, rounds);
    EXPECT_LT(LargestDifference(fit.gains, gains), 1e-9);
    for (const double one : SumOf(fit.gains)) EXPECT_NEAR(one, 0, 1e-13);
  }
}

// Points and views as unknowns of one dense system.
TEST(LightFitTest, EqualsLibTorchsLeastSquares) {
  const std::vector<Sample> samples = KnownSamples(KnownGains(), 0.1);
  const auto count = static_cast<int64_t>(samples.size());
  const torch::Tensor a = torch::zeros({count, kViews + 600}, torch::kDouble);
  const torch::Tensor b = torch::zeros({count, 3}, torch::kDouble);
  for (int64_t k = 0; k < count; ++k) {
    a[k][samples[k].view] = 1;
    a[k][kViews + samples[k].point] = 1;
    for (int c = 0; c < 3; ++c) b[k][c] = samples[k].log_colour[c];
  }
  const torch::Tensor x = torch::matmul(torch::linalg_pinv(a, 1e-10), b);
  const torch::Tensor views = x.slice(0, 0, kViews);
  const torch::Tensor expected = views - views.mean(0);
  const LightFit fit = FitLight(samples, kViews, 0);
  for (int i = 0; i < kViews; ++i) {
    for (int c = 0; c < 3; ++c) {
      EXPECT_NEAR(fit.gains[i][c], expected[i][c].item<double>(), 1e-9);
    }
  }
}

TEST(LightFitTest, FewWrongPointsDoNotMatter) {
  const std::vector<LogGain> gains = KnownGains();
  std::vector<Sample> samples = KnownSamples(gains, 0.005);
  for (size_t k = 0; k < samples.size(); k += 9) {
    samples[k].log_colour[1] += 1.5;  // a reflection
  }
  const double robust =
      LargestDifference(FitLight(samples, kViews, 5).gains, gains);
  const double plain =
      LargestDifference(FitLight(samples, kViews, 0).gains, gains);
  EXPECT_LT(robust, 0.01);
  EXPECT_GT(plain, 5 * robust);
}

TEST(LightFitTest, ViewsThatShareNothingStayAsTheyAre) {
  std::vector<Sample> samples = KnownSamples(KnownGains());
  const LightFit fit = FitLight(samples, kViews + 1, 3);
  EXPECT_EQ(fit.weights.back(), 0);
  EXPECT_EQ(FitLight({}, 2, 3).gains, (std::vector<LogGain>(2)));
}

std::vector<std::string> Names(size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    // As if every eighth was held out.
    names.push_back("f " + std::to_string(100 + i + i / 7 + 1) + ".jpg");
  }
  return names;
}

Exposure Regularised(const std::vector<LogGain>& gains,
                     double noise,
                     const std::string& option = "auto") {
  return Exposure::Of(Names(gains.size()),
                      gains,
                      std::vector<double>(gains.size(), noise),
                      option);
}

std::vector<LogGain> SmoothGains(double size) {
  std::vector<LogGain> gains;
  for (int i = 0; i < 40; ++i) {
    gains.push_back({size * std::sin(0.3 * i), size * std::cos(0.2 * i), 0});
  }
  Centre(&gains);
  return gains;
}

TEST(ExposureTest, TellsVideosFromPhotosAndDifferencesFromNone) {
  EXPECT_EQ(Regularised(KnownGains(40), 1e-6).kind(), Kind::kPhotos);
  EXPECT_EQ(Regularised(SmoothGains(0.1), 1e-6).kind(), Kind::kCurve);
  // Too little to matter.
  EXPECT_EQ(Regularised(SmoothGains(0.01), 1e-6).kind(), Kind::kOneLight);
  EXPECT_EQ(Regularised(SmoothGains(0.01), 1e-6, "on").kind(), Kind::kCurve);
  // No more than noise.
  EXPECT_EQ(Regularised(KnownGains(40), 0.01).kind(), Kind::kOneLight);
  EXPECT_EQ(Regularised(KnownGains(40), 1e-6, "off").kind(), Kind::kOneLight);
  EXPECT_EQ(Regularised(KnownGains(3), 1e-6).kind(), Kind::kOneLight);
}

TEST(ExposureTest, PhotosShrinkTowardsTheMeanByTheirNoise) {
  const std::vector<LogGain> gains = KnownGains(40);
  double square = 0;
  for (const LogGain& gain : gains) {
    for (const double one : gain) square += one * one / (3 * 40);
  }
  const double noise = 0.2 * square;
  const Exposure exposure = Regularised(gains, noise);
  ASSERT_EQ(exposure.kind(), Kind::kPhotos);
  // 0.8 of the variance is not noise.
  std::vector<LogGain> expected = gains;
  for (LogGain& gain : expected) {
    for (double& one : gain) one *= 0.8;
  }
  EXPECT_LT(LargestDifference(exposure.log_gains(), expected), 1e-12);
  for (const double one : SumOf(exposure.log_gains()))
    EXPECT_NEAR(one, 0, 1e-12);
  EXPECT_NEAR(exposure.TrainingGain(7)[1], std::exp(expected[7][1]), 1e-6);
  EXPECT_EQ(exposure.HeldOutGain("f 108.jpg"),
            (std::array<double, 3>{1, 1, 1}));
}

TEST(ExposureTest, CurvesLoseTheirNoise) {
  const std::vector<LogGain> truth = SmoothGains(0.2);
  std::vector<LogGain> measured = truth;
  std::mt19937 random(5);
  std::normal_distribution<double> normal(0, 0.03);
  for (LogGain& gain : measured) {
    for (double& one : gain) one += normal(random);
  }
  Centre(&measured);
  const Exposure exposure = Regularised(measured, 0.03 * 0.03);
  ASSERT_EQ(exposure.kind(), Kind::kCurve);
  const auto error = [&](const std::vector<LogGain>& gains) {
    double square = 0;
    for (size_t i = 0; i < gains.size(); ++i) {
      for (int c = 0; c < 3; ++c) {
        square += std::pow(gains[i][c] - truth[i][c], 2);
      }
    }
    return std::sqrt(square / static_cast<double>(3 * gains.size()));
  };
  EXPECT_LT(error(exposure.log_gains()), 0.75 * error(measured));
  for (const double one : SumOf(exposure.log_gains()))
    EXPECT_NEAR(one, 0, 1e-12);
  // Without noise it is what was measured.
  EXPECT_LT(LargestDifference(Regularised(truth, 1e-10).log_gains(), truth),
            1e-4);
}

TEST(ExposureTest, HeldOutFramesAreBetweenTheirNeighbours) {
  const Exposure exposure = Regularised(SmoothGains(0.2), 1e-8);
  ASSERT_EQ(exposure.kind(), Kind::kCurve);
  const std::vector<LogGain>& gains = exposure.log_gains();
  // 7 views from 101 on, then 109.
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(exposure.HeldOutGain("f 108.jpg")[c],
                std::exp(0.5 * (gains[6][c] + gains[7][c])),
                1e-12);
    EXPECT_NEAR(
        exposure.HeldOutGain("f 100.jpg")[c], std::exp(gains[0][c]), 1e-12);
    EXPECT_NEAR(
        exposure.HeldOutGain("z.jpg")[c], std::exp(gains[39][c]), 1e-12);
  }
}

TEST(ExposureTest, TextKeepsEveryBit) {
  for (const Exposure& exposure : {Exposure(),
                                   Regularised(KnownGains(40), 1e-4),
                                   Regularised(SmoothGains(0.2), 1e-4)}) {
    const Exposure again = Exposure::FromText(exposure.Text());
    EXPECT_EQ(again.kind(), exposure.kind());
    EXPECT_EQ(again.log_gains(), exposure.log_gains());
    EXPECT_EQ(again.HeldOutGain("f 108.jpg"),
              exposure.HeldOutGain("f 108.jpg"));
    EXPECT_EQ(again.Note(), exposure.Note());
  }
  EXPECT_THROW(Exposure::FromText(""), UserError);
  EXPECT_THROW(Exposure::FromText("1\n0.5 a.jpg\n"), UserError);
}

// A wall of many colours at z = 0, whose photos have gains, by cameras before
// it that are turned and shifted; the last of them is held out.
struct Wall {
  static constexpr int kCameras = 10;

  static double ColourAt(double x, double y, int c) {
    return 0.4 + 0.2 * std::sin(3 * x + c) * std::cos(2 * y - c) +
           0.1 * std::sin(7 * x - 5 * y);
  }

  explicit Wall(const std::vector<LogGain>& gains) {
    std::mt19937 random(8);
    std::uniform_real_distribution<double> uniform(-1.6, 1.6);
    std::vector<double> points;
    for (int p = 0; p < 400; ++p) {
      points.insert(points.end(), {uniform(random), uniform(random), 0});
    }
    dataset.points = torch::tensor(points, torch::kDouble).view({-1, 3});
    for (int i = 0; i < kCameras; ++i) {
      View view;
      view.name = "IMG " + std::to_string(100 + i) + ".jpg";
      const double turn = 0.06 * (i % 4) - 0.1;
      const double c = std::cos(turn), s = std::sin(turn);
      view.camera = {71,
                     53,
                     60,
                     54,
                     33,
                     28,
                     {c,
                      0,
                      s,
                      0.13 * (i % 5) - 0.3,  //
                      0,
                      1,
                      0,
                      0.2 * (i % 3) - 0.2,  //
                      -s,
                      0,
                      c,
                      2.2 + 0.1 * (i % 2)}};
      view.image = torch::empty({53, 71, 3}, torch::kUInt8);
      auto pixels = view.image.accessor<uint8_t, 3>();
      for (int64_t v = 0; v < 53; ++v) {
        for (int64_t u = 0; u < 71; ++u) {
          const WorldRay ray = RayThrough(view.camera, u, v);
          const auto at = ray.At(-ray.origin[2] / ray.direction[2]);
          for (int k = 0; k < 3; ++k) {
            const double gain = std::exp(gains[i][k]);
            pixels[v][u][k] = static_cast<uint8_t>(std::lround(
                std::min(255.0, 255 * gain * ColourAt(at[0], at[1], k))));
          }
        }
      }
      std::vector<int64_t> seen(400);
      std::iota(seen.begin(), seen.end(), 0);
      view.seen = torch::tensor(seen, torch::kInt64);
      (i + 1 < kCameras ? dataset.train : dataset.test).push_back(view);
    }
    frame.near = 1;
    frame.far = 5;
  }

  std::unique_ptr<Trainer> Make(const std::string& exposure,
                                int threads = 1) const {
    Options options;
    options.train.method = "splat";
    options.train.steps = 240;
    options.train.threads = threads;
    options.splat.count = 900;
    options.splat.exposure = exposure;
    return std::make_unique<Trainer>(dataset, frame, options);
  }

  Dataset dataset;
  SceneFrame frame;
};

std::vector<LogGain> OfTraining(std::vector<LogGain> gains) {
  gains.pop_back();
  Centre(&gains);
  return gains;
}

TEST(ExposureTest, FindsTheLightOfPhotos) {
  std::vector<LogGain> gains = KnownGains(Wall::kCameras);
  gains[3][0] = 1.5;  // much of it is clipped
  const Exposure exposure = Exposure::Of(Wall(gains).dataset, "auto");
  EXPECT_EQ(exposure.kind(), Kind::kPhotos);
  EXPECT_LT(LargestDifference(exposure.log_gains(), OfTraining(gains)), 0.015);
  const Wall one(std::vector<LogGain>(Wall::kCameras));
  EXPECT_EQ(Exposure::Of(one.dataset, "auto").kind(), Kind::kOneLight);
  Dataset unknown = Wall(gains).dataset;
  for (View& view : unknown.train) view.seen = torch::Tensor();
  EXPECT_EQ(Exposure::Of(unknown, "on").kind(), Kind::kOneLight);
}

double CorrectedPsnr(const Trainer& trainer) {
  const View& view = trainer.dataset().test.front();
  const torch::Tensor truth = view.image.to(torch::kFloat32) / 255;
  return Psnr(ColourCorrected(trainer.RenderHeldOut(view), truth), truth);
}

TEST(ExposureTrainingTest, PhotosOfOtherLightTeachTheSameScene) {
  const Wall wall(KnownGains(Wall::kCameras));
  const auto with = wall.Make("auto");
  const auto without = wall.Make("off");
  with->Run();
  without->Run();
  EXPECT_GT(CorrectedPsnr(*with), 30);
  EXPECT_GT(CorrectedPsnr(*with), CorrectedPsnr(*without) + 2);
  EXPECT_EQ(with->method().LightNote(), "in the mean light of the photos");
  EXPECT_EQ(without->method().LightNote(), "");
}

TEST(ExposureTrainingTest, HeldOutFramesAreRenderedInTheirLight) {
  std::vector<LogGain> gains;
  for (int i = 0; i < Wall::kCameras; ++i) {
    gains.push_back({0.05 * i, -0.04 * i, 0.3 * std::sin(0.4 * i)});
  }
  const Wall wall(gains);
  const auto trainer = wall.Make("auto");
  trainer->Run(20);
  const View& view = wall.dataset.test.front();
  const std::vector<LogGain> known = OfTraining(gains);
  const auto gain = trainer->method().GainOf(view);
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(gain[c], std::exp(known.back()[c]), 0.02);
  }
  const torch::Tensor expected =
      trainer->RenderView(view.camera).rgb *
      torch::tensor({gain[0], gain[1], gain[2]}, torch::kFloat32);
  EXPECT_TRUE(
      torch::allclose(trainer->RenderHeldOut(view), expected.clamp(0, 1)));
  // A checkpoint knows the light without the photos.
  const TemporaryFolder folder;
  trainer->Save(folder / "a.ckpt");
  const auto loaded = Trainer::FromCheckpoint(folder / "a.ckpt", 1);
  EXPECT_EQ(loaded->method().GainOf(view), gain);
  EXPECT_EQ(loaded->method().LightNote(),
            "in the light of the frames before and after");
}

TEST(ExposureTrainingTest, ResumeAndThreadsDoNotChangeABit) {
  const Wall wall(KnownGains(Wall::kCameras));
  const auto whole = wall.Make("auto");
  whole->Run(40);
  const TemporaryFolder folder;
  const auto first = wall.Make("auto", 3);
  first->Run(17);
  first->Save(folder / "a.ckpt");
  const auto second = wall.Make("auto", 2);
  second->Load(folder / "a.ckpt");
  second->Run(40);
  EXPECT_TRUE(second->method().Parameters()[0].second.equal(
      whole->method().Parameters()[0].second));
}

}  // namespace
}  // namespace nerfpipe::nerf::splat
