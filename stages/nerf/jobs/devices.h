#pragma once

// Where trained scenes are made and shown: on the processor or a GPU.

#include "pipeline/base/report.h"
#include "stages/nerf/methods.h"
#include "stages/nerf/tensors.h"
#include "stages/nerf/trainer.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace nerfpipe {

// Nothing for "auto". Throws UserError for a device that is not there.
std::optional<torch::Device> DeviceNamed(const std::string& name);

// Where a method is trained: on the device that `name` is, if the method knows
// it; for "auto" where `earlier`, a checkpoint to go on from, was made, or
// else, with a GPU, where a trial is faster. `make` makes a trainer for the
// trial.
torch::Device TrainingDevice(
    const std::string& name,
    const nerf::MethodEntry& method,
    const std::filesystem::path& earlier,
    const std::function<std::unique_ptr<nerf::Trainer>(torch::Device)>& make,
    Report& report);

// A trained scene to be looked at, for "auto" on the device that it was trained
// on. Throws UserError as nerf::Trainer::FromCheckpoint() does.
std::unique_ptr<nerf::Trainer> OpenTrained(
    const std::filesystem::path& checkpoint,
    int threads,
    const std::string& device,
    Report& report);

// What there is to say of the way the method runs.
void TellRemark(const nerf::Trainer& trainer, Report& report);

}  // namespace nerfpipe
