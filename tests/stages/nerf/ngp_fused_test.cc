// The fused form of `ngp` against its LibTorch twin, on the same parameters.

#include "stages/nerf/ngp_fused.h"

#include "stages/nerf/archive.h"
#include "stages/nerf/ngp_method.h"
#include "stages/nerf/ngp_settings.h"
#include "stages/nerf/ray_sampler.h"
#include "tests/stages/nerf/spheres.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/serialize/archive.h>

namespace nerfpipe::nerf {
namespace {

class NgpFusedTest : public ::testing::TestWithParam<bool> {
 protected:
  NgpFusedTest() : dataset_(BallDataset()), frame_(BallFrame()) {
    frame_.bounded = GetParam();
    at::set_num_threads(1);  // tests run side by side
  }

  std::unique_ptr<NgpMethod> Make(bool fused,
                                  int grid_warmup = 256,
                                  int max_rays = 8192) const {
    MethodContext context;
    context.options.train.steps = 200;
    context.options.ngp.log2_table = 12;
    context.options.ngp.batch_samples = 2048;
    context.options.ngp.max_rays = max_rays;
    context.options.ngp.stop_transmittance = 0.01;
    context.options.ngp.grid_threshold = grid_threshold_;
    context.options.ngp.grid_warmup = grid_warmup;
    context.options.ngp.grid_refine_every = refine_every_;
    context.options.ngp.fused = fused;
    context.options.ngp.bfloat16 = false;  // the twin has float
    SettleNgp(&context.options,
              {.bounded = frame_.bounded, .pixel = 1.0 / 256});
    context.frame = frame_;
    if (dataset_.sights.defined()) context.dataset = &dataset_;
    context.options.ngp.free_space = free_space_;
    return std::make_unique<NgpMethod>(context);
  }

  void Train(NgpMethod& method, int from, int to) const {
    SamplerOptions options;
    const RaySampler sampler(dataset_, frame_, options, torch::kCPU);
    for (int step = from; step < to; ++step) {
      method.Step(sampler.Draw(method.RaysPerStep(), step, method.Rules()),
                  step,
                  {step / 200.0, 1});
    }
  }

  static torch::serialize::InputArchive Saved(NgpMethod& method) {
    std::stringstream bytes;
    torch::serialize::OutputArchive saved;
    method.Save(saved);
    saved.save_to(bytes);
    torch::serialize::InputArchive loaded;
    loaded.load_from(bytes);
    return loaded;
  }

  static void Copy(NgpMethod& from, NgpMethod& to) {
    torch::serialize::InputArchive archive = Saved(from);
    to.Load(archive);
  }

  Rays TestRays() const {
    return CameraTable({dataset_.test[0].camera}, frame_, torch::kCPU)
        .ThroughAll(0, {});
  }

  // Along the frame's x, one through every row of cells, in the world.
  torch::Tensor LinesThroughAllCells() const {
    constexpr int64_t kSide = 128;
    torch::Tensor lines = torch::zeros({kSide, kSide, 2, 3}, torch::kDouble);
    const torch::Tensor middles =
        (torch::arange(kSide, torch::kDouble) + 0.5) * (2.0 / kSide) - 1;
    using torch::indexing::Slice;
    lines.index_put_({Slice(), Slice(), 0, 0}, -1.0);
    lines.index_put_({Slice(), Slice(), 1, 0}, 1.2);
    lines.index_put_({Slice(), Slice(), Slice(), 1},
                     middles.view({kSide, 1, 1}));
    lines.index_put_({Slice(), Slice(), Slice(), 2},
                     middles.view({1, kSide, 1}));
    const torch::Tensor placement =
        torch::tensor(
            torch::ArrayRef<double>(frame_.normalised_from_world.data(), 12),
            torch::kDouble)
            .view({3, 4});
    const torch::Tensor from_centre =
        lines.view({-1, 2, 3}) - placement.select(1, 3);
    return from_centre.matmul(placement.slice(1, 0, 3)) /
           (frame_.scale * frame_.scale);
  }

