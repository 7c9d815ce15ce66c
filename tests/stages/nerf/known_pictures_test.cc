// Pictures and losses of fields that were put in by hand, against what can be
// said of them without the program: where a ray meets a wall or a box, and
// nerf-pytorch's sums written as loops.

#include "stages/nerf/methods.h"
#include "stages/nerf/nerf_method.h"
#include "stages/nerf/ngp_method.h"
#include "stages/nerf/ngp_settings.h"
#include "stages/nerf/ray_sampler.h"
#include "stages/nerf/scene_analysis.h"
#include "stages/nerf/trainer.h"
#include "tests/stages/nerf/known_fields.h"
#include "tests/stages/nerf/rigs.h"
#include "tests/stages/nerf/spheres.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Without alpha, in front of a colour of no symmetry.
Dataset OpaqueDataset() {
  Dataset dataset = BallDataset(/*with_far_view=*/true);
  for (View& view : dataset.train) {
    view.image = view.image.slice(2, 0, 3).contiguous();
  }
  dataset.background = {0.25, 0.5, 0.875};
  return dataset;
}

Options NgpOptionsFor(bool fused) {
  Options options;
  options.train.steps = 10;
  options.train.threads = 1;
  options.ngp.log2_table = 10;
  options.ngp.fused = fused;
  options.ngp.bfloat16 = false;
  return options;
}

class NgpPicturesTest : public ::testing::TestWithParam<bool> {
 protected:
  NgpPicturesTest() : frame_(BallFrame()) { frame_.far = 25; }

  // All of the cube filled.
  RenderedView Filled(double log_density, const Camera& camera) {
    Trainer trainer(OpaqueDataset(), frame_, NgpOptionsFor(GetParam()));
    FillUniformly(trainer.method(), log_density, {-1, 0.5, 2});
    return trainer.RenderView(camera);
  }

  // World depths at which a ray enters and leaves the cube; empty for a miss.
  std::pair<double, double> CubeOf(const WorldRay& ray) const {
    const auto from = InFrame(frame_, ray.origin);
    const auto to = InFrame(frame_, ray.At(1));
    double in = frame_.near / frame_.scale;
    double out = std::numeric_limits<double>::max();
    for (int i = 0; i < 3; ++i) {
      const double a = (-1 - from[i]) / (to[i] - from[i]);
      const double b = (1 - from[i]) / (to[i] - from[i]);
      in = std::max(in, std::min(a, b));
      out = std::min(out, std::max(a, b));
    }
    return {in, out};
  }

  SceneFrame frame_;
};

INSTANTIATE_TEST_SUITE_P(Forms,
                         NgpPicturesTest,
                         ::testing::Bool(),
                         [](const auto& test) {
                           return test.param ? "fused" : "plain";
                         });

TEST_P(NgpPicturesTest, SolidCubeIsWhereItIs) {
  const double step = 2 * std::sqrt(3.0) / 512 / frame_.scale;
  for (const int number : {kHeldOutView, kFarAwayView}) {
    const Camera camera = BallView(number).camera;
    const RenderedView view = Filled(20, camera);
    ASSERT_EQ(view.rgb.sizes(),
              (torch::IntArrayRef{camera.height, camera.width, 3}));
    int hits = 0, misses = 0;
    for (int y = 0; y < camera.height; y += 3) {
      for (int x = 0; x < camera.width; x += 2) {
        const auto [in, out] = CubeOf(RayThrough(camera, x, y));
        const torch::Tensor rgb = view.rgb[y][x];
        if (out < in) {
          ++misses;
          EXPECT_EQ(view.opacity[y][x].item<double>(), 0) << x << " " << y;
          EXPECT_NEAR(rgb[0].item<double>(), 0.25, 1e-6);
          EXPECT_NEAR(rgb[1].item<double>(), 0.5, 1e-6);
          EXPECT_NEAR(rgb[2].item<double>(), 0.875, 1e-6);
        } else if (out - in > 5 * step) {
          ++hits;
          EXPECT_GT(view.opacity[y][x].item<double>(), 0.999) << x << " " << y;
          // The first sample lies half a step inside.
          EXPECT_NEAR(view.depth[y][x].item<double>(), in, step)
              << x << " " << y;
          EXPECT_NEAR(rgb[0].item<double>(), Sigmoid(-1), 0.003);
          EXPECT_NEAR(rgb[1].item<double>(), Sigmoid(0.5), 0.003);
          EXPECT_NEAR(rgb[2].item<double>(), Sigmoid(2), 0.003);
        }
      }
    }
    EXPECT_GT(hits, 15);
    EXPECT_GT(misses, 5);
  }
}

