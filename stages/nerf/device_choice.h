#pragma once

// Which device a run takes where nobody says it: a GPU only where a trial of a
// few seconds shows that it beats the processor.

#include "stages/nerf/tensors.h"
#include "stages/nerf/trainer.h"

#include <functional>
#include <string>

namespace nerfpipe::nerf {

struct DeviceChoice {
  torch::Device device = torch::kCPU;
  // A sentence; empty where there was nothing to choose from.
  std::string reason;
};

// Seconds that a step takes on a device. May throw whatever LibTorch does.
using StepTimer = std::function<double(torch::Device)>;

// Times the GPU, and the processor where that went well; without a GPU nothing.
// Interrupted goes through.
DeviceChoice ChooseDevice(bool has_gpu, const StepTimer& seconds_per_step);

// Of the next steps of `trainer`, which are done after that: a few dozen, or as
// many as are begun in two seconds. Those before them, in which libraries load,
// do not count. `stop`, if there is one, is asked after every step.
double SecondsPerStep(Trainer& trainer, const std::function<bool()>& stop = {});

}  // namespace nerfpipe::nerf
