// The fused kernels alone on a data set, by hand:
//   train DATASET [name=value ...]
// Names are in ReadSettings(); defaults (0: by the scene) are those of `ngp`
// for a minute; with steps=N it goes by steps, not by time. Prints speed and
// batch PSNR on the way, then the share of each kernel beside its floor
// (operations and bytes), and the held-out PSNR.

#include "pipeline/base/report.h"
#include "stages/nerf/data/read_dataset.h"
#include "stages/nerf/kernels/ngp_kernels.h"
#include "stages/nerf/ngp_backend.h"
#include "stages/nerf/ngp_settings.h"
#include "stages/nerf/ray_sampler.h"
#include "stages/nerf/scene_analysis.h"
#include "stages/nerf/visibility.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace nerfpipe::nerf {
namespace {

using kernels::NgpKernels;

double Now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

using Settings = std::map<std::string, double>;

Settings ReadSettings(int argc, char** argv) {
  Settings settings = {{"seconds", 60}, {"factor", 0},       {"threads", 0},
                       {"table", 0},    {"batch", 8192},     {"seed", 1},
                       {"minw", 5e-4},  {"roulette", 0.02},  {"step", 0},
                       {"cone", 0},     {"lr", 1e-2},        {"flat", 0.85},
                       {"final", 0.1},  {"decay", 0.98},     {"threshold", 0},
                       {"every", 32},   {"warmup", 256},     {"hull", 1},
                       {"huber", 0},    {"finest", 0},       {"views", 1000},
                       {"far", 64},     {"beta2", 0.95},     {"steps", 0},
                       {"bf16", 1},     {"stop", 0},         {"refine", 1024},
                       {"void", 0},     {"distortion", 0.01}};
  for (int i = 2; i < argc; ++i) {
    const std::string text = argv[i];
    const size_t equals = text.find('=');
    settings.at(text.substr(0, equals)) = std::stod(text.substr(equals + 1));
  }
  return settings;
}

// Parameters and Adam's moments as plain memory.
struct State {
  explicit State(const kernels::NgpShape& shape, uint64_t seed) {
    using namespace kernels;
    const size_t table =
        static_cast<size_t>(TableRows(MakeGridLevels(shape))) * kFeatures;
    std::mt19937_64 random(seed);
    const auto fill = [&](std::span<float> to, double bound) {
      std::uniform_real_distribution<float> uniform(-bound, bound);
      for (float& value : to) value = uniform(random);
    };
    for (int k = 0; k < 3; ++k) {
      memory[k].resize(table + kNetSize);
      const std::span<float> all(memory[k]);
      NgpTensors& t = tensors[k];
      t.table = all.subspan(0, table);
      t.density0 = all.subspan(table + kDensity0At, kHidden * kInputs);
      t.density1 = all.subspan(table + kDensity1At, kGeometry * kHidden);
      t.colour0 = all.subspan(table + kColour0At, kHidden * kColourInputs);
      t.colour1 = all.subspan(table + kColour1At, kHidden * kHidden);
      t.colour2 = all.subspan(table + kColour2At, kColours * kHidden);
    }
    tensors[2].table = tensors[2].table.first(table / kFeatures);
    fill(tensors[0].table, 1e-4);
    fill(tensors[0].density0, std::sqrt(6.0 / (kHidden + kInputs)));
    fill(tensors[0].density1, std::sqrt(6.0 / (kHidden + kGeometry)));
    fill(tensors[0].colour0, std::sqrt(6.0 / (kHidden + kColourInputs)));
    fill(tensors[0].colour1, std::sqrt(6.0 / (kHidden + kHidden)));
    fill(tensors[0].colour2, std::sqrt(6.0 / (kHidden + kColours)));
  }
  std::vector<float> memory[3];
  kernels::NgpTensors tensors[3];
};

kernels::RayArrays ArraysOf(const Rays& rays) {
  return {rays.origins.data_ptr<float>(),
          rays.directions.data_ptr<float>(),
          rays.near.data_ptr<float>(),
          rays.far.data_ptr<float>(),
          static_cast<size_t>(rays.size())};
}

// What a part has to do at least, for `marched` and `trained` samples.
struct Floor {
  const char* name;
  double seconds;  // of all threads together
  double operations, bytes;
};

void PrintShares(const NgpKernels& kernels,
                 double seconds,
                 int threads,
                 double marched,
                 double trained) {
  using namespace kernels;
  const KernelTimes t = kernels.times();
  const double density = 2.0 * (kHidden * kInputs + kGeometry * kHidden);
  const double colour =
      2.0 * (kHidden * kColourInputs + kHidden * kHidden + kColours * kHidden);
  const double rows = 8.0 * kLevels * kFeatures;  // floats of a sample's rows
  const Floor parts[] = {
      {"march", t.march, 0, 0},
      {"encode", t.encode, 2 * rows * marched, 2 * rows * marched},
      {"nets forward", t.nets, density * marched + colour * trained, 0},
      {"compositing", t.composite, 0, 0},
      {"nets backward", t.backward, 2 * (density + colour) * trained, 0},
      {"scatter", t.scatter, 2 * rows * trained, 8 * rows * trained},
      // Value and gradient of each feature and one second moment, read and
      // written, and the halves, written, for every row of a touched block.
      {"adam",
       t.adam,
       4.0 * kFeatures * static_cast<double>(t.rows),
       (2 * (8.0 * kFeatures + 4) + 2 * kFeatures) *
           static_cast<double>(t.rows)},
      {"grid", t.grid, 0, 0}};
  std::printf("%-14s %7s %9s %9s %9s %9s\n",
              "kernel",
              "share",
              "GFLOP",
              "GB",
              "GFLOP/s",
              "GB/s");
  double sum = 0;
  for (const Floor& part : parts) {
    sum += part.seconds;
    const double scale = 1e-9 / std::max(1e-9, part.seconds);
    std::printf("%-14s %5.1f %% %9.0f %9.0f %9.1f %9.1f\n",
                part.name,
                100 * part.seconds / (seconds * threads),
                1e-9 * part.operations,
                1e-9 * part.bytes,
                part.operations * scale,
                part.bytes * scale);
  }
  std::printf(
      "%-14s %5.1f %%\n", "the rest", 100 - 100 * sum / (seconds * threads));
  std::printf(
      "(GFLOP and GB: what has to be done at least; rates per thread; %.1f M "
      "rows stepped by Adam)\n",
      1e-6 * static_cast<double>(t.rows));
}

double HeldOut(const Dataset& dataset,
               const SceneFrame& frame,
               const Settings& settings,
               const kernels::SampleRules& rules,
               NgpKernels& kernels) {
  std::vector<Camera> cameras;
  for (const View& view : dataset.test) cameras.push_back(view.camera);
  const CameraTable table(cameras, frame, torch::kCPU);
  const size_t count = std::min<size_t>(cameras.size(), settings.at("views"));
  double psnr = 0, seconds = 0, pixels = 0;
  for (size_t v = 0; v < count; ++v) {
    Rays rays = table.ThroughAll(static_cast<int64_t>(v), {});
    if (!frame.bounded) rays.far = rays.far.clamp_min(settings.at("far"));
    const size_t n = static_cast<size_t>(rays.size());
    std::vector<float> rgb(3 * n), depth(n), opacity(n);
    std::array<float, 3> background;
    for (int c = 0; c < 3; ++c) {
      background[c] = static_cast<float>(dataset.background[c]);
    }
    const double start = Now();
    kernels.RenderRays(ArraysOf(rays),
                       rules,
                       background,
                       rgb.data(),
                       depth.data(),
                       opacity.data());
    seconds += Now() - start;
    pixels += static_cast<double>(n);
    const torch::Tensor image = dataset.test[v].image.contiguous();
    const uint8_t* truth = image.data_ptr<uint8_t>();
    const int64_t channels = image.size(2);
    double error = 0;
    for (size_t i = 0; i < n; ++i) {
      const uint8_t* pixel = truth + i * channels;
      const double alpha = channels == 4 ? pixel[3] / 255.0 : 1;
      for (int c = 0; c < 3; ++c) {
        const double d = std::clamp(rgb[3 * i + c], 0.0f, 1.0f) -
                         pixel[c] / 255.0 * alpha - (1 - alpha) * background[c];
        error += d * d;
      }
    }
    psnr += -10 * std::log10(error / (3 * static_cast<double>(n)));
  }
  std::printf("rendering: %.2f M rays/s\n", 1e-6 * pixels / seconds);
  return psnr / static_cast<double>(count);
}

class Run {
 public:
  Run(const Dataset& dataset, const SceneFrame& frame, Settings settings)
      : frame_(frame), settings_(std::move(settings)) {
    shape_.contracted = !frame.bounded;
    Options usual;
    usual.train.time = settings_["seconds"];
    usual.ngp.log2_table = static_cast<int>(settings_["table"]);
    usual.ngp.stop_transmittance = settings_["stop"];
    usual.ngp.grid_threshold = settings_["threshold"];
    usual.ngp.finest_resolution = static_cast<int>(settings_["finest"]);
    usual.ngp.cone = settings_["cone"];
    usual.ngp.step = settings_["step"];
    SettleNgp(&usual, FactsOfRun(dataset, frame.bounded, torch::kCPU));
    shape_.log2_table = usual.ngp.log2_table;
    shape_.finest_resolution = usual.ngp.finest_resolution;
    kernels::SampleRules& rules = options_.samples;
    rules.march.contracted = shape_.contracted;
    rules.march.step = static_cast<float>(usual.ngp.step);
    rules.march.cone = static_cast<float>(usual.ngp.cone);
    rules.min_weight = static_cast<float>(settings_["minw"]);
    rules.stop_transmittance = static_cast<float>(usual.ngp.stop_transmittance);
    options_.table_adam.beta2 = static_cast<float>(settings_["beta2"]);
    options_.loss = settings_["huber"] > 0 ? kernels::LossKind::kHuber
                                           : kernels::LossKind::kSquared;
    options_.distortion = static_cast<float>(settings_["distortion"]);
    grid_options_.every = static_cast<int>(settings_["every"]);
    grid_options_.warmup = static_cast<int>(settings_["warmup"]);
    grid_options_.threshold = static_cast<float>(usual.ngp.grid_threshold);
    if (frame.bounded) {
      grid_options_.refine_every = static_cast<int64_t>(settings_["refine"]);
    }
    grid_options_.decay = static_cast<float>(settings_["decay"]);
    options_.target_samples = static_cast<size_t>(settings_["batch"]);
    options_.seed = static_cast<uint64_t>(settings_["seed"]);
    grid_options_.length = rules.march.step;
    grid_options_.seed = options_.seed;
    SamplerOptions sampler;
    sampler.seed = options_.seed;
    sampler.skip_void = settings_["void"] == 0;
    sampler_ =
        std::make_unique<RaySampler>(dataset, frame, sampler, torch::kCPU);
    thickness_.assign(kernels::kGridCells, 1.0f);
    std::vector<Camera> cameras;
    for (const View& view : dataset.train) cameras.push_back(view.camera);
    const torch::Tensor seen =
        VisibleCells(cameras, frame, kernels::kGridSide, frame.bounded ? 1 : 2)
            .contiguous();
    for (size_t i = 0; i < thickness_.size(); ++i) {
      if (!seen.data_ptr<bool>()[i]) thickness_[i] = -1;
    }
    if (settings_["hull"] > 0) Carve(dataset, cameras);
    grid_ = std::make_unique<kernels::OccupancyGrid>(thickness_);
    state_ = std::make_unique<State>(shape_, options_.seed);
    kernels_ = std::make_unique<NgpKernels>(
        shape_,
        state_->tensors[0],
        state_->tensors[1],
        state_->tensors[2],
        grid_.get(),
        kernels::ChoosePrecision(settings_["bf16"] > 0),
        static_cast<int>(settings_["threads"]));
  }

