// What changes from step to step: rates, numbers of rays, which pixels, when
// is reported and saved.

#include "stages/nerf/adam.h"
#include "stages/nerf/nerf_method.h"
#include "stages/nerf/ngp_method.h"
#include "stages/nerf/ngp_settings.h"
#include "stages/nerf/ray_sampler.h"
#include "stages/nerf/trainer.h"
#include "tests/stages/nerf/known_fields.h"
#include "tests/stages/nerf/spheres.h"

#include <cmath>
#include <functional>
#include <set>
#include <sstream>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/optim/adam.h>

namespace nerfpipe::nerf {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Options OptionsFor(const std::string& method, int steps) {
  Options options;
  options.train.method = method;
  options.train.steps = steps;
  options.train.threads = 1;
  options.train.report_every = 1;
  options.train.checkpoint_seconds = 0;
  options.ngp.log2_table = 10;
  options.ngp.levels = 4;
  options.ngp.hidden = 16;
  options.ngp.grid_resolution = 32;
  options.ngp.step = 0.03;
  options.ngp.batch_samples = 1024;
  options.nerf = SmallestNerf();
  options.nerf.N_rand = 64;
  return options;
}

std::vector<TrainProgress> Reports(const Options& options,
                                   const Dataset& dataset) {
  Trainer trainer(dataset, BallFrame(), options);
  std::vector<TrainProgress> reports;
  TrainCallbacks callbacks;
  callbacks.progress = [&](const TrainProgress& now) {
    reports.push_back(now);
  };
  trainer.Run(0, callbacks);
  return reports;
}

TEST(RateTest, OfNgpIsConstantAndThenFalls) {
  Options options = OptionsFor("ngp", 20);
  options.ngp.learning_rate = 0.02;
  options.ngp.final_rate = 0.25;
  const auto reports = Reports(options, BallDataset());
  ASSERT_EQ(reports.size(), 20);
  for (int k = 0; k <= 17; ++k) {
    EXPECT_DOUBLE_EQ(reports[k].learning_rate, 0.02) << k;
  }
  EXPECT_NEAR(reports[18].learning_rate, 0.02 * std::pow(0.25, 1.0 / 3), 1e-9);
  EXPECT_NEAR(reports[19].learning_rate, 0.02 * std::pow(0.25, 2.0 / 3), 1e-9);
}

TEST(RateTest, OfNerfFallsWithTheSteps) {
  Options options = OptionsFor("nerf", 9);
  options.nerf.lrate = 3e-3;
  options.nerf.lrate_decay = 2;  // thousand steps
  const auto reports = Reports(options, BallDataset());
  for (const int k : {0, 4, 8}) {
    EXPECT_NEAR(
        reports[k].learning_rate, 3e-3 * std::pow(0.1, k / 2000.0), 1e-12);
  }
}

// Adam's first step is as long as the rate, in every element that has a
// gradient to speak of.
TEST(RateTest, IsThatOfTheStepsThatAreTaken) {
  for (const std::string name : {"ngp", "nerf"}) {
    Options options = OptionsFor(name, 20);
    SettleNgp(&options, {.bounded = BallFrame().bounded, .pixel = 1.0 / 256});
    options.nerf.lrate = 1e-2;
    options.nerf.raw_noise_std = 1;  // so that something is seen
    MethodContext context;
    context.options = options;
    context.frame = BallFrame();
    context.has_alpha = true;
    std::unique_ptr<RayMethod> method;
    if (name == "ngp") {
      method = std::make_unique<NgpMethod>(context);
    } else {
      method = std::make_unique<NerfMethod>(context);
    }
    std::vector<torch::Tensor> before;
    for (const auto& [_, parameter] : method->Parameters()) {
      before.push_back(parameter.detach().clone());
    }
    const RaySampler sampler(BallDataset(), BallFrame(), {}, torch::kCPU);
    const StepReport report =
        method->Step(sampler.Draw(64, 0, {}), 0, {0.3, 0.25});
    EXPECT_NEAR(report.learning_rate, 0.25e-2, 1e-12) << name;
    const auto after = method->Parameters();
    for (size_t i = 0; i < after.size(); ++i) {
      if (after[i].first == "table") continue;  // no bias correction
      const double most =
          (after[i].second - before[i]).abs().max().item<double>();
      EXPECT_NEAR(most, 0.25e-2, 1e-5) << after[i].first;
    }
  }
}

constexpr AdamSettings kSettings[] = {
    {}, {0.8, 0.95, 1e-3, 0}, {0.9, 0.99, 1e-15, 0.1}};

class AdamAgainstTorch : public ::testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Settings, AdamAgainstTorch, ::testing::Range(0, 3));

