// Scores against pictures that are known in advance, and the lines of
// metrics.jsonl.

#include "stages/nerf/jobs/evaluation.h"

#include "pipeline/base/atomic_file.h"
#include "stages/media/image_file.h"
#include "stages/nerf/jobs/metrics_log.h"
#include "tests/listener.h"
#include "tests/stages/nerf/known_fields.h"
#include "tests/stages/nerf/spheres.h"
#include "tests/temporary_folder.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

using ::testing::ElementsAre;

// Keeps the tables.
class Tables : public Report {
 public:
  void Info(std::string_view) override {}
  void Warn(std::string_view) override {}
  void Detail(std::string_view) override {}
  void Show(const Table& table) override { tables.push_back(table); }
  std::unique_ptr<Progress> Start(std::string_view what,
                                  int64_t total,
                                  std::string_view unit) override {
    return SilentReport().Start(what, total, unit);
  }

  std::vector<Table> tables;
};

// A trainer whose field is empty: it renders the background alone.
std::unique_ptr<nerf::Trainer> Empty(const std::string& method,
                                     nerf::Dataset dataset,
                                     bool white) {
  nerf::Options options;
  options.train.method = method;
  options.train.steps = 10;
  options.train.threads = 1;
  options.ngp.log2_table = 10;
  options.ngp.levels = 4;
  options.nerf = nerf::SmallestNerf();
  options.nerf.white_bkgd = white;
  auto trainer = std::make_unique<nerf::Trainer>(
      std::move(dataset), nerf::BallFrame(), options);
  if (method == "nerf") {
    nerf::FillUniformly(trainer->method(), "coarse", -1, {0, 0, 0});
  } else {
    nerf::FillUniformly(trainer->method(), -20, {0, 0, 0});
  }
  return trainer;
}

// One colour all over, with as much alpha.
nerf::View Plain(const std::string& name, const std::vector<uint8_t>& rgba) {
  nerf::View view;
  view.name = name;
  view.camera = nerf::BallView(3).camera;
  view.image = torch::tensor(torch::ArrayRef<uint8_t>(rgba), torch::kUInt8)
                   .repeat({view.camera.height, view.camera.width, 1});
  return view;
}

// SSIM of two flat pictures, of one channel.
double FlatSsim(double a, double b) {
  return (2 * a * b + 1e-4) / (a * a + b * b + 1e-4);
}

class EvaluationTest : public ::testing::TestWithParam<std::string> {
 protected:
  const TemporaryFolder folder_;
  Tables report_;
};

INSTANTIATE_TEST_SUITE_P(Methods,
                         EvaluationTest,
                         ::testing::Values("ngp", "nerf"),
                         [](const auto& test) { return test.param; });

