#pragma once

// What the program asks of the trainer, as an interface: LibTorch, which takes
// half a second to load, is behind it, and only who trains, scores or renders
// waits for that.

#include "pipeline/base/report.h"
#include "pipeline/engine/stage.h"
#include "stages/nerf/stage/settings.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace nerfpipe {

struct TrainJob {
  std::filesystem::path dataset;
  TrainSettings settings;
  std::filesystem::path out;      // becomes train/METHOD; exists
  std::filesystem::path scratch;  // unfinished work of the same job; exists
  // A trained scene's folder whose run by time is to go on; or empty.
  std::filesystem::path go_on;
  int threads = 1;
  int64_t memory = 0;  // bytes that may be taken; 0: not said
  std::string device = "auto";
  Report* report = nullptr;
};

struct RenderJob {
  std::filesystem::path trained;  // train/METHOD
  RenderSettings settings;
  std::filesystem::path out;  // the workspace's root, or what becomes it
  // The automatic path's video is named after the path that it turns out to be.
  bool name_after_path = false;
  std::filesystem::path scratch;  // unfinished work of the same job; exists
  int threads = 1;
  std::string device = "auto";
  Report* report = nullptr;
};

// The folder of results of `nerfpipe train`, `eval` and `render`.
struct WorkFolder {
  std::filesystem::path folder;  // -w
  int threads = 1;
  int64_t memory = 0;  // bytes that may be taken; 0: not said
  std::string device = "auto";
  Report* report = nullptr;
};

// Each function is described where its work is done, in stages/nerf/jobs. All
// throw UserError and Interrupted as Stage::Run does.
class TrainerLibrary {
 public:
  virtual ~TrainerLibrary() = default;

  // jobs/training.h
  virtual StageResult Train(const TrainJob& job) const = 0;
  virtual void CheckDevice(const std::string& name) const = 0;
  // jobs/rendering.h
  virtual StageResult Render(const RenderJob& job) const = 0;
  // jobs/commands.h; `train` and `render` are the stages of those names.
  virtual StageResult TrainDataset(const Stage& train,
                                   const std::filesystem::path& dataset,
                                   const WorkFolder& work) const = 0;
  virtual StageResult EvaluateCheckpoint(const Stage& train,
                                         const WorkFolder& work) const = 0;
  virtual StageResult RenderCheckpoint(const Stage& render,
                                       const WorkFolder& work) const = 0;
};

// Loads it, or finds it linked in.
using GetTrainerLibrary = const TrainerLibrary& (*)();

}  // namespace nerfpipe