  void Train() {
    // Of the run, by steps where their number is given.
    const double start = Now();
    const auto part = [&](int64_t step) {
      return settings_["steps"] > 0
                 ? static_cast<double>(step) / settings_["steps"]
                 : (Now() - start) / settings_["seconds"];
    };
    int reports = 0;
    for (int64_t step = 0; part(step) < 1; ++step) {
      Step(step, part(step));
      if (part(step + 1) < (reports + 1) / 6.0) continue;
      ++reports;
      Report(step + 1, Now() - start);
    }
    seconds_ = Now() - start;
    PrintShares(*kernels_,
                seconds_,
                static_cast<int>(settings_["threads"]),
                static_cast<double>(marched_),
                static_cast<double>(trained_));
  }

  NgpKernels& kernels() { return *kernels_; }
  // As ngp_fused.cc renders.
  kernels::SampleRules rules() const {
    kernels::SampleRules rules = options_.samples;
    rules.roulette = kRenderRoulette;
    rules.stop_transmittance = kRenderStop;
    return rules;
  }

 private:
  void Carve(const Dataset& dataset, const std::vector<Camera>& cameras) {
    std::vector<torch::Tensor> images;
    for (const View& view : dataset.train) images.push_back(view.image);
    const torch::Tensor empty = EmptyCells(
        cameras, images, frame_, kernels::kGridSide, frame_.bounded ? 1 : 2);
    for (size_t i = 0; i < thickness_.size(); ++i) {
      if (empty.data_ptr<bool>()[i]) thickness_[i] = -1;
    }
  }

