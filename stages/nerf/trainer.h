#pragma once

// The training loop: steps of a method on a data set, progress, checkpoints
// that hold all state, and pictures.

#include "stages/nerf/method.h"
#include "stages/nerf/options.h"
#include "stages/nerf/scene.h"
#include "stages/nerf/scene_frame.h"
#include "stages/nerf/tensors.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace nerfpipe::nerf {

struct TrainProgress {
  int64_t step = 0;    // steps done
  int64_t steps = 0;   // of the whole run
  double seconds = 0;  // spent training, over all sittings
  double spent = 0;    // of train.time
  bool finished = false;
  double eta_seconds = 0;
  double pixels_per_second = 0;   // compared, since the last report
  double samples_per_second = 0;  // trained samples, since the last report
  double loss = 0;                // means since the last report
  double psnr = 0;
  double learning_rate = 0;
};

// Any of them may be empty.
struct TrainCallbacks {
  // Every options.train.report_every steps, and at the end.
  std::function<void(const TrainProgress&)> progress;
  // When a checkpoint is due, with figures as in `progress`; Save() is what one
  // would call in it.
  std::function<void(const TrainProgress&)> checkpoint;
  // Asked after every step; true ends Run() early.
  std::function<bool()> stop;
};

// rgb as uint8, rounded to nearest.
torch::Tensor ToBytes(const torch::Tensor& rgb);

class Trainer {
 public:
  // Copies the training images to the device. Sets LibTorch's number of
  // threads. Throws UserError for an unknown method or a data set that cannot
  // be trained on.
  Trainer(Dataset dataset,
          SceneFrame frame,
          Options options,
          torch::Device device = torch::kCPU);

  // Trains until `until` steps are done (0: the whole run), train.time is spent
  // or callbacks.stop says so; the trainer can be saved and run on after that.
  void Run(int64_t until = 0, const TrainCallbacks& callbacks = {});

  // A trained scene for rendering alone: options, frame and parameters come
  // from the checkpoint, there are no images. Throws UserError as Load() does.
  static std::unique_ptr<Trainer> FromCheckpoint(
      const std::filesystem::path& path,
      int threads = 0,
      torch::Device device = torch::kCPU);

  // The options that a checkpoint's run was made with, what was left open
  // settled. Throws as Load() does.
  static Options OptionsOf(const std::filesystem::path& path);
  // The device that a checkpoint was made on, or the processor where that is
  // not here or not known. Throws as Load() does.
  static torch::Device DeviceOf(const std::filesystem::path& path);

  // Everything the rest of the run depends on, in one file that appears whole
  // or not at all. Throws UserError when the disk refuses.
  void Save(const std::filesystem::path& path);
  // Throws UserError naming the file when it is damaged, of another format, or
  // of a run with other options or in another frame.
  void Load(const std::filesystem::path& path);

  // After a run by time: gives the time once more, with the learning rate
  // warmed up anew.
  void GoOn() { earlier_seconds_ = seconds_; }

  int64_t step() const { return step_; }
  int64_t steps() const { return context_.options.train.steps; }
  double seconds() const { return seconds_; }
  bool finished() const { return Done() >= 1; }
  const Options& options() const { return context_.options; }
  const SceneFrame& frame() const { return context_.frame; }
  const Dataset& dataset() const { return dataset_; }
  Method& method() { return *method_; }
  const Method& method() const { return *method_; }

  RenderedView RenderView(const Camera& camera,
                          const Cancelled& cancelled = {}) const {
    return method_->RenderView(camera, cancelled);
  }

 private:
  explicit Trainer(MethodContext context);
  void MakeMethod();
  void UseThreads() const;
  // Share of the run that is done, by steps or by time.
  double Done() const;
  void LoadState(torch::serialize::InputArchive& archive,
                 const std::filesystem::path& path);

  Dataset dataset_;
  MethodContext context_;
  std::unique_ptr<Method> method_;
  int64_t step_ = 0;
  double seconds_ = 0;
  double earlier_seconds_ = 0;  // of seconds_, before the last GoOn()
};

}  // namespace nerfpipe::nerf