// Also when it is saved half way and one parameter has no gradient at times.
TEST_P(AdamAgainstTorch, TakesTheSameSteps) {
  torch::manual_seed(5);
  const AdamSettings& settings = kSettings[GetParam()];
  NamedTensors ours, again;
  std::vector<torch::Tensor> theirs;
  for (const char* name : {"a", "b.c"}) {
    const torch::Tensor start = torch::randn({3, 5}, torch::kFloat64);
    ours.emplace_back(name, start.clone().requires_grad_(true));
    theirs.push_back(start.clone().requires_grad_(true));
    again.emplace_back(name, torch::zeros_like(start).requires_grad_(true));
  }
  torch::optim::AdamOptions options(0.05);
  options.betas(std::make_tuple(settings.beta1, settings.beta2))
      .eps(settings.epsilon)
      .weight_decay(settings.weight_decay);
  torch::optim::Adam expected(theirs, options);
  Adam first(ours, settings);
  Adam second(again, settings);
  Adam* adam = &first;
  NamedTensors* parameters = &ours;
  for (int step = 0; step < 8; ++step) {
    if (step == 4) {
      torch::serialize::OutputArchive out;
      first.Save(out);
      std::stringstream bytes;
      out.save_to(bytes);
      torch::serialize::InputArchive in;
      in.load_from(bytes);
      second.Load(in);
      for (size_t i = 0; i < ours.size(); ++i) {
        again[i].second.detach().copy_(ours[i].second.detach());
      }
      adam = &second;
      parameters = &again;
    }
    const double rate = 0.05 / (1 + step);
    static_cast<torch::optim::AdamOptions&>(
        expected.param_groups()[0].options())
        .lr(rate);
    for (size_t i = 0; i < theirs.size(); ++i) {
      const torch::Tensor gradient = torch::randn({3, 5}, torch::kFloat64);
      theirs[i].mutable_grad() = gradient.clone();
      (*parameters)[i].second.mutable_grad() = gradient.clone();
    }
    expected.step();
    adam->Step(rate);
    for (size_t i = 0; i < theirs.size(); ++i) {
      const torch::Tensor& parameter = (*parameters)[i].second;
      EXPECT_TRUE(torch::allclose(parameter, theirs[i], 1e-12, 1e-12)) << step;
      EXPECT_FALSE(parameter.grad().defined());
    }
  }
  // Without a gradient a parameter stays as it is.
  const torch::Tensor before = again[0].second.detach().clone();
  again[1].second.mutable_grad() = torch::ones({3, 5}, torch::kFloat64);
  second.Step(0.05);
  EXPECT_TRUE(torch::equal(again[0].second, before));
}

// The loss of an empty field against white tells which pixels came up.
Options Watching(int steps) {
  Options options = OptionsFor("nerf", steps);
  options.nerf.white_bkgd = true;
  options.nerf.lrate = 0;
  options.nerf.N_rand = 200;
  return options;
}

