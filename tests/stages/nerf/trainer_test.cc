// Training end to end on a scene with an exact answer, and checkpoints.

#include "stages/nerf/trainer.h"

#include "pipeline/base/error.h"
#include "stages/nerf/methods.h"
#include "stages/nerf/metrics.h"
#include "stages/nerf/one_thread.h"
#include "stages/nerf/scene_analysis.h"
#include "tests/stages/nerf/spheres.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

using ::testing::HasSubstr;

// Small versions of all methods.
Options SmallOptions(const std::string& method, int steps) {
  Options options;
  options.train.method = method;
  options.train.steps = steps;
  // So small a `nerf` gets stuck from some starts, whatever computes it.
  options.train.seed = 4;
  options.train.threads = 1;
  options.train.report_every = 50;
  options.ngp.levels = 5;
  options.ngp.finest_resolution = 64;
  options.ngp.log2_table = 12;
  options.ngp.batch_samples = 2048;
  options.ngp.grid_resolution = 32;
  options.ngp.grid_warmup = 64;
  options.ngp.grid_every = 8;
  options.ngp.step = 0.03;
  options.ngp.cone = 0.03;
  options.nerf.N_rand = 128;
  options.nerf.N_samples = 16;
  options.nerf.N_importance = 8;
  options.nerf.netdepth = options.nerf.netdepth_fine = 6;
  options.nerf.netwidth = options.nerf.netwidth_fine = 32;
  options.nerf.multires = 4;
  options.nerf.multires_views = 1;
  options.nerf.lrate = 5e-3;
  options.nerf.white_bkgd = true;
  options.nerf.raw_noise_std = 0.1;
  options.nerf.precrop_iters = 20;
  options.splat.count = 800;
  options.splat.first_count = 400;
  options.splat.degree = 1;
  return options;
}

class TrainerTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Trainer> Make(int steps) const {
    return std::make_unique<Trainer>(
        BallDataset(), BallFrame(), SmallOptions(GetParam(), steps));
  }

  const TemporaryFolder folder_;
};