  // Set before Make(): lines of sight and the price of weight in them.
  double free_space_ = 0;
  double grid_threshold_ = 0.01;
  int refine_every_ = 40;
  Dataset dataset_;
  SceneFrame frame_;
};

INSTANTIATE_TEST_SUITE_P(Spaces,
                         NgpFusedTest,
                         ::testing::Bool(),
                         [](const auto& test) {
                           return test.param ? "bounded" : "contracted";
                         });

TEST_P(NgpFusedTest, RendersWhatTheTwinRenders) {
  const auto fused = Make(true);
  const auto twin = Make(false);
  Train(*fused, 0, 120);
  Copy(*fused, *twin);
  const Rendered a = fused->Render(TestRays());
  const Rendered b = twin->Render(TestRays());
  // Something is there to be compared.
  ASSERT_GT(b.opacity.mean().item<double>(), 0.05);
  // Contracted, the two place their samples a little differently, and a field
  // as soft as this one shows it.
  const double tolerance = GetParam() ? 2e-3 : 1e-2;
  EXPECT_LT((a.rgb - b.rgb).abs().mean().item<double>(), tolerance);
  EXPECT_LT((a.opacity - b.opacity).abs().mean().item<double>(), tolerance);
  if (GetParam()) {
    const torch::Tensor solid = b.opacity > 0.9;
    const torch::Tensor apart = (a.depth - b.depth).masked_select(solid).abs();
    ASSERT_GT(apart.numel(), 20);
    EXPECT_LT(apart.mean().item<double>(), 1e-2);
  }
}

// The twin goes on from the kernels' state, and brings the loss down: Adam's
// moments and counters, the grid and the layout of the nets are the same. In
// the space with the harder coordinates; the box has WeightHasItsPrice.
using NgpTwinTest = NgpFusedTest;
INSTANTIATE_TEST_SUITE_P(Contracted, NgpTwinTest, ::testing::Values(false));

TEST_P(NgpTwinTest, GoesOnFromTheKernelsState) {
  const auto fused = Make(true);
  const auto twin = Make(false);
  Train(*fused, 0, 60);
  torch::serialize::InputArchive saved = Saved(*fused);
  EXPECT_EQ(ReadInteger(saved, "adam.steps"), 60);
  Copy(*fused, *twin);
  Train(*fused, 60, 200);  // past the fog, where small things decide
  Train(*twin, 60, 200);
  const torch::Tensor a = fused->Render(TestRays()).rgb;
  const torch::Tensor b = twin->Render(TestRays()).rgb;
  // The forms draw random numbers of their own.
  EXPECT_LT((a - b).abs().mean().item<double>(), 0.06);
}

// What is asked of the kernels and they cannot do is said.
TEST(NgpFormTest, IsThatOfTheOptionOrSaysWhyNot) {
  NgpOptions options;
  EXPECT_EQ(WhyNotFused(options, torch::kCPU), "");
  EXPECT_EQ(WhyNotFused(options, torch::Device("cuda:1")),
            "The fast kernels of ngp are for the processor; on cuda:1 plain "
            "LibTorch does the work.");
  options.levels = 5;
  options.grid_resolution = 64;
  EXPECT_EQ(WhyNotFused(options, torch::kCPU),
            "The fast kernels of ngp are made for ngp.levels=8, "
            "ngp.grid_resolution=128; plain LibTorch does the work, many times "
            "slower.");
  MethodContext context;
  context.options.train.steps = 10;
  context.options.ngp = options;
  context.options.ngp.log2_table = 8;
  SettleNgp(&context.options, {.pixel = 1.0 / 256});
  EXPECT_EQ(NgpMethod(context).Remark(), WhyNotFused(options, torch::kCPU));
  context.options.ngp.fused = false;
  EXPECT_EQ(NgpMethod(context).Remark(), "");
}

// A picture is of the values as they are, not of what an earlier picture found
// out about them.
TEST_P(NgpFusedTest, PicturesFollowTheTraining) {
  const auto fused = Make(true);
  Train(*fused, 0, 120);
  fused->Render(TestRays());
  Train(*fused, 120, 160);
  const auto fresh = Make(true);
  Copy(*fused, *fresh);
  const torch::Tensor expected = fresh->Render(TestRays()).rgb;
  EXPECT_TRUE(torch::equal(fused->Render(TestRays()).rgb, expected));
  const auto used = Make(true);
  Train(*used, 0, 60);
  used->Render(TestRays());
  Copy(*fused, *used);
  EXPECT_TRUE(torch::equal(used->Render(TestRays()).rgb, expected));
}

TEST_P(NgpFusedTest, ResumedEqualsUndisturbedBitByBit) {
  const auto whole = Make(true, 64);
  Train(*whole, 0, 130);
  const auto first = Make(true, 64);
  Train(*first, 0, 110);
  // In a box the finer grid, found at step 100, is part of what was saved: by
  // then little is left of the fog, thanks to the short warm-up.
  torch::serialize::InputArchive saved = Saved(*first);
  const torch::Tensor fine = torch::empty({kFineGridWords}, torch::kInt32);
  ReadInto(saved, "grid.fine", fine);
  EXPECT_EQ(fine.any().item<bool>(), GetParam());
  const auto second = Make(true, 64);
  Copy(*first, *second);
  Train(*second, 110, 130);
  const auto expected = whole->Parameters();
  const auto found = second->Parameters();
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(torch::equal(expected[i].second, found[i].second))
        << expected[i].first;
  }
}

// As many rays as train the wanted number of samples, in small steps.
TEST_P(NgpFusedTest, RaysFollowTheirSamples) {
  const RaySampler sampler(dataset_, frame_, {}, torch::kCPU);
  for (const bool fused : {true, false}) {
    const auto method = Make(fused, 64);
    EXPECT_EQ(method->RaysPerStep(), 128);
    int64_t samples = 0, most = 0;
    // The twin takes its time.
    for (int step = 0; step < (fused ? 90 : 12); ++step) {
      const int64_t rays = method->RaysPerStep();
      const StepReport report = method->Step(
          sampler.Draw(rays, step, method->Rules()), step, {step / 200.0, 1});
      samples = report.samples;
      const double factor =
          std::clamp(2048.0 / static_cast<double>(samples), 0.5, 1.5);
      const auto wanted = std::llround(static_cast<double>(rays) * factor);
      ASSERT_EQ(method->RaysPerStep(), std::clamp<int64_t>(wanted, 16, 8192))
          << fused << " " << step;
      most = std::max(most, rays);
    }
    if (!fused) continue;
    EXPECT_NEAR(static_cast<double>(samples), 2048, 500);
    EXPECT_GT(most, 200);
    const auto few = Make(fused, 64, /*max_rays=*/50);
    EXPECT_EQ(few->RaysPerStep(), 50);
    Train(*few, 0, 40);
    EXPECT_EQ(few->RaysPerStep(), 50);
  }
}

// With all of the box in lines of sight and a high price, both forms give up
// the balls, and not before the price is high.
using NgpFreeSpaceTest = NgpFusedTest;
INSTANTIATE_TEST_SUITE_P(Box, NgpFreeSpaceTest, ::testing::Values(true));

TEST_P(NgpFreeSpaceTest, WeightHasItsPriceInBothForms) {
  const auto seen = [&](bool fused, double price) {
    free_space_ = price;
    const auto method = Make(fused, 64);
    Train(*method, 0, 80);
    return method->Render(TestRays()).opacity.mean().item<double>();
  };
  dataset_.sights = LinesThroughAllCells();
  const double fused_low = seen(true, 0.001);
  const double twin_low = seen(false, 0.001);
  EXPECT_GT(fused_low, 0.1);
  EXPECT_NEAR(twin_low, fused_low, 0.05);
  EXPECT_LT(seen(true, 2), 0.05 * fused_low);
  EXPECT_LT(seen(false, 2), 0.05 * twin_low);
}

// Half of the box is free at first. A run that is resumed between its opening,
// at step 60, and the next look at the grid, at step 64, is the same run.
TEST_P(NgpFreeSpaceTest, ResumedAfterItsOpeningBitByBit) {
  free_space_ = 0.003;
  grid_threshold_ = 100;  // the mean decides, which more cells pull down
  refine_every_ = 0;      // what is marched through is the grid itself
  dataset_.sights = LinesThroughAllCells().slice(0, 0, 128 * 64);
  const auto whole = Make(true, 32);
  Train(*whole, 0, 63);
  const auto first = Make(true, 32);
  Train(*first, 0, 61);
  const auto second = Make(true, 32);
  Copy(*first, *second);
  Train(*second, 61, 63);
  EXPECT_TRUE(whole->grid().values().equal(second->grid().values()));
  EXPECT_TRUE(
      whole->Parameters()[0].second.equal(second->Parameters()[0].second));
}

}  // namespace
}  // namespace nerfpipe::nerf
