#include "stages/nerf/jobs/training.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "stages/nerf/data/read_dataset.h"
#include "stages/nerf/jobs/devices.h"
#include "stages/nerf/jobs/evaluation.h"
#include "stages/nerf/jobs/metrics_log.h"
#include "stages/nerf/jobs/scene_file.h"
#include "stages/nerf/method_facts.h"
#include "stages/nerf/methods.h"
#include "stages/nerf/scene_analysis.h"
#include "stages/nerf/trainer.h"

#include <cmath>
#include <cstdio>
#include <memory>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

std::string Decibels(double psnr) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f dB", psnr);
  return text;
}

// What stands beside the progress of training.
std::string Note(const nerf::TrainProgress& progress) {
  char text[96];
  std::snprintf(text,
                sizeof(text),
                "psnr %.2f dB  %.1f k pixels/s  step %lld",
                progress.psnr,
                progress.pixels_per_second / 1000,
                static_cast<long long>(progress.step));
  return text;
}

nerf::ReadResult ReadData(const TrainJob& job) {
  nerf::ReadOptions options;
  options.factor = job.settings.factor;
  const nerf::Options& method = job.settings.options;
  options.choose_factor = [&](int width, int height) {
    return nerf::FactorFor(nerf::FactsOf(method.train.method),
                           nerf::BudgetOf(method),
                           width,
                           height,
                           {1, 2, 4, 8});
  };
  options.llffhold = job.settings.llffhold;
  options.threads = job.threads;
  options.memory = job.memory;
  options.peak_bytes = [&](int64_t image_bytes) {
    return nerf::PeakBytes(nerf::FactsOf(method.train.method), image_bytes);
  };
  return nerf::ReadDataset(job.dataset, options, *job.report);
}

nerf::SceneFrame PlaceScene(const TrainJob& job, const nerf::Dataset& data) {
  const nerf::Options& options = job.settings.options;
  nerf::SceneOptions scene;
  scene.type = job.settings.scene;
  scene.ndc = nerf::FindMethod(options.train.method).wants_ndc(options);
  nerf::SceneFrame frame = nerf::AnalyseScene(data, scene);
  job.report->Info("Scene type " + nerf::NameOf(frame.type) + ": " +
                   frame.reason + ".");
  return frame;
}

// A trainer that goes on from an earlier sitting's checkpoint when there is a
// sound one.
std::unique_ptr<nerf::Trainer> MakeTrainer(const TrainJob& job,
                                           const nerf::Dataset& dataset,
                                           const nerf::SceneFrame& frame) {
  nerf::Options options = job.settings.options;
  options.train.threads = job.threads;
  const nerf::MethodEntry& method = nerf::FindMethod(options.train.method);
  // What goes on keeps its shape, however long it goes on.
  if (!job.go_on.empty()) {
    method.keep_shape(&options,
                      nerf::Trainer::OptionsOf(job.go_on / kCheckpointFile));
  }
  const auto make_on = [&](torch::Device device) {
    return std::make_unique<nerf::Trainer>(dataset, frame, options, device);
  };
  const fs::path checkpoint = job.scratch / kCheckpointFile;
  const bool here = job.go_on.empty() || fs::exists(checkpoint);
  const torch::Device device =
      TrainingDevice(job.device,
                     method,
                     here ? checkpoint : job.go_on / kCheckpointFile,
                     make_on,
                     *job.report);
  const auto make = [&] { return make_on(device); };
  std::unique_ptr<nerf::Trainer> trainer = make();
  if (!fs::exists(checkpoint)) {
    if (!job.go_on.empty()) {
      trainer->Load(job.go_on / kCheckpointFile);
      trainer->GoOn();
      job.report->Info("Going on at step " + std::to_string(trainer->step()) +
                       ".");
    }
    return trainer;
  }
  try {
    trainer->Load(checkpoint);
  } catch (const MachineError&) {
    throw;
  } catch (const UserError& error) {
    job.report->Warn("Training starts from the beginning: " + error.problem() +
                     ".");
    fs::remove(checkpoint);
    return make();
  }
  if (!trainer->finished()) {
    job.report->Info("Going on at step " + std::to_string(trainer->step()) +
                     (trainer->options().train.time > 0
                          ? "."
                          : " of " + std::to_string(trainer->steps()) + "."));
  }
  return trainer;
}