// Empty, all that counts is the colour behind the rays.
class NgpLossTest : public ::testing::TestWithParam<bool> {
 protected:
  // Of the first step on 4000 rays at which a view has this colour.
  StepReport Step(const std::array<float, 4>& rgba, int64_t step = 0) {
    MethodContext context;
    context.options = NgpOptionsFor(GetParam());
    context.options.ngp.step = 0.05;
    SettleNgp(&context.options,
              {.bounded = BallFrame().bounded, .pixel = 1.0 / 256});
    context.options.ngp.random_background = random_background_;
    context.options.ngp.loss = loss_;
    context.frame = BallFrame();
    context.background = {0.25, 0.5, 0.875};
    NgpMethod method(context);
    FillUniformly(method, -20, {0, 0, 0});
    const Camera camera = BallView(0).camera;
    const CameraTable table({camera}, context.frame, torch::kCPU);
    RayBatch batch;
    batch.rays = table.ThroughAll(0, {}).Slice(0, 2500);
    batch.rgba = torch::tensor(torch::ArrayRef<float>(rgba)).repeat({2500, 1});
    return method.Step(batch, step, {});
  }

  bool random_background_ = false;
  std::string loss_ = "mse";
};

INSTANTIATE_TEST_SUITE_P(Forms,
                         NgpLossTest,
                         ::testing::Bool(),
                         [](const auto& test) {
                           return test.param ? "fused" : "plain";
                         });

TEST_P(NgpLossTest, IsOfTheColourOverTheBackground) {
  const std::array<float, 4> rgba = {0.9f, 0.45f, 0.125f, 0.75f};
  // Differences: 3/4 of 0.65, -0.05, -0.75.
  const double d[3] = {0.4875, 0.0375, 0.5625};
  const double squares = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]) / 3;
  StepReport report = Step(rgba);
  EXPECT_NEAR(report.loss, squares, 1e-5);
  EXPECT_NEAR(report.psnr, -10 * std::log10(squares), 1e-3);
  // Straight beyond a tenth.
  loss_ = "huber";
  report = Step(rgba);
  EXPECT_NEAR(report.loss,
              (0.1 * (d[0] - 0.05) + d[1] * d[1] / 2 + 0.1 * (d[2] - 0.05)) / 3,
              1e-5);
  EXPECT_NEAR(report.psnr, -10 * std::log10(squares), 1e-3);
}

TEST_P(NgpLossTest, RandomBackgroundsAreEvenlySpread) {
  random_background_ = true;
  const std::array<float, 4> opaque = {0.9f, 0.45f, 0.125f, 1};
  const auto mean = [](double c) { return 1.0 / 12 + (c - 0.5) * (c - 0.5); };
  const double expected = (mean(0.9) + mean(0.45) + mean(0.125)) / 3;
  const double first = Step(opaque, 0).loss;
  EXPECT_NEAR(first, expected, 0.01);
  EXPECT_NE(Step(opaque, 1).loss, first);
  // It stands behind the picture as it does behind the field.
  EXPECT_NEAR(Step({0.3f, 0.6f, 0.9f, 0}).loss, 0, 1e-6);
}