std::vector<double> LossesOf(const Options& options, const Dataset& dataset) {
  Trainer trainer(dataset, BallFrame(), options);
  if (options.train.method == "nerf") {
    FillUniformly(trainer.method(), "coarse", -1, {0, 0, 0});
  } else {
    FillUniformly(trainer.method(), -20, {0, 0, 0});
  }
  std::vector<double> losses;
  TrainCallbacks callbacks;
  callbacks.progress = [&](const TrainProgress& now) {
    losses.push_back(now.loss);
  };
  trainer.Run(0, callbacks);
  return losses;
}

Dataset WithImages(
    const std::function<torch::Tensor(const Camera&, int)>& paint) {
  Dataset dataset = BallDataset();
  for (size_t i = 0; i < dataset.train.size(); ++i) {
    View& view = dataset.train[i];
    view.image = paint(view.camera, static_cast<int>(i)).contiguous();
  }
  return dataset;
}

TEST(PixelsTest, FirstStepsOfNerfSeeTheMiddleOnly) {
  using torch::indexing::Slice;
  const Dataset dataset = WithImages([](const Camera& camera, int) {
    torch::Tensor image =
        torch::zeros({camera.height, camera.width, 3}, torch::kUInt8);
    const int x = camera.width / 2, y = camera.height / 2;
    const int right = static_cast<int>(x * 0.4);
    const int down = static_cast<int>(y * 0.4);
    image.index_put_({Slice(y - down, y + down), Slice(x - right, x + right)},
                     255);
    return image;
  });
  Options options = Watching(7);
  options.nerf.precrop_iters = 4;
  options.nerf.precrop_frac = 0.4;
  std::vector<double> losses = LossesOf(options, dataset);
  const std::vector<double> later(losses.begin() + 4, losses.end());
  losses.resize(4);
  EXPECT_THAT(losses, Each(::testing::DoubleNear(0, 1e-9)));
  EXPECT_THAT(later, Each(::testing::Gt(0.5)));
}

TEST(PixelsTest, BatchesOfNerfAreOfOneImageWhenAsked) {
  const Dataset dataset = WithImages([](const Camera& camera, int number) {
    return torch::full(
        {camera.height, camera.width, 3}, 25 * number, torch::kUInt8);
  });
  Options options = Watching(12);
  options.nerf.no_batching = true;
  std::set<int> images;
  for (const double loss : LossesOf(options, dataset)) {
    const double number = 255 * (1 - std::sqrt(loss)) / 25;
    EXPECT_NEAR(number, std::round(number), 1e-3);
    images.insert(static_cast<int>(std::lround(number)));
  }
  EXPECT_GT(images.size(), 3);
  options.nerf.no_batching = false;
  double apart = 0;
  for (const double loss : LossesOf(options, dataset)) {
    const double number = 255 * (1 - std::sqrt(loss)) / 25;
    apart = std::max(apart, std::abs(number - std::round(number)));
  }
  EXPECT_GT(apart, 0.05);
}

// A black patch on a 25th of pictures that are void but for that.
TEST(PixelsTest, NgpDrawsFewVoidOnesAndNerfItsShare) {
  using torch::indexing::Slice;
  const Dataset dataset = WithImages([](const Camera& camera, int) {
    torch::Tensor image =
        torch::zeros({camera.height, camera.width, 4}, torch::kUInt8);
    image.index_put_(
        {Slice(5, 5 + camera.height / 5), Slice(9, 9 + camera.width / 5), 3},
        255);
    return image;
  });
  Options ngp = OptionsFor("ngp", 1);
  ngp.ngp.random_background = false;
  const double of_ngp = LossesOf(ngp, dataset).at(0);
  EXPECT_GT(of_ngp, 0.13);
  EXPECT_LT(of_ngp, 0.5);
  const double of_nerf = LossesOf(Watching(1), dataset).at(0);
  EXPECT_GT(of_nerf, 0);
  EXPECT_LT(of_nerf, 0.1);
}

std::vector<int64_t> StepsOf(const std::vector<TrainProgress>& reports) {
  std::vector<int64_t> steps;
  for (const TrainProgress& report : reports) steps.push_back(report.step);
  return steps;
}