std::string BytesOf(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string MessageOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

#ifdef NERFPIPE_HIGHWAY_KERNELS
const std::vector<std::string> kTried = {"ngp", "nerf", "splat"};

// A step that looks at a third of an image learns of that third.
TEST(SplatTest, ThreadsOfTheirOwnMakeTheSamePictures) {
  Options options = SmallOptions("splat", 60);
  options.train.threads = 2;
  Trainer trainer(BallDataset(), BallFrame(), options);
  trainer.Run();
  const std::vector<View>& views = trainer.dataset().train;
  std::vector<torch::Tensor> expected(views.size()), found(views.size());
  for (size_t i = 0; i < views.size(); ++i) {
    expected[i] = trainer.RenderView(views[i].camera).rgb;
  }
  std::vector<std::thread> threads;
  for (size_t i = 0; i < views.size(); ++i) {
    threads.emplace_back([&, i] {
      const OneThread one_thread;
      found[i] = trainer.RenderView(views[i].camera).rgb;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < views.size(); ++i) {
    EXPECT_TRUE(found[i].equal(expected[i])) << i;
  }
}

TEST(SplatTest, PartsOfImagesTeachTheWhole) {
  Options options = SmallOptions("splat", 800);
  options.splat.crop = 650;
  Trainer trainer(BallDataset(), BallFrame(), options);
  trainer.Run();
  const View& view = trainer.dataset().test.front();
  const torch::Tensor image = view.image.to(torch::kFloat32) / 255;
  const torch::Tensor alpha = image.slice(2, 3);
  EXPECT_GT(Psnr(trainer.RenderView(view.camera).rgb,
                 image.slice(2, 0, 3) * alpha + 1 - alpha),
            28);
}
#else
const std::vector<std::string> kTried = {"ngp", "nerf"};

TEST(SplatTest, SaysWhatItIsMissing) {
  EXPECT_THAT(MessageOf([] {
                Trainer(BallDataset(), BallFrame(), SmallOptions("splat", 2));
              }),
              HasSubstr("without Highway"));
}
#endif

INSTANTIATE_TEST_SUITE_P(Methods,
                         TrainerTest,
                         ::testing::ValuesIn(kTried),
                         [](const auto& test) { return test.param; });

TEST_P(TrainerTest, FitsHeldOutView) {
  // So few samples of `nerf` do not reach to a camera that is far away.
  const bool nerf = GetParam() == "nerf";
  const int steps = nerf ? 400 : GetParam() == "ngp" ? 300 : 1000;
  SceneFrame frame = BallFrame();
  if (!nerf) frame.far = 25;
  Trainer trainer(BallDataset(/*with_far_view=*/!nerf),
                  frame,
                  SmallOptions(GetParam(), steps));
  TrainProgress last;
  TrainCallbacks callbacks;
  callbacks.progress = [&](const TrainProgress& progress) { last = progress; };
  trainer.Run(0, callbacks);
  EXPECT_EQ(last.step, steps);
  EXPECT_TRUE(trainer.finished());
  EXPECT_GT(last.samples_per_second, 0);

  const View& view = trainer.dataset().test.front();
  const RenderedView rendered = trainer.RenderView(view.camera);
  const torch::Tensor image = view.image.to(torch::kFloat32) / 255;
  const torch::Tensor alpha = image.slice(2, 3);
  const torch::Tensor truth = image.slice(2, 0, 3) * alpha + 1 - alpha;
  const double psnr = Psnr(rendered.rgb, truth);
  RecordProperty("psnr", std::to_string(psnr));
  EXPECT_GT(psnr, nerf ? 27 : 31);

  // Opacity and depth where the answer is known: the middle of the larger ball,
  // and a corner, which shows nothing (which only a random background tells
  // from white matter).
  const SceneVector middle =
      IrregularCameras()[kHeldOutView].Project({0.31, -0.07, 0.42});
  const auto x = static_cast<int64_t>(middle[0]);
  const auto y = static_cast<int64_t>(middle[1]);
  EXPECT_GT(rendered.opacity[y][x].item<double>(), 0.9);
  // `nerf` has 24 samples on a ray here, some 0.2 apart.
  EXPECT_NEAR(rendered.depth[y][x].item<double>(),
              DepthOfBall(RayThrough(view.camera, x, y), kBalls[0]),
              nerf ? 0.25 : 0.15);
  if (!nerf) {
    EXPECT_LT(rendered.opacity[0][0].item<double>(), 0.2);
  }
}

TEST_P(TrainerTest, DeterministicTimeCountsAsSteps) {
  Options options = SmallOptions(GetParam(), /*steps=*/0);
  options.train.deterministic = true;
  options.train.time = GetParam() == "nerf" ? 30 : 0.3;
  std::vector<torch::Tensor> first;
  for (int run = 0; run < 2; ++run) {
    Trainer trainer(BallDataset(), BallFrame(), options);
    trainer.Run();
    EXPECT_EQ(trainer.step(),
              GetParam() == "ngp"    ? 30
              : GetParam() == "nerf" ? 6
                                     : 114);
    const auto parameters = trainer.method().Parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      const torch::Tensor found = parameters[i].second.detach();
      if (run == 0) {
        first.push_back(found.clone());
      } else {
        EXPECT_TRUE(torch::equal(found, first[i])) << parameters[i].first;
      }
    }
  }
}

TEST_P(TrainerTest, RunByTimeEndsInTimeAndGoesOn) {
  Options options = SmallOptions(GetParam(), /*steps=*/0);
  options.train.time = 0.5;
  Trainer trainer(BallDataset(), BallFrame(), options);
  std::vector<TrainProgress> reports;
  TrainCallbacks callbacks;
  callbacks.progress = [&](const TrainProgress& progress) {
    reports.push_back(progress);
  };
  trainer.Run(0, callbacks);
  EXPECT_TRUE(trainer.finished());
  EXPECT_GE(trainer.seconds(), 0.5);
  ASSERT_FALSE(reports.empty());
  EXPECT_TRUE(reports.back().finished);

  // In another sitting, as long again, from a rate of 0 on.
  const std::filesystem::path file = folder_ / "timed.ckpt";
  trainer.Save(file);
  options.train.report_every = 1;
  Trainer again(BallDataset(), BallFrame(), options);
  again.Load(file);
  EXPECT_TRUE(again.finished());
  again.GoOn();
  EXPECT_FALSE(again.finished());
  reports.clear();
  again.Run(0, callbacks);
  EXPECT_TRUE(again.finished());
  EXPECT_GE(again.seconds(), trainer.seconds() + 0.5);
  EXPECT_GT(again.step(), trainer.step());
  EXPECT_LT(reports.front().learning_rate, 1e-6);
  if (GetParam() == "splat") return;  // its rate falls all the time
  // It has grown to the whole after a twentieth of the time.
  const double whole = GetParam() == "ngp" ? 1e-2 : 5e-3;
  for (size_t k = 1; k < reports.size(); ++k) {
    const double done = reports[k - 1].spent / 0.5;
    if (done > 0.8) break;
    EXPECT_NEAR(reports[k].learning_rate,
                whole * std::min(1.0, done / 0.05),
                1e-2 * whole);  // `nerf` has a decay, too
  }
  EXPECT_GT(reports.back().learning_rate, 0);
}

TEST_P(TrainerTest, ResumedRunEndsWithTheSameParameters) {
  const std::filesystem::path file = folder_ / "a.ckpt";
  const auto whole = Make(30);
  whole->Run();

  const auto first = Make(30);
  TrainCallbacks callbacks;
  callbacks.stop = [&] { return first->step() == 17; };
  first->Run(0, callbacks);
  ASSERT_EQ(first->step(), 17);
  first->Save(file);
  const auto second = Make(30);
  second->Load(file);
  EXPECT_EQ(second->step(), 17);
  EXPECT_EQ(second->seconds(), first->seconds());
  second->Run();

  const auto expected = whole->method().Parameters();
  const auto actual = second->method().Parameters();
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(actual[i].second.equal(expected[i].second))
        << expected[i].first;
  }
  // Nothing is left beside the checkpoint.
  EXPECT_EQ(
      std::distance(std::filesystem::directory_iterator(folder_.path()), {}),
      1);
}

TEST_P(TrainerTest, CheckpointAloneIsEnoughToRender) {
  Dataset dataset = BallDataset();
  dataset.background = {0.25, 0.5, 0.875};
  SceneFrame frame = BallFrame();
  frame.type = SceneType::kInward;
  frame.lindisp = true;
  Trainer trainer(dataset, frame, SmallOptions(GetParam(), 12));
  trainer.Run();
  trainer.Save(folder_ / "a.ckpt");
  const auto loaded = Trainer::FromCheckpoint(folder_ / "a.ckpt", 1);
  EXPECT_EQ(loaded->frame().reason, "two balls in a box");
  EXPECT_EQ(loaded->frame().type, SceneType::kInward);
  EXPECT_EQ(loaded->step(), 12);
  EXPECT_EQ(loaded->seconds(), trainer.seconds());
  EXPECT_EQ(loaded->method().Background(), dataset.background);
  const RenderedView found = loaded->RenderView(dataset.test[0].camera);
  const RenderedView expected = trainer.RenderView(dataset.test[0].camera);
  EXPECT_TRUE(found.rgb.equal(expected.rgb));
  EXPECT_TRUE(found.depth.equal(expected.depth));
  EXPECT_TRUE(found.opacity.equal(expected.opacity));
  // An unfinished NDC scene of opaque images, whose frame has other numbers.
  frame.ndc = true;
  frame.ndc_focal_x = 1.7;
  frame.ndc_focal_y = 2.1;
  frame.bounded = false;
  for (View& view : dataset.train) {
    view.image = view.image.slice(2, 0, 3).contiguous();
  }
  Trainer other(dataset, frame, SmallOptions(GetParam(), 12));
  other.Run(2);
  other.Save(folder_ / "b.ckpt");
  const auto again = Trainer::FromCheckpoint(folder_ / "b.ckpt", 1);
  EXPECT_EQ(again->frame().ndc_focal_x, 1.7);
  EXPECT_EQ(again->method().Background(), other.method().Background());
  EXPECT_TRUE(again->RenderView(dataset.test[0].camera)
                  .rgb.equal(other.RenderView(dataset.test[0].camera).rgb));
}

// Of header: a name, the version, the length of the rest and its checksum.
TEST_P(TrainerTest, CheckpointsAreAsTheyAreDescribed) {
  const std::filesystem::path file = folder_ / "a.ckpt";
  Make(12)->Save(file);
  const std::string bytes = BytesOf(file);
  EXPECT_EQ(bytes.substr(0, 8), "NERFPIPE");
  uint64_t numbers[3];
  std::memcpy(numbers, bytes.data() + 8, sizeof(numbers));
  EXPECT_EQ(numbers[0], 2);
  EXPECT_EQ(numbers[1], bytes.size() - 32);
  // One that is sound but newer, longer, or something else.
  const auto problem = [&](const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
    return MessageOf([&] { Trainer::FromCheckpoint(file, 1); });
  };
  std::string newer = bytes;
  newer[8] = 3;
  EXPECT_THAT(problem(newer), HasSubstr("another version"));
  EXPECT_THAT(problem(bytes + "x"), HasSubstr("cut short"));
  EXPECT_THAT(problem("P" + bytes.substr(1)), HasSubstr("not a checkpoint"));
  for (const size_t place : {24, 40, static_cast<int>(bytes.size()) - 1}) {
    std::string damaged = bytes;
    damaged[place] ^= 1;
    EXPECT_THAT(problem(damaged),
                AllOf(HasSubstr("is damaged"), HasSubstr(file.string())));
  }
  EXPECT_EQ(problem(bytes), "no error");
}

TEST_P(TrainerTest, CheckpointOfOtherOptionsIsRefused) {
  Make(12)->Save(folder_ / "a.ckpt");
  EXPECT_THAT(MessageOf([&] { Make(13)->Load(folder_ / "a.ckpt"); }),
              HasSubstr("train.steps (12, here 13)"));
  Options options = SmallOptions(GetParam(), 12);
  options.ngp.step = 0.04;
  options.nerf.N_rand = 100;
  options.splat.dssim = 0.5;
  Trainer other(BallDataset(), BallFrame(), options);
  EXPECT_THAT(MessageOf([&] { other.Load(folder_ / "a.ckpt"); }),
              AllOf(HasSubstr((folder_ / "a.ckpt").string()),
                    HasSubstr(GetParam() == "ngp"
                                  ? "ngp.step (0.029999999999999999, here"
                              : GetParam() == "nerf"
                                  ? "nerf.N_rand (128, here 100)"
                                  : "splat.dssim (0.29999999999999999, here")));
}

// The same parameters somewhere else are another scene.
TEST_P(TrainerTest, CheckpointOfAnotherFrameIsRefused) {
  Make(12)->Save(folder_ / "a.ckpt");
  const auto problem = [&](const SceneFrame& frame, const Dataset& dataset) {
    Trainer other(dataset, frame, SmallOptions(GetParam(), 12));
    return MessageOf([&] { other.Load(folder_ / "a.ckpt"); });
  };
  EXPECT_EQ(problem(BallFrame(), BallDataset()), "no error");
  SceneFrame frame = BallFrame();
  frame.type = SceneType::kWalk;
  EXPECT_THAT(
      problem(frame, BallDataset()),
      HasSubstr("train.scene (" + NameOf(BallFrame().type) + ", here walk)"));
  frame = BallFrame();
  frame.normalised_from_world[3] += 1e-9;
  EXPECT_THAT(problem(frame, BallDataset()),
              HasSubstr("another place of the cameras or background"));
  Dataset dataset = BallDataset();
  dataset.background = {1, 1, 0.5};
  EXPECT_THAT(problem(BallFrame(), dataset),
              HasSubstr("another place of the cameras or background"));
}

// Nothing in it is open to what a later version makes of it.
TEST(CheckpointTest, HoldsWhatTheOptionsCameTo) {
  const TemporaryFolder folder;
  Options options;
  options.train.steps = 12;
  options.train.threads = 1;
  options.ngp.fused = false;
  options.ngp.levels = 2;
  Trainer(BallDataset(), BallFrame(), options).Save(folder / "a.ckpt");
  const NgpOptions kept = Trainer::OptionsOf(folder / "a.ckpt").ngp;
  EXPECT_EQ(kept.finest_resolution, 1024);
  EXPECT_EQ(kept.step, 2 * std::sqrt(3.0) / 512);
  EXPECT_GT(kept.log2_table, 0);
  EXPECT_GT(kept.stop_transmittance, 0);
  EXPECT_GT(kept.grid_threshold, 0);
  // Who goes on takes it from there.
  Options later;
  FindMethod("ngp").keep_shape(&later, Trainer::OptionsOf(folder / "a.ckpt"));
  EXPECT_EQ(later.ngp.finest_resolution, 1024);
  EXPECT_EQ(later.ngp.step, kept.step);
  // What was left open by earlier versions is what it was.
  Options earlier;
  FindMethod("ngp").settle_earlier(&earlier, /*bounded=*/false);
  EXPECT_EQ(earlier.ngp.finest_resolution, 2048);
  EXPECT_EQ(earlier.ngp.step, 1.0 / 256);
}

TEST_P(TrainerTest, DamagedCheckpointIsNamed) {
  const std::filesystem::path file = folder_ / "a.ckpt";
  const auto trainer = Make(12);
  trainer->Save(file);
  const auto size = std::filesystem::file_size(file);

  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(static_cast<std::streamoff>(size / 2))
      .put('\x55')
      .put('\xaa');
  EXPECT_THAT(MessageOf([&] { trainer->Load(file); }),
              AllOf(HasSubstr(file.string()), HasSubstr("is damaged")));
  for (const auto length : {size - 1, size / 2, decltype(size){20}}) {
    std::filesystem::resize_file(file, length);
    EXPECT_THAT(MessageOf([&] { trainer->Load(file); }),
                HasSubstr(file.string()))
        << length;
  }
  std::filesystem::remove(file);
  EXPECT_THAT(MessageOf([&] { trainer->Load(file); }),
              HasSubstr("cannot be read"));
  EXPECT_THAT(MessageOf([&] { trainer->Save(folder_ / "no" / "a.ckpt"); }),
              HasSubstr("cannot write the checkpoint"));
}

TEST(MethodsTest, EveryNameHasARow) {
  std::vector<std::string> names;
  for (const MethodEntry& entry : Methods()) names.push_back(entry.name);
  EXPECT_THAT(names, ::testing::ElementsAreArray(kMethodNames));
}

TEST(MethodsTest, UnknownMethodListsTheOthers) {
  EXPECT_THAT(MessageOf([] { FindMethod("npg"); }), HasSubstr("ngp, nerf"));
}

}  // namespace
}  // namespace nerfpipe::nerf
