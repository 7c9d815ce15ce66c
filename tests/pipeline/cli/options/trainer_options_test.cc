// What the options of train and of the methods do, seen in what a few steps
// leave.

#include "stages/nerf/jobs/linked_trainer.h"
#include "stages/nerf/stage/train_stage.h"
#include "tests/pipeline/cli/options/trainer_lines.h"

#ifdef NERFPIPE_HIGHWAY_KERNELS
#include "stages/nerf/kernels/mlp.h"
#endif

#include <cmath>

namespace nerfpipe {
namespace {

using Run = TrainingRun;
using Line = TrainingLine;

void Check(const std::vector<Line>& lines, const std::vector<Setting>& tiny) {
  for (const Line& line : lines) {
    SCOPED_TRACE(line.option + "=" + line.value + ": " + line.promise);
    std::vector<Setting> settings = tiny;
    settings.insert(settings.end(), line.under.begin(), line.under.end());
    const Run& without = TrainWith(line.set, settings);
    settings.emplace_back(line.option, line.value);
    const Run& with = TrainWith(line.set, settings);
    EXPECT_TRUE(line.holds(without, with));
  }
}

const std::vector<Setting> kFewSteps = {{"train.factor", "1"},
                                        {"train.llffhold", "0"},
                                        {"train.report_every", "1"},
                                        {"train.steps", "4"}};

std::vector<Setting> Also(std::vector<Setting> settings,
                          const std::vector<Setting>& more) {
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

// In plain LibTorch, of a shape that the fused kernels do not have.
const std::vector<Setting> kPlainNgp = Also(kFewSteps,
                                            {{"ngp.fused", "no"},
                                             {"ngp.levels", "4"},
                                             {"ngp.hidden", "16"},
                                             {"ngp.geometry", "8"},
                                             {"ngp.log2_table", "10"},
                                             {"ngp.batch_samples", "512"},
                                             {"ngp.max_rays", "64"},
                                             {"ngp.grid_resolution", "16"},
                                             {"ngp.grid_warmup", "0"},
                                             {"ngp.grid_every", "2"}});

// The grid is as large as the kernels have it: it is looked at only where a
// line says so.
const std::vector<Setting> kFusedNgp = Also(kFewSteps,
                                            {{"ngp.grid_warmup", "0"},
                                             {"ngp.grid_every", "1000"},
                                             {"ngp.log2_table", "10"},
                                             {"ngp.batch_samples", "512"},
                                             {"ngp.max_rays", "64"}});

const std::vector<Setting> kNerf = Also(kFewSteps,
                                        {{"train.method", "nerf"},
                                         {"nerf.N_rand", "16"},
                                         {"nerf.N_samples", "8"},
                                         {"nerf.N_importance", "8"},
                                         {"nerf.netdepth", "2"},
                                         {"nerf.netwidth", "16"},
                                         {"nerf.netdepth_fine", "2"},
                                         {"nerf.netwidth_fine", "16"}});

const std::vector<Setting> kSplat = Also(kFewSteps,
                                         {{"splat.steps", "4"},
                                          {"splat.factor", "1"},
                                          {"splat.count", "304"},
                                          {"splat.first_count", "300"}});

const std::vector<Line>& TrainLines() {
  static const std::vector<Line> lines = {
      {"train.method",
       "nerf",
       "trains the other networks into a folder of their own",
       [](const Run& without, const Run& with) {
         return without.folder == "train/ngp" && with.folder == "train/nerf" &&
                Has(without, "table") && Has(with, "coarse");
       },
       {{"nerf.netwidth", "16"}, {"nerf.N_rand", "4"}}},
      {"train.steps",
       "3",
       "ends after three steps",
       [](const Run& without, const Run& with) {
         return without.lines.size() == 4 && with.lines.size() == 3 &&
                with.facts.at("steps") == 3;
       }},
      {"train.time",
       "0.03",
       "ends before four steps, at 100 a second as it counts them",
       [](const Run& without, const Run& with) {
         return without.facts.at("steps") == 4 && with.facts.at("steps") == 3;
       },
       {{"train.deterministic", "yes"}}},
      {"train.deterministic",
       "yes",
       "takes the time for a number of steps, not by the clock",
       [](const Run& without, const Run& with) {
         return without.facts.at("seconds") >= 0.07 &&
                with.facts.at("steps") == 8;
       },
       {{"train.steps", "0"}, {"train.time", "0.075"}}},
      {"train.factor",
       "2",
       "halves the images",
       [](const Run& without, const Run& with) {
         return without.scene.at("train").at(0).at("width") == 53 &&
                with.scene.at("train").at(0).at("width") == 27 &&
                without.inputs.at(1) == "images" &&
                with.inputs.at(1) == "images_2";
       }},
      {"train.llffhold",
       "3",
       "holds out the first, fourth and seventh of seven images",
       [](const Run& without, const Run& with) {
         return without.scene.at("test").empty() &&
                with.scene.at("test").size() == 3 &&
                with.scene.at("train").size() == 4;
       }},
      {"train.scene",
       "walk",
       "takes the scene for a walk",
       [](const Run& without, const Run& with) {
         return without.trainer->frame().type != nerf::SceneType::kWalk &&
                with.trainer->frame().type == nerf::SceneType::kWalk;
       }},
      {"train.seed",
       "7",
       "draws other parameters and other rays",
       [](const Run& without, const Run& with) {
         return OtherFirstLoss(without, with) &&
                !Equal(without, with, {"table"});
       }},
      {"train.checkpoint_every",
       "2",
       "saves after the second step",
       [](const Run& without, const Run& with) {
         return without.first_checkpoint == 0 && with.first_checkpoint == 3;
       }},
      {"train.checkpoint_seconds",
       "1e-9",
       "saves after each step",
       [](const Run& without, const Run& with) {
         return without.first_checkpoint == 0 && with.first_checkpoint == 2;
       }},
      {"train.report_every",
       "2",
       "writes a line of metrics for two steps",
       [](const Run& without, const Run& with) {
         return without.lines.size() == 4 && with.lines.size() == 2 &&
                with.lines.at(0).at("step") == 2;
       }},
  };
  return lines;
}

// What both forms of ngp hold to. `kAllSamples`: none is left out by chance.
const std::vector<Setting> kAllSamples = {{"ngp.roulette", "0"},
                                          {"ngp.min_weight", "0"},
                                          {"ngp.stop_transmittance", "1e-30"}};

bool FewerSamples(const Run& without, const Run& with) {
  return with.Samples(0) < without.Samples(0) && with.Samples(0) > 0;
}

// Mean difference of the parameters of such names. The first steps are the same
// but for rounding, whatever the moments' rates.
constexpr double kRounding = 1e-6;

double Change(const Run& a, const Run& b, const std::string& word) {
  double sum = 0;
  double count = 0;
  for (const auto& [name, tensor] : a.state) {
    if (name.rfind(word, 0) != 0) continue;
    const torch::Tensor other = b.state.at(name);
    sum += (tensor - other).abs().sum().item<double>();
    count += static_cast<double>(tensor.numel());
  }
  return sum / count;
}

bool OnlyTheNetsChange(const Run& without, const Run& with) {
  return Change(without, with, "table") < kRounding &&
         Change(without, with, "density") > 20 * kRounding &&
         Change(without, with, "colour") > 20 * kRounding;
}

bool NothingLearned(const Run& run) {
  return run.Table().abs().max().item<float>() <= 1.001e-4;  // as drawn
}

const std::vector<Line>& NgpLearningLines() {
  static const std::vector<Line> lines = {
      {"ngp.batch_samples",
       "4096",
       "takes more rays",
       [](const Run& without, const Run& with) {
         return with.RaysWanted() > without.RaysWanted();
       },
       {{"ngp.max_rays", "8192"}}},
      {"ngp.max_rays",
       "40",
       "is never exceeded",
       [](const Run& without, const Run& with) {
         return without.Rays(0) == 64 && with.Rays(0) == 40 &&
                with.RaysWanted() <= 40;
       }},
      {"ngp.min_weight",
       "1",
       "leaves all samples out",
       [](const Run& without, const Run& with) {
         return !NothingLearned(without) && NothingLearned(with);
       },
       {{"ngp.roulette", "0"}}},
      {"ngp.roulette", "0.7", "keeps fewer samples", FewerSamples},
      {"ngp.stop_transmittance",
       "0.9",
       "ends rays early",
       FewerSamples,
       {{"ngp.roulette", "0"}, {"ngp.min_weight", "0"}}},
      {"ngp.learning_rate",
       "0.003",
       "is that of the first step",
       [](const Run& without, const Run& with) {
         return Near(without.Rate(0), 0.01) && Near(with.Rate(0), 0.003);
       }},
      {"ngp.constant_part",
       "0.25",
       "lets the rate fall from the second step on",
       [](const Run& without, const Run& with) {
         return Near(without.Rate(2), 0.01) && Near(with.Rate(1), 0.01) &&
                Near(with.Rate(2), 0.01 * std::pow(0.1, 1 / 3.0));
       }},
      {"ngp.final_rate",
       "0.5",
       "is what the rate falls to",
       [](const Run& without, const Run& with) {
         return Near(without.Rate(2), 0.01 * std::pow(0.1, 0.5)) &&
                Near(with.Rate(2), 0.01 * std::pow(0.5, 0.5));
       },
       {{"ngp.constant_part", "0"}}},
      {"ngp.beta1",
       "0.5",
       "changes the second step of the nets, not of the table",
       OnlyTheNetsChange,
       {{"train.steps", "2"}}},
      {"ngp.beta2",
       "0.5",
       "changes the second step of the nets, not of the table",
       OnlyTheNetsChange,
       {{"train.steps", "2"}}},
      {"ngp.table_beta2",
       "0.5",
       "changes the first step's moments of the table, not of the nets",
       [](const Run& without, const Run& with) {
         return !Equal(without, with, {"table"}) &&
                Equal(without, with, {"density", "colour", "adam"});
       },
       {{"train.steps", "1"}}},
      {"ngp.epsilon",
       "1",
       "makes steps by small gradients small",
       [](const Run& without, const Run& with) {
         return !NothingLearned(without) &&
                with.Table().abs().max().item<float>() <
                    0.5F * without.Table().abs().max().item<float>();
       }},
      {"ngp.weight_decay",
       "1",
       "pulls at the nets, not at the table",
       [](const Run& without, const Run& with) {
         return Equal(without, with, {"table"}) &&
                !Equal(without, with, {"density"}) &&
                !Equal(without, with, {"colour"});
       },
       {{"train.steps", "1"}}},
      {"ngp.loss",
       "huber",
       "weighs the same difference less",
       [](const Run& without, const Run& with) {
         return Near(with.Psnr(0), without.Psnr(0)) &&
                with.Loss(0) < 0.6 * without.Loss(0);
       }},
      {"ngp.distortion",
       "5",
       "changes what is learned, not the difference to the photo",
       [](const Run& without, const Run& with) {
         return without.Loss(0) == with.Loss(0) &&
                !Equal(without, with, {"density"});
       },
       {{"train.steps", "1"}}},
      {"ngp.free_space",
       "0",
       "looks for no lines of sight, so that no place is closed at first",
       [](const Run& without, const Run& with) {
         return without.Samples(0) < with.Samples(0);
       },
       kAllSamples,
       TestSet::kPoints},
      {"ngp.free_space",
       "5",
       "pushes harder",
       [](const Run& without, const Run& with) {
         return without.Samples(0) == with.Samples(0) &&
                !Equal(without, with, {"density"});
       },
       // Long enough for free cells to be open again, and visited.
       Also(kAllSamples, {{"ngp.grid_warmup", "16"}, {"train.steps", "14"}}),
       TestSet::kPoints},
      {"ngp.random_background",
       "no",
       "puts the mean colour behind the rays",
       OtherFirstLoss,
       {},
       TestSet::kBox},
      {"ngp.step",
       "0.05",
       "leaves larger steps between samples",
       FewerSamples,
       kAllSamples},
      {"ngp.cone", "0.3", "lets steps grow faster", FewerSamples, kAllSamples},
      {"ngp.far",
       "50000",
       "marches on",
       [](const Run& without, const Run& with) {
         return with.Samples(0) > without.Samples(0);
       },
       kAllSamples},
      {"ngp.grid_threshold",
       "1e-9",
       "occupies cells of less density than the mean, which is the most",
       [](const Run& without, const Run& with) {
         return with.Samples(11) * without.Rays(11) >
                without.Samples(11) * with.Rays(11);
       },
       Also(kAllSamples,
            {{"ngp.grid_threshold", "1e6"},
             {"ngp.grid_warmup", "16"},
             {"train.steps", "12"}})},
      {"ngp.grid_every",
       "1000",
       "leaves out the update before the third step",
       [](const Run& without, const Run& with) {
         return without.Loss(1) == with.Loss(1) &&
                !Equal(without, with, {"grid"});
       },
       {{"ngp.grid_warmup", "0"}, {"ngp.grid_every", "2"}}},
      {"ngp.grid_decay",
       "0.5",
       "lets cells fade faster",
       [](const Run& without, const Run& with) {
         return with.state.at("grid").sum().item<double>() <
                without.state.at("grid").sum().item<double>();
       },
       {{"ngp.grid_warmup", "0"}, {"ngp.grid_every", "1"}}},
  };
  return lines;
}

// Cells that hold the most frequent value of those that are ever seen: that of
// the beginning while they are not visited.
int64_t UnvisitedCells(const Run& run) {
  const torch::Tensor& grid = run.state.at("grid");
  const torch::Tensor seen = grid.masked_select(grid >= 0);
  return std::get<2>(at::_unique2(seen, true, false, true))
      .max()
      .item<int64_t>();
}

const std::vector<Line>& NgpShapeLines() {
  static const std::vector<Line> lines = {
      {"ngp.levels",
       "5",
       "gives the nets more features",
       [](const Run& without, const Run& with) {
         return Size(without, "density1", 1) + Size(without, "density1", 0) ==
                    16 + 4 * 4 &&
                Size(with, "density1", 1) + Size(with, "density1", 0) ==
                    16 + 5 * 4;
       }},
      {"ngp.features",
       "2",
       "is the width of the table",
       [](const Run& without, const Run& with) {
         return Size(without, "table", 1) == 4 && Size(with, "table", 1) == 2;
       }},
      {"ngp.base_resolution",
       "5",
       "makes the coarsest level smaller than a table: 5^3 rows, in eights",
       [](const Run& without, const Run& with) {
         return Size(without, "table", 0) == 4 * 1024 &&
                Size(with, "table", 0) == 128 + 3 * 1024;
       }},
      {"ngp.finest_resolution",
       "16",
       "looks at the same rows from other places",
       [](const Run& without, const Run& with) {
         return Size(without, "table", 0) == Size(with, "table", 0) &&
                !Equal(without, with, {"table"});
       }},
      {"ngp.log2_table",
       "9",
       "halves the table",
       [](const Run& without, const Run& with) {
         return Size(without, "table", 0) == 4 * 1024 &&
                Size(with, "table", 0) == 4 * 512;
       }},
      {"ngp.hidden",
       "24",
       "is the width of the nets",
       [](const Run& without, const Run& with) {
         return Size(without, "colour2", 0) == 16 &&
                Size(without, "colour2", 1) == 16 &&
                Size(with, "colour2", 0) == 24 &&
                Size(with, "colour2", 1) == 24;
       }},
      {"ngp.geometry",
       "5",
       "is the number of outputs of the density net",
       [](const Run& without, const Run& with) {
         return without.state.at("density2").numel() == 16 * 8 &&
                with.state.at("density2").numel() == 16 * 5;
       }},
      {"ngp.grid_resolution",
       "12",
       "is the side of the grid",
       [](const Run& without, const Run& with) {
         return without.state.at("grid").numel() == 16 * 16 * 16 &&
                with.state.at("grid").numel() == 12 * 12 * 12;
       }},
      {"ngp.grid_warmup",
       "16",
       "visits every cell once in eight updates",
       [](const Run& without, const Run& with) {
         return UnvisitedCells(without) > 100 && UnvisitedCells(with) < 20;
       },
       {{"train.steps", "10"}}},
  };
  return lines;
}

const std::vector<Line>& NgpKernelLines() {
  static const std::vector<Line> lines = {
      {"ngp.fused",
       "no",
       "has no eighths of cells, which only the kernels march through",
       [](const Run& without, const Run& with) {
         return !AllZero(without.state.at("grid_fine")) &&
                AllZero(with.state.at("grid_fine"));
       },
       {{"ngp.grid_refine_every", "1"},
        {"ngp.grid_warmup", "0"},
        {"ngp.grid_every", "1"}},
       TestSet::kBox},
      {"ngp.bfloat16",
       "no",
       "keeps all digits of the factors",
       [](const Run& without, const Run& with) {
#ifdef NERFPIPE_HIGHWAY_KERNELS
         const bool shorter = nerf::kernels::ChoosePrecision(true) ==
                              nerf::kernels::Precision::kBfloat16;
#else
         const bool shorter = false;
#endif
         // Nothing to choose on a processor that does not multiply them.
         return Equal(without, with, {"density"}) != shorter;
       }},
      {"ngp.grid_refine_every",
       "0",
       "never looks at eighths of cells",
       [](const Run& without, const Run& with) {
         return !Equal(without, with, {"table"});
       },
       {{"ngp.grid_refine_every", "1"},
        {"ngp.grid_warmup", "0"},
        {"ngp.grid_every", "1"}},
       TestSet::kBox},
  };
  return lines;
}

TEST(OptionTable, OfTrain) { Check(TrainLines(), kPlainNgp); }
TEST(OptionTable, OfNgpsShape) { Check(NgpShapeLines(), kPlainNgp); }
TEST(OptionTable, OfNgpsLearning) { Check(NgpLearningLines(), kPlainNgp); }
#ifdef NERFPIPE_HIGHWAY_KERNELS
TEST(OptionTable, OfNgpsLearningInTheKernels) {
  Check(NgpLearningLines(), kFusedNgp);
}
TEST(OptionTable, OfNgpsKernels) { Check(NgpKernelLines(), kFusedNgp); }
#endif
#ifdef NERFPIPE_HIGHWAY_KERNELS
TEST(OptionTable, OfSplat) { Check(SplatLines(), kSplat); }
#endif
TEST(OptionTable, OfNerf) { Check(NerfLines(), kNerf); }

TEST(OptionTable, HasALineForEveryOptionOfTraining) {
  std::vector<std::string> names;
  for (const auto* lines : {&TrainLines(),
                            &NgpShapeLines(),
                            &NgpLearningLines(),
                            &NgpKernelLines(),
                            &NerfLines(),
                            &SplatLines()}) {
    for (const Line& line : *lines) names.push_back(line.option);
  }
  TrainSettings settings;
  ExpectALineForEach(TrainOptionGroups(&settings), names);
}

}  // namespace
}  // namespace nerfpipe