  void Step(int64_t step, double part) {
    const double flat = settings_["flat"];
    const double fall =
        part < flat ? 1
                    : std::pow(settings_["final"], (part - flat) / (1 - flat));
    const double rate = settings_["lr"] * fall;
    options_.table_adam.learning_rate = static_cast<float>(rate);
    options_.net_adam.learning_rate = static_cast<float>(rate);
    options_.samples.roulette =
        static_cast<float>(settings_["roulette"] * fall);
    kernels_->UpdateGridIfDue(grid_options_, step);
    RayBatch batch = sampler_->Draw(rays_, step, {});
    if (!frame_.bounded) {
      batch.rays.far = batch.rays.far.clamp_min(settings_["far"]);
    }
    const kernels::StepStats stats = kernels_->TrainStep(
        ArraysOf(batch.rays), batch.rgba.data_ptr<float>(), options_, step);
    total_rays_ += rays_;
    marched_ += stats.marched;
    trained_ += stats.trained;
    error_ += stats.squared_error;
    ++steps_;
    rays_ = kernels::NextRayCount(rays_,
                                  stats.trained,
                                  static_cast<int64_t>(options_.target_samples),
                                  16384);
  }

  void Report(int64_t step, double seconds) {
    std::printf(
        "%6.1f s  step %ld  batch %.2f dB  %.0f k rays/s  %.2f M marched/s  "
        "%.2f M trained/s\n",
        seconds,
        static_cast<long>(step),
        -10 * std::log10(error_ / static_cast<double>(steps_)),
        1e-3 * static_cast<double>(total_rays_) / seconds,
        1e-6 * static_cast<double>(marched_) / seconds,
        1e-6 * static_cast<double>(trained_) / seconds);
    std::fflush(stdout);
    error_ = 0;
    steps_ = 0;
  }