// Transparent pixels are compared over the colour that is behind the field.
TEST_P(EvaluationTest, TransparentViewsAreScoredOverTheBackground) {
  for (const std::array<double, 3>& behind :
       {std::array<double, 3>{1, 1, 1},
        std::array<double, 3>{0, 0, 0},
        std::array<double, 3>{0.25, 0.5, 0.875}}) {
    nerf::Dataset dataset = nerf::BallDataset();
    dataset.background = behind;
    const auto trainer = Empty(GetParam(), dataset, /*white=*/false);
    const double alpha = 102 / 255.0;
    const double colours[2][3] = {{51 / 255.0, 204 / 255.0, 153 / 255.0},
                                  {1, 0, 0.2}};
    const Scores scores = Evaluate(*trainer,
                                   {Plain("a/x.jpg", {51, 204, 153, 102}),
                                    Plain("y.png", {255, 0, 51, 255})},
                                   folder_ / "test",
                                   report_);
    ASSERT_EQ(scores.views.size(), 2);
    double mean_psnr = 0, mean_ssim = 0;
    for (int i = 0; i < 2; ++i) {
      double squares = 0, ssim = 0;
      for (int c = 0; c < 3; ++c) {
        const double part = i == 0 ? alpha : 1;
        const double truth = part * colours[i][c] + (1 - part) * behind[c];
        squares += (truth - behind[c]) * (truth - behind[c]) / 3;
        ssim += FlatSsim(truth, behind[c]) / 3;
      }
      const double psnr = -10 * std::log10(squares);
      EXPECT_NEAR(scores.views[i].psnr, psnr, 1e-3) << i;
      EXPECT_NEAR(scores.views[i].ssim, ssim, 1e-4) << i;
      mean_psnr += psnr / 2;
      mean_ssim += ssim / 2;
    }
    EXPECT_NEAR(scores.psnr, mean_psnr, 1e-3);
    EXPECT_NEAR(scores.ssim, mean_ssim, 1e-4);
    // Of flat pictures any colour is right.
    EXPECT_GT(scores.corrected_psnr, 99);
    EXPECT_NEAR(scores.views[1].corrected_ssim, 1, 1e-4);
    EXPECT_EQ(scores.views[0].name, "a/x.jpg");
  }
  // Rendered on the left, the truth on the right.
  const Image pair = ReadImage(folder_ / "test/a_x.png");
  const int width = nerf::BallView(3).camera.width;
  ASSERT_EQ(pair.width, 2 * width);
  EXPECT_NEAR(pair.At(width - 1, 5)[1], 127.5, 0.6);
  EXPECT_EQ(pair.At(width, 5)[1], 158);  // 0.4 * 204 + 0.6 * 127.5
  const Table& table = report_.tables.back();
  ASSERT_EQ(table.rows.size(), 3);
  EXPECT_EQ(table.rows[0][0], "a/x.jpg");
  EXPECT_EQ(table.rows[2][0], "mean of 2");
}

// Paths may be longer than names.
TEST(LongNamesEvaluationTest, EachViewHasItsPicture) {
  const TemporaryFolder folder;
  const auto trainer = Empty("ngp", nerf::BallDataset(), /*white=*/false);
  const std::string path = std::string(150, 'a') + "/" + std::string(150, 'b');
  Tables report;
  Evaluate(*trainer,
           {Plain("../" + path + "1.png", {51, 204, 153, 255}),
            Plain("../" + path + "2.png", {51, 204, 153, 255})},
           folder / "test",
           report);
  EXPECT_EQ(
      std::distance(std::filesystem::directory_iterator(folder / "test"), {}),
      2);
}

// The right part says nothing, whatever it shows; of the last view all of it.
TEST(MaskedEvaluationTest, OnlyWhatAMaskLeavesIsScored) {
  const TemporaryFolder folder;
  nerf::Dataset dataset = nerf::BallDataset();
  dataset.background = {0.6, 0.6, 0.6};
  nerf::View masked = Plain("m.png", {51, 51, 51, 255});
  masked.mask =
      torch::ones({masked.camera.height, masked.camera.width}, torch::kUInt8);
  masked.mask.slice(1, masked.camera.width / 3).fill_(0);
  masked.image.slice(1, masked.camera.width / 3).fill_(255);
  nerf::View nothing = masked;
  nothing.name = "nothing.png";
  nothing.mask = torch::zeros_like(masked.mask);
  Listener report;
  const Scores scores = Evaluate(
      *Empty("ngp", dataset, false), {masked, nothing}, folder, report);
  ASSERT_EQ(scores.views.size(), 1u);
  EXPECT_NEAR(scores.psnr, -20 * std::log10(0.4), 1e-3);
  EXPECT_THAT(report.warnings,
              ElementsAre(::testing::HasSubstr("nothing.png leaves nothing")));
}

// What is behind opaque views is a matter of `ngp`'s data set and of `nerf`'s
// options.
TEST(OpaqueEvaluationTest, BackgroundIsTheMethods) {
  const TemporaryFolder folder;
  nerf::Dataset dataset = nerf::BallDataset();
  for (nerf::View& view : dataset.train) {
    view.image = view.image.slice(2, 0, 3).contiguous();
  }
  dataset.background = {0.6, 0.6, 0.6};
  const auto psnr = [&](const std::string& method, bool white) {
    return Evaluate(*Empty(method, dataset, white),
                    {Plain("x.png", {51, 51, 51})},
                    folder,
                    SilentReport())
        .psnr;
  };
  EXPECT_NEAR(psnr("ngp", false), -20 * std::log10(0.4), 1e-3);
  EXPECT_NEAR(psnr("nerf", false), -20 * std::log10(0.2), 1e-3);
  EXPECT_NEAR(psnr("nerf", true), -20 * std::log10(0.8), 1e-3);
}