// A wall before cameras that look the same way, seen by one that is turned and
// stands elsewhere.
TEST(NdcPicturesTest, WallIsWhereItIs) {
  constexpr double kDepth = 7;
  Dataset dataset = Grid();
  for (View& view : dataset.train) {
    view.image =
        torch::zeros({view.camera.height, view.camera.width, 3}, torch::kUInt8);
  }
  const Camera lens = dataset.train[0].camera;
  SceneOptions scene;
  scene.ndc = true;
  const SceneFrame frame = AnalyseScene(dataset, scene);
  ASSERT_TRUE(frame.ndc);
  Options options;
  options.train.method = "nerf";
  options.train.steps = 10;
  options.train.threads = 1;
  options.nerf = SmallestNerf();
  options.nerf.N_samples = 512;
  Trainer trainer(dataset, frame, options);
  // In NDC a depth of d (of the frame) is at 1 - 2 / d. Nothing lies before it.
  const double place = 1 - 2 / (kDepth * frame.scale);
  FillHalf(trainer.method(), "coarse", {0, 0, 1}, place, 1e7, {2, 3, 0});

  Camera camera = dataset.train[3].camera;
  const Pose pose = LookAlong({0.2, -0.15, 0.3}, {0.2, -0.1, 1}, {0.1, 1, 0});
  SetPose(pose, &camera);
  const RenderedView view = trainer.RenderView(camera);
  for (int y = 0; y < camera.height; y += 5) {
    for (int x = 0; x < camera.width; x += 5) {
      const WorldRay ray = RayThrough(camera, x, y);
      const double depth = (-kDepth - ray.origin[2]) / ray.direction[2];
      const auto at = ray.At(depth);
      // The next of 512 samples is the one that shows.
      EXPECT_NEAR(view.depth[y][x].item<double>(), depth + 0.02, 0.03);
      EXPECT_GT(view.opacity[y][x].item<double>(), 0.999);
      // NDC ends at the edges of the first picture.
      const double right = 2 * lens.fx / lens.width * at[0] / kDepth;
      const double up = 2 * lens.fy / lens.height * at[1] / kDepth;
      EXPECT_NEAR(view.rgb[y][x][0].item<double>(), Sigmoid(2 * right), 0.005);
      EXPECT_NEAR(view.rgb[y][x][1].item<double>(), Sigmoid(3 * up), 0.005);
      EXPECT_NEAR(view.rgb[y][x][2].item<double>(), 0.5, 1e-5);
    }
  }
}

// run_nerf.py and run_nerf_helpers.py in fog, for one ray.
struct Twin {
  double near, far, length;  // of the direction
  bool lindisp;

  std::vector<double> Coarse(int count) const {
    std::vector<double> places;
    for (int i = 0; i < count; ++i) {
      const double t = i / (count - 1.0);
      places.push_back(lindisp ? 1 / (1 / near * (1 - t) + 1 / far * t)
                               : near * (1 - t) + far * t);
    }
    return places;
  }

  std::vector<double> Weights(const std::vector<double>& places,
                              double density) const {
    std::vector<double> weights;
    double left = 1;
    for (size_t i = 0; i < places.size(); ++i) {
      const double next =
          i + 1 < places.size() ? places[i + 1] - places[i] : 1e10;
      const double alpha = 1 - std::exp(-density * next * length);
      weights.push_back(left * alpha);
      left *= 1 - alpha + 1e-10;
    }
    return weights;
  }

  // Coarse places and, by inverse transform sampling, `more`.
  std::vector<double> Fine(const std::vector<double>& coarse,
                           const std::vector<double>& weights,
                           int more) const {
    std::vector<double> bins, cdf = {0};
    for (size_t i = 0; i + 1 < coarse.size(); ++i) {
      bins.push_back((coarse[i] + coarse[i + 1]) / 2);
    }
    double sum = 0;
    for (size_t i = 1; i + 1 < weights.size(); ++i) sum += weights[i] + 1e-5;
    for (size_t i = 1; i + 1 < weights.size(); ++i) {
      cdf.push_back(cdf.back() + (weights[i] + 1e-5) / sum);
    }
    std::vector<double> places = coarse;
    for (int k = 0; k < more; ++k) {
      // The last of linspace(0, 1) is past the sums.
      const double u = k / (more - 1.0);
      size_t above = 0;
      while (above < cdf.size() && cdf[above] <= u) ++above;
      const size_t below = above == 0 ? 0 : above - 1;
      above = std::min(above, cdf.size() - 1);
      const double width = cdf[above] - cdf[below];
      const double t = (u - cdf[below]) / (width < 1e-5 ? 1 : width);
      places.push_back(bins[below] + t * (bins[above] - bins[below]));
    }
    std::sort(places.begin(), places.end());
    return places;
  }

  double Depth(int count, int more, double coarse, double fine) const {
    std::vector<double> places = Coarse(count);
    std::vector<double> weights = Weights(places, coarse);
    if (more > 0) {
      places = Fine(places, weights, more);
      weights = Weights(places, fine);
    }
    return std::inner_product(
               places.begin(), places.end(), weights.begin(), 0.0) /
           std::accumulate(weights.begin(), weights.end(), 0.0);
  }
};