  const SceneFrame& frame_;
  Settings settings_;
  kernels::NgpShape shape_;
  kernels::StepOptions options_;
  kernels::GridOptions grid_options_;
  std::unique_ptr<RaySampler> sampler_;
  std::vector<float> thickness_;
  std::unique_ptr<kernels::OccupancyGrid> grid_;
  std::unique_ptr<State> state_;
  std::unique_ptr<NgpKernels> kernels_;
  int64_t rays_ = 256, total_rays_ = 0, marched_ = 0, trained_ = 0;
  int64_t steps_ = 0;
  double error_ = 0, seconds_ = 0;
};

int Main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: train DATASET [name=value ...]\n";
    return 2;
  }
  Settings settings = ReadSettings(argc, argv);
  ReadOptions read;
  read.factor = static_cast<int>(settings.at("factor"));
  const ReadResult result = ReadDataset(argv[1], read, SilentReport());
  const SceneFrame frame = AnalyseScene(result.dataset, {});
  std::printf("%s (%s)\n",
              frame.reason.c_str(),
              frame.bounded ? "bounded" : "unbounded");
  if (settings["threads"] == 0) {
    settings["threads"] = std::thread::hardware_concurrency();
  }
  torch::set_num_threads(static_cast<int>(settings["threads"]));
  Run run(result.dataset, frame, settings);
  run.Train();
  // Rendered by the grid that training marched through, then, in a box, by the
  // finer one.
  for (const bool refine : {false, true}) {
    if (refine && !frame.bounded) break;
    if (refine) {
      const double start = Now();
      run.kernels().RefineGrid(run.rules().march.step);
      std::printf("refining: %.2f s\n", Now() - start);
    }
    std::printf(
        "held out: %.3f dB\n",
        HeldOut(result.dataset, frame, settings, run.rules(), run.kernels()));
  }
  return 0;
}

}  // namespace
}  // namespace nerfpipe::nerf

int main(int argc, char** argv) {
  try {
    return nerfpipe::nerf::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