// False when the loss stopped being a number.
bool RunSteps(const TrainJob& job, nerf::Trainer& trainer, MetricsLog& log) {
  const fs::path checkpoint = job.scratch / kCheckpointFile;
  const nerf::TrainOptions& options = trainer.options().train;
  const bool by_time = options.time > 0;
  const std::unique_ptr<Progress> progress = job.report->Start(
      "Training " + options.method,
      by_time ? std::llround(std::ceil(options.time)) : trainer.steps(),
      by_time ? "s" : "steps");
  bool sound = true;
  nerf::TrainCallbacks callbacks;
  callbacks.progress = [&](const nerf::TrainProgress& now) {
    sound = sound && std::isfinite(now.loss);
    // Where a sitting was broken off is of no interest.
    const bool regular = now.step % options.report_every == 0 || now.finished;
    if (sound && regular) {
      log.Add(now);
      progress->Update(by_time ? std::llround(now.spent) : now.step, Note(now));
    }
  };
  // What comes out of a loss that is no number is no start for another run.
  callbacks.checkpoint = [&](const nerf::TrainProgress& now) {
    if (sound && std::isfinite(now.loss)) {
      trainer.Save(checkpoint);
    }
  };
  callbacks.stop = [&] { return !sound || InterruptRequested(); };
  trainer.Run(0, callbacks);
  if (sound) {
    trainer.Save(checkpoint);
    ThrowIfInterrupted();
  }
  return sound;
}

StageResult Summarise(nerf::Trainer& trainer,
                      const SceneFile& scene,
                      const Scores& scores) {
  const std::string& method = trainer.options().train.method;
  const nerf::Camera& camera = scene.views.train.front().camera;
  std::string line = method + ", " + std::to_string(trainer.step()) +
                     " steps at " + std::to_string(camera.width) + "x" +
                     std::to_string(camera.height);
  nlohmann::ordered_json training = {{"steps", trainer.step()},
                                     {"seconds", trainer.seconds()},
                                     {"factor", scene.factor},
                                     {"width", camera.width},
                                     {"height", camera.height}};
  if (!scores.views.empty()) {
    char ssim[32];
    std::snprintf(ssim, sizeof(ssim), "%.3f", scores.ssim);
    line += ", " + Decibels(scores.psnr) + " PSNR and " + ssim + " SSIM on " +
            std::to_string(scores.views.size()) + " held-out views";
    training["psnr"] = scores.psnr;
    training["ssim"] = scores.ssim;
    training["ms_ssim"] = scores.ms_ssim;
    training["corrected_psnr"] = scores.corrected_psnr;
    training["corrected_ssim"] = scores.corrected_ssim;
    line += " (" + Decibels(scores.corrected_psnr) + " colour-corrected)";
  }
  StageResult result = StageResult::Done(line);
  result.facts["training"][method] = training;
  return result;
}

}  // namespace

StageResult Train(const TrainJob& job) {
  NERFPIPE_CHECK(job.report != nullptr);
  const nerf::ReadResult read = ReadData(job);
  const nerf::Dataset& dataset = read.dataset;
  const nerf::SceneFrame frame = PlaceScene(job, dataset);
  SceneFile scene = {dataset, read.factor, job.settings.llffhold};
  const std::unique_ptr<nerf::Trainer> trainer =
      MakeTrainer(job, dataset, frame);
  TellRemark(*trainer, *job.report);
  const fs::path metrics = job.scratch / kMetricsFile;
  if (!job.go_on.empty() && !fs::exists(metrics)) {
    WriteFileAside(metrics, ReadFile(job.go_on / kMetricsFile));
  }
  MetricsLog log(metrics, trainer->step());
  if (!trainer->finished() && !RunSteps(job, *trainer, log)) {
    return StageResult::Failed(
        "the loss is not a number after step " +
        std::to_string(trainer->step()) +
        "; lower the learning rate (ngp.learning_rate, nerf.lrate, "
        "splat.mean_rate)");
  }
  const Scores scores =
      Evaluate(*trainer, dataset.test, job.out / kTestFolder, *job.report);
  if (!scores.views.empty()) {
    log.Add(scores, trainer->step());
    scene.ssim = scores.ssim;
  }
  WriteSceneFile(scene, job.out / kSceneFile);
  trainer->Save(job.out / kCheckpointFile);
  WriteFileAside(job.out / kMetricsFile, ReadFile(job.scratch / kMetricsFile));
  return Summarise(*trainer, scene, scores);
}

}  // namespace nerfpipe
