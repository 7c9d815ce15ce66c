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
#include <utility>
#include <vector>

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
  // Folders train/METHOD, of which the one with the better held-out views is
  // shown; at least one is there.
  std::vector<std::filesystem::path> trained;
  // Or a file of splats that were trained elsewhere, and which way is up in it:
  // "auto" or as CamerasRound() in jobs/foreign_scene.h has it.
  std::filesystem::path foreign;
  std::string up = "auto";
  RenderSettings settings;
  std::filesystem::path out;  // the workspace's root, or what becomes it
  // The automatic path's video is named after the path that it turns out to be.
  bool name_after_path = false;
  std::string name;               // of the files, instead of RenderOutputs()
  std::filesystem::path scratch;  // unfinished work of the same job; exists
  int threads = 1;
  std::string device = "auto";
  Report* report = nullptr;
};

struct ExportJob {
  std::filesystem::path trained;  // train/splat
  // Its frame (scene_transform.json); where there is none, it is found from the
  // cameras.
  std::filesystem::path transform;
  // Names of stages/nerf/splat_files/formats.h and where the files go.
  std::vector<std::pair<std::string, std::filesystem::path>> files;
  Report* report = nullptr;
};

// The folder of results of `nerfpipe train`, `eval` and `render`.
struct WorkFolder {
  std::filesystem::path folder;  // -w
  // Of `eval`: where the data set is now. Empty: where it was in training.
  std::filesystem::path dataset;
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
  // jobs/export.h
  virtual StageResult Export(const ExportJob& job) const = 0;
  // nerf/data/read_dataset.h: is it a data set?
  virtual void CheckDataset(const std::filesystem::path& dataset) const = 0;
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
