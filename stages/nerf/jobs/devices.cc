#include "stages/nerf/jobs/devices.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "stages/nerf/device_choice.h"

#include <torch/cuda.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// Of a checkpoint, as far as it is there and can be used here.
std::optional<torch::Device> DeviceOf(const fs::path& checkpoint) {
  if (!fs::exists(checkpoint)) return std::nullopt;
  try {
    return nerf::Trainer::DeviceOf(checkpoint);
  } catch (const MachineError&) {
    throw;
  } catch (const UserError&) {
    return std::nullopt;  // damaged: who loads it says so
  }
}

bool Knows(const nerf::MethodEntry& method,
           torch::Device device,
           Report& report) {
  if (method.uses_gpu || device.is_cpu()) return true;
  report.Warn("Method " + method.name + " runs on the processor, not on " +
              device.str() + ".");
  return false;
}

}  // namespace

std::optional<torch::Device> DeviceNamed(const std::string& name) {
  if (name == "auto") return std::nullopt;
  try {
    const torch::Device device(name);
    // A number that does not fit into LibTorch's byte names another device.
    const bool as_named = device.str() == name;
    if (as_named && (device.is_cpu() ||
                     (device.is_cuda() &&
                      (device.has_index() ? device.index() : 0) <
                          static_cast<int>(torch::cuda::device_count())))) {
      return device;
    }
  } catch (const c10::Error&) {
    // An unknown name: told below.
  }
  throw UserError("there is no device '" + name + "' here",
                  "use auto, cpu, cuda or cuda:N");
}

torch::Device TrainingDevice(
    const std::string& name,
    const nerf::MethodEntry& method,
    const fs::path& earlier,
    const std::function<std::unique_ptr<nerf::Trainer>(torch::Device)>& make,
    Report& report) {
  if (const auto named = DeviceNamed(name)) {
    return Knows(method, *named, report) ? *named : torch::kCPU;
  }
  const bool has_gpu = method.uses_gpu && torch::cuda::is_available();
  if (has_gpu) {
    if (const auto before = DeviceOf(earlier)) return *before;
  }
  const nerf::DeviceChoice choice =
      nerf::ChooseDevice(has_gpu, [&](torch::Device device) {
        const double seconds =
            nerf::SecondsPerStep(*make(device), InterruptRequested);
        ThrowIfInterrupted();
        return seconds;
      });
  if (!choice.reason.empty()) report.Info(choice.reason);
  return choice.device;
}

std::unique_ptr<nerf::Trainer> OpenTrained(const fs::path& checkpoint,
                                           int threads,
                                           const std::string& device,
                                           Report& report) {
  torch::Device chosen = torch::kCPU;
  if (const auto named = DeviceNamed(device)) {
    chosen = *named;
  } else if (torch::cuda::is_available()) {
    chosen = DeviceOf(checkpoint).value_or(torch::kCPU);
  }
  std::unique_ptr<nerf::Trainer> trainer =
      nerf::Trainer::FromCheckpoint(checkpoint, threads, chosen);
  Knows(nerf::FindMethod(trainer->options().train.method), chosen, report);
  TellRemark(*trainer, report);
  return trainer;
}

void TellRemark(const nerf::Trainer& trainer, Report& report) {
  const std::string remark = trainer.method().Remark();
  if (!remark.empty()) report.Warn(remark);
}

}  // namespace nerfpipe