TEST(ReportTest, ComesWhenDueWithMeans) {
  Options options = OptionsFor("nerf", 10);
  options.nerf.lrate = 1e-2;
  const auto each = Reports(options, BallDataset());
  options.train.report_every = 4;
  const auto some = Reports(options, BallDataset());
  EXPECT_THAT(StepsOf(some), ElementsAre(4, 8, 10));
  double loss = 0, psnr = 0;
  for (int k = 4; k < 8; ++k) {
    loss += each[k].loss / 4;
    psnr += each[k].psnr / 4;
  }
  EXPECT_NEAR(some[1].loss, loss, 1e-9);
  EXPECT_NEAR(some[1].psnr, psnr, 1e-9);
  EXPECT_EQ(some[1].learning_rate, each[7].learning_rate);
  EXPECT_EQ(some[1].steps, 10);
  EXPECT_FALSE(some[1].finished);
  EXPECT_GT(some[1].eta_seconds, 0);
  EXPECT_TRUE(some[2].finished);
  EXPECT_EQ(some[2].eta_seconds, 0);
  // 64 rays with 16 samples.
  EXPECT_NEAR(some[1].samples_per_second / some[1].pixels_per_second, 16, 1e-6);
}

TEST(ReportTest, CheckpointsComeByStepsOrByTime) {
  const auto saved = [](const Options& options, double* loss = nullptr) {
    Trainer trainer(BallDataset(), BallFrame(), options);
    std::vector<int64_t> steps;
    TrainCallbacks callbacks;
    callbacks.checkpoint = [&](const TrainProgress& now) {
      steps.push_back(now.step);
      EXPECT_EQ(now.step, trainer.step());
      if (loss) *loss = now.loss;
    };
    trainer.Run(0, callbacks);
    return steps;
  };
  Options options = OptionsFor("nerf", 10);
  EXPECT_THAT(saved(options), IsEmpty());
  options.train.checkpoint_every = 3;
  options.train.report_every = 4;
  double loss = 0;
  EXPECT_THAT(saved(options, &loss), ElementsAre(3, 6, 9));
  // That since the last report, so that a broken run is known.
  options.train.report_every = 1;
  EXPECT_NEAR(loss, Reports(options, BallDataset())[8].loss, 1e-9);
  options.train.checkpoint_every = 0;
  options.train.checkpoint_seconds = 1e-9;
  EXPECT_EQ(saved(options).size(), 10);
  options.train.checkpoint_seconds = 1000;
  EXPECT_THAT(saved(options), IsEmpty());
}

TEST(RunTest, StopsWhereItIsTold) {
  Trainer trainer(BallDataset(), BallFrame(), OptionsFor("nerf", 9));
  trainer.Run(4);
  EXPECT_EQ(trainer.step(), 4);
  EXPECT_FALSE(trainer.finished());
  TrainCallbacks callbacks;
  std::vector<TrainProgress> reports;
  callbacks.progress = [&](const TrainProgress& now) {
    reports.push_back(now);
  };
  callbacks.stop = [&] { return trainer.step() == 6; };
  trainer.Run(0, callbacks);
  EXPECT_EQ(trainer.step(), 6);
  EXPECT_THAT(StepsOf(reports), ElementsAre(5, 6));
  trainer.Run(100);
  EXPECT_EQ(trainer.step(), 9);
  EXPECT_TRUE(trainer.finished());
}

TEST(RunTest, HasTheLengthOfTheMethodUnlessSaid) {
  EXPECT_EQ(Trainer(BallDataset(), BallFrame(), OptionsFor("ngp", 0)).steps(),
            6000);
  EXPECT_EQ(Trainer(BallDataset(), BallFrame(), OptionsFor("nerf", 0)).steps(),
            200000);
}

}  // namespace
}  // namespace nerfpipe::nerf
