#include "stages/nerf/device_choice.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cstdio>

namespace nerfpipe::nerf {
namespace {

constexpr int64_t kLoadingSteps = 4;
constexpr int64_t kTimedSteps = 36;
constexpr double kSeconds = 2;

std::string Milliseconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g ms", 1000 * seconds);
  return text;
}

// LibTorch tells where in its sources an error arose, on many lines.
std::string FirstLine(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

DeviceChoice ChooseDevice(bool has_gpu, const StepTimer& seconds_per_step) {
  DeviceChoice choice;
  if (!has_gpu) return choice;
  double gpu = 0;
  try {
    gpu = seconds_per_step(torch::kCUDA);
  } catch (const Interrupted&) {
    throw;
  } catch (const std::exception& error) {
    choice.reason = "The GPU is left alone, because a trial of it failed: " +
                    FirstLine(error.what());
    return choice;
  }
  const double cpu = seconds_per_step(torch::kCPU);
  const bool faster = gpu < cpu;
  if (faster) choice.device = torch::kCUDA;
  choice.reason = std::string(faster ? "Training on the GPU"
                                     : "Training on the processor") +
                  ": a step takes " + Milliseconds(gpu) + " on the GPU and " +
                  Milliseconds(cpu) + " on the processor.";
  return choice;
}

double SecondsPerStep(Trainer& trainer, const std::function<bool()>& stop) {
  TrainCallbacks callbacks;
  const auto run = [&](int64_t steps) {
    const double start = trainer.seconds();
    callbacks.stop = [&trainer, &stop, start] {
      return (stop && stop()) || trainer.seconds() - start >= kSeconds;
    };
    trainer.Run(trainer.step() + steps, callbacks);
    return trainer.seconds() - start;
  };
  run(kLoadingSteps);
  const int64_t before = trainer.step();
  const double seconds = run(kTimedSteps);
  return seconds /
         static_cast<double>(std::max<int64_t>(1, trainer.step() - before));
}

}  // namespace nerfpipe::nerf
