// Time against held-out quality of a method on a data set, by hand:
//   train_methods DATASET [option=value ...]
// Options: factor, threads, views (held out, that are scored), rows, and
// train.*, ngp.*, nerf.*, splat.* as in a checkpoint. Prints one row per tenth
// of the run, and of splats the milliseconds of a step by kernel.

#include "pipeline/base/error.h"
#include "pipeline/base/report.h"
#include "stages/nerf/colour_correction.h"
#include "stages/nerf/data/read_dataset.h"
#include "stages/nerf/metrics.h"
#include "stages/nerf/options_text.h"
#include "stages/nerf/scene_analysis.h"
#include "stages/nerf/trainer.h"

#ifdef NERFPIPE_HIGHWAY_KERNELS
#include "stages/nerf/splat/splat_method.h"
#endif

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

namespace nerfpipe::nerf {
namespace {

torch::Tensor Truth(const View& view, const std::array<double, 3>& colour) {
  const torch::Tensor image = view.image.to(torch::kFloat32) / 255;
  if (image.size(2) == 3) {
    return image;
  }
  const torch::Tensor background =
      torch::tensor({colour[0], colour[1], colour[2]}, torch::kFloat32);
  const torch::Tensor alpha = image.slice(2, 3);
  return image.slice(2, 0, 3) * alpha + background * (1 - alpha);
}

// Means over held-out views.
struct HeldOut {
  double psnr = 0, corrected_psnr = 0, corrected_ssim = 0;
};

HeldOut Score(Trainer& trainer, int64_t most) {
  HeldOut mean;
  const auto& views = trainer.dataset().test;
  const int64_t count = std::min<int64_t>(most, std::ssize(views));
  for (int64_t i = 0; i < count; ++i) {
    const View& view = views[i * std::ssize(views) / count];
    const torch::Tensor truth = Truth(view, trainer.method().Background());
    const torch::Tensor rendered =
        trainer.RenderView(view.camera).rgb.clamp(0, 1);
    const torch::Tensor corrected = ColourCorrected(rendered, truth);
    const auto n = static_cast<double>(count);
    mean.psnr += Psnr(rendered, truth) / n;
    mean.corrected_psnr += Psnr(corrected, truth) / n;
    mean.corrected_ssim += Ssim(corrected, truth) / n;
  }
  return mean;
}

int Main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: train_methods DATASET [option=value ...]\n";
    return 2;
  }
  ReadOptions read;
  int threads = 0;
  int64_t views = 8;
  int rows = 10;
  std::string text;
  for (int i = 2; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const std::string value = argument.substr(equals + 1);
    if (name == "factor") {
      read.factor = std::stoi(value);
    } else if (name == "threads") {
      threads = std::stoi(value);
    } else if (name == "views") {
      views = std::stoi(value);
    } else if (name == "rows") {
      rows = std::stoi(value);
    } else {
      text += argument + "\n";
    }
  }
  Options options = OptionsFromText(text);
  options.train.threads = threads;
  ReadResult result = ReadDataset(argv[1], read, SilentReport());
  SceneOptions scene;
  scene.ndc = options.train.method == "nerf" && !options.nerf.no_ndc;
  const SceneFrame frame = AnalyseScene(result.dataset, scene);
  std::printf("%s (near %.3g, far %.3g, %s)\n%s",
              frame.reason.c_str(),
              frame.near,
              frame.far,
              frame.bounded ? "bounded" : "unbounded",
              OptionsText(options).c_str());

  const auto start = std::chrono::steady_clock::now();
  Trainer trainer(std::move(result.dataset), frame, options);
  std::printf(
      "set up in %.1f s\n",
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count());
  std::printf("%8s %8s %8s %10s %9s %9s %9s %9s %9s %8s\n",
              "step",
              "s",
              "steps/s",
              "samples/s",
              "rays/s",
              "batch dB",
              "held out",
              "corrected",
              "corr.SSIM",
              "render s");
  TrainProgress last;
  TrainCallbacks callbacks;
  callbacks.progress = [&](const TrainProgress& progress) {
    if (progress.step % (trainer.steps() / rows) != 0 &&
        progress.step != trainer.steps()) {
      return;
    }
    const auto before = std::chrono::steady_clock::now();
    const HeldOut scores = Score(trainer, views);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - before)
            .count();
    std::printf("%8ld %8.1f %8.1f %10.0f %9.0f %9.2f %9.2f %9.2f %9.4f %8.2f\n",
                static_cast<long>(progress.step),
                progress.seconds,
                static_cast<double>(progress.step - last.step) /
                    (progress.seconds - last.seconds),
                progress.samples_per_second,
                progress.pixels_per_second,
                progress.psnr,
                scores.psnr,
                scores.corrected_psnr,
                scores.corrected_ssim,
                seconds);
    std::fflush(stdout);
    last = progress;
  };
  trainer.Run(0, callbacks);
#ifdef NERFPIPE_HIGHWAY_KERNELS
  if (const auto* method =
          dynamic_cast<const splat::SplatMethod*>(&trainer.method())) {
    const splat::SplatTimes& times = method->times();
    const double ms = 1000 / static_cast<double>(trainer.step());
    std::printf(
        "%ld gaussians; ms a step: project %.2f, lists %.2f, rasterise %.2f, "
        "loss %.2f, differentiate %.2f, update %.2f\n",
        static_cast<long>(method->gaussians().count()),
        times.project * ms,
        times.lists * ms,
        times.rasterise * ms,
        times.loss * ms,
        times.differentiate * ms,
        times.update * ms);
  }
#endif
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