TEST(NerfPicturesTest, FogIsNerfPytorchs) {
  for (const auto& [by_option, by_frame, more] : {std::tuple(false, false, 0),
                                                  std::tuple(true, false, 0),
                                                  std::tuple(false, true, 0),
                                                  std::tuple(false, false, 9),
                                                  std::tuple(true, false, 9)}) {
    SCOPED_TRACE(std::to_string(by_option) + std::to_string(by_frame) +
                 std::to_string(more));
    SceneFrame frame = BallFrame();
    frame.bounded = false;
    frame.lindisp = by_frame;
    Options options;
    options.train.method = "nerf";
    options.train.threads = 1;
    options.nerf = SmallestNerf();
    options.nerf.lindisp = by_option;
    options.nerf.N_importance = more;
    Trainer trainer(BallDataset(), frame, options);
    FillUniformly(trainer.method(), "coarse", 0.8, {1, 0, -1});
    if (more > 0) {
      FillUniformly(trainer.method(), "fine", 0.5, {-1, 0.25, 0.5});
    }
    const Camera camera = BallView(kHeldOutView).camera;
    const RenderedView view = trainer.RenderView(camera);
    for (int y = 0; y < camera.height; y += 11) {
      for (int x = 0; x < camera.width; x += 13) {
        const auto& d = RayThrough(camera, x, y).direction;
        const double length = std::hypot(d[0], d[1], d[2]);
        const Twin twin = {
            frame.near, frame.far, length, by_option || by_frame};
        EXPECT_NEAR(view.depth[y][x].item<double>(),
                    twin.Depth(16, more, 0.8, 0.5) / frame.scale,
                    1e-3);
      }
    }
    EXPECT_NEAR(
        view.rgb[0][0][0].item<double>(), Sigmoid(more > 0 ? -1 : 1), 1e-4);
  }
}

class NerfTrainingTest : public ::testing::Test {
 protected:
  NerfTrainingTest() {
    at::set_num_threads(1);  // tests run side by side
    options_ = SmallestNerf();
    options_.lrate = 0;
  }

  std::unique_ptr<NerfMethod> Make() const {
    MethodContext context;
    context.options.train.method = "nerf";
    context.options.nerf = options_;
    context.frame = BallFrame();
    context.has_alpha = has_alpha_;
    context.background = {0.25, 0.5, 0.875};
    auto method = std::make_unique<NerfMethod>(context);
    // Colours that change from place to place, behind a slanted surface.
    FillHalf(*method, "coarse", {0.6, 0, -0.8}, 0.1, 3, {1, -2, 1.5});
    if (options_.N_importance > 0) {
      FillHalf(*method, "fine", {0, -0.8, 0.6}, 0.05, 5, {-1, 2, 0.5});
    }
    return method;
  }

  RayBatch Batch() const {
    SamplerOptions options;
    const RaySampler sampler(BallDataset(), BallFrame(), options, torch::kCPU);
    return sampler.Draw(200, 3, {});
  }

  // Of what Render() shows.
  double Expected(const NerfMethod& method, const RayBatch& batch) const {
    const auto colour = method.Background();
    const torch::Tensor behind =
        torch::tensor({colour[0], colour[1], colour[2]}, torch::kFloat32);
    const torch::Tensor alpha = batch.rgba.slice(1, 3);
    const torch::Tensor truth =
        batch.rgba.slice(1, 0, 3) * alpha + behind * (1 - alpha);
    return (method.Render(batch.rays).rgb - truth)
        .square()
        .mean()
        .item<double>();
  }

  NerfOptions options_;
  bool has_alpha_ = true;
};

TEST_F(NerfTrainingTest, WithoutChanceItSeesWhatIsRendered) {
  const RayBatch batch = Batch();
  const auto method = Make();
  const double expected = Expected(*method, batch);
  ASSERT_GT(expected, 0.01);
  const StepReport report = method->Step(batch, 0, {});
  EXPECT_NEAR(report.loss, expected, 1e-5);
  EXPECT_NEAR(report.psnr, -10 * std::log10(expected), 1e-2);
  EXPECT_EQ(report.samples, 200 * 16);

  options_.N_importance = 7;
  const auto both = Make();
  const double fine = Expected(*both, batch);
  ASSERT_GT(std::abs(fine - expected), 0.01);
  const StepReport of_both = both->Step(batch, 0, {});
  EXPECT_NEAR(of_both.loss, expected + fine, 1e-5);
  EXPECT_NEAR(of_both.psnr, -10 * std::log10(fine), 1e-2);
  EXPECT_EQ(of_both.samples, 200 * (16 + 16 + 7));
}