TEST(OpaqueEvaluationTest, WithoutViewsThereIsNothing) {
  const TemporaryFolder folder;
  Tables report;
  const Scores scores = Evaluate(
      *Empty("nerf", nerf::BallDataset(), true), {}, folder / "test", report);
  EXPECT_TRUE(scores.views.empty());
  EXPECT_FALSE(std::filesystem::exists(folder / "test"));
  EXPECT_TRUE(report.tables.empty());
}

nerf::TrainProgress ProgressAt(int64_t step) {
  nerf::TrainProgress progress;
  progress.step = step;
  progress.seconds = 0.5 * static_cast<double>(step);
  progress.loss = 1.0 / static_cast<double>(step);
  progress.psnr = 20;
  progress.learning_rate = 1e-3;
  progress.pixels_per_second = 3000;
  progress.samples_per_second = 70000;
  return progress;
}

std::vector<nlohmann::json> LinesOf(const std::filesystem::path& file) {
  std::vector<nlohmann::json> lines;
  const std::string text = ReadFile(file);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    lines.push_back(nlohmann::json::parse(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return lines;
}

// Every line is there as soon as it is added, for who draws plots meanwhile.
TEST(MetricsLogTest, HasALineForEachReport) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "metrics.jsonl";
  MetricsLog log(file, 0);
  log.Add(ProgressAt(10));
  ASSERT_EQ(LinesOf(file).size(), 1);
  log.Add(ProgressAt(20));
  Scores scores;
  scores.psnr = 25;
  scores.ssim = 0.75;
  scores.corrected_psnr = 27;
  scores.views = {{"a.png", 24, 0.5, 0.6, 25, 0.7}, {"b.png", 26, 1}};
  log.Add(scores, 20);
  const auto lines = LinesOf(file);
  ASSERT_EQ(lines.size(), 3);
  EXPECT_EQ(lines[1],
            (nlohmann::json{{"step", 20},
                            {"seconds", 10.0},
                            {"loss", 0.05},
                            {"psnr", 20.0},
                            {"learning_rate", 1e-3},
                            {"pixels_per_second", 3000.0},
                            {"samples_per_second", 70000.0}}));
  EXPECT_EQ(lines[2]["step"], 20);
  EXPECT_EQ(lines[2]["test_psnr"], 25);
  EXPECT_EQ(lines[2]["test_ssim"], 0.75);
  EXPECT_EQ(lines[2]["test_views"]["b.png"]["psnr"], 26);
  EXPECT_EQ(lines[2]["test_corrected_psnr"], 27);
  EXPECT_EQ(lines[2]["test_views"]["a.png"],
            (nlohmann::json{{"psnr", 24.0},
                            {"ssim", 0.5},
                            {"ms_ssim", 0.6},
                            {"corrected_psnr", 25.0},
                            {"corrected_ssim", 0.7}}));
}

// Steps that are done again, scores of what is not the end, and a line that was
// cut off.
TEST(MetricsLogTest, GoesOnWithWhatStillHolds) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "metrics.jsonl";
  {
    MetricsLog log(file, 0);
    for (const int step : {10, 20, 30}) log.Add(ProgressAt(step));
    log.Add(Scores{}, 30);
  }
  WriteFileAtomically(file, ReadFile(file) + "{\"step\": 40, \"lo");
  MetricsLog log(file, 20);
  log.Add(ProgressAt(25));
  std::vector<int> steps;
  for (const auto& line : LinesOf(file)) {
    steps.push_back(line["step"].get<int>());
  }
  EXPECT_THAT(steps, ElementsAre(10, 20, 25));
}

}  // namespace
}  // namespace nerfpipe