TEST_F(NerfTrainingTest, ChanceIsOfTrainingAlone) {
  const RayBatch batch = Batch();
  const torch::Tensor picture = Make()->Render(batch.rays).rgb;
  const double still = Make()->Step(batch, 0, {}).loss;
  for (const auto& [perturb, noise] : {std::pair(1, 0), std::pair(0, 1)}) {
    options_.perturb = perturb;
    options_.raw_noise_std = noise;
    EXPECT_TRUE(torch::equal(Make()->Render(batch.rays).rgb, picture));
    const double loss = Make()->Step(batch, 0, {}).loss;
    EXPECT_GT(std::abs(loss - still), 1e-4);
    EXPECT_NE(Make()->Step(batch, 1, {}).loss, loss);
    EXPECT_EQ(Make()->Step(batch, 0, {}).loss, loss);
  }
  // It is as strong as it was asked for.
  options_.perturb = 0;
  options_.raw_noise_std = 5;
  const double strong = Make()->Step(batch, 0, {}).loss;
  options_.raw_noise_std = 0.5;
  EXPECT_GT(std::abs(Make()->Step(batch, 0, {}).loss - strong), 1e-4);
}

TEST_F(NerfTrainingTest, BackgroundIsThatOfTheImagesOrAsAsked) {
  const auto behind = [&] { return Make()->Background(); };
  EXPECT_EQ(behind(), (std::array<double, 3>{0.25, 0.5, 0.875}));
  has_alpha_ = false;
  EXPECT_EQ(behind(), (std::array<double, 3>{0, 0, 0}));
  options_.white_bkgd = true;
  EXPECT_EQ(behind(), (std::array<double, 3>{1, 1, 1}));
  const RayBatch batch = Batch();
  const auto method = Make();
  EXPECT_NEAR(method->Step(batch, 0, {}).loss, Expected(*method, batch), 1e-5);
}

// How much is taken at once is of no consequence.
TEST_F(NerfTrainingTest, ChunksDoNotShow) {
  const RayBatch batch = Batch();
  const torch::Tensor picture = Make()->Render(batch.rays).rgb;
  options_.chunk = 7;
  options_.netchunk = 13;
  EXPECT_LT(
      (Make()->Render(batch.rays).rgb - picture).abs().max().item<double>(),
      1e-6);
}

TEST_F(NerfTrainingTest, NetsHaveTheShapeThatIsAskedFor) {
  options_.i_embed = 0;
  options_.use_viewdirs = true;
  options_.multires = 3;
  options_.multires_views = 2;
  options_.netdepth = 7;
  options_.netwidth = 10;
  options_.N_importance = 3;
  options_.netdepth_fine = 2;
  options_.netwidth_fine = 6;
  MethodContext context;
  context.options.nerf = options_;
  context.frame = BallFrame();
  const auto method = FindMethod("nerf").make(context);
  const auto shape = [&](const std::string& name) {
    return Parameter(*method, name + ".weight").sizes().vec();
  };
  using Shape = std::vector<int64_t>;
  EXPECT_EQ(shape("coarse.layer0"), (Shape{10, 3 + 3 * 6}));
  EXPECT_EQ(shape("coarse.layer4"), (Shape{10, 10}));
  EXPECT_EQ(shape("coarse.layer5"), (Shape{10, 10 + 21}));  // joins again
  EXPECT_EQ(shape("coarse.layer6"), (Shape{10, 10}));
  EXPECT_EQ(shape("coarse.view"), (Shape{5, 10 + 3 + 2 * 6}));
  EXPECT_EQ(shape("coarse.density"), (Shape{1, 10}));
  EXPECT_EQ(shape("fine.layer1"), (Shape{6, 6}));
  EXPECT_EQ(shape("fine.colour"), (Shape{3, 3}));
  EXPECT_THROW(shape("coarse.layer7"), std::runtime_error);
  EXPECT_THROW(shape("fine.layer2"), std::runtime_error);
}

}  // namespace
}  // namespace nerfpipe::nerf
