#include "stages/nerf/jobs/linked_trainer.h"

#include "stages/nerf/data/read_dataset.h"
#include "stages/nerf/jobs/commands.h"
#include "stages/nerf/jobs/devices.h"
#include "stages/nerf/jobs/export.h"
#include "stages/nerf/jobs/rendering.h"
#include "stages/nerf/jobs/training.h"

namespace nerfpipe {
namespace {

class Linked : public TrainerLibrary {
 public:
  StageResult Train(const TrainJob& job) const override {
    return nerfpipe::Train(job);
  }
  void CheckDevice(const std::string& name) const override {
    DeviceNamed(name);
  }
  StageResult Render(const RenderJob& job) const override {
    return nerfpipe::Render(job);
  }
  StageResult Export(const ExportJob& job) const override {
    return nerfpipe::Export(job);
  }
  void CheckDataset(const std::filesystem::path& dataset) const override {
    nerf::DetectDatasetKind(dataset);
  }
  StageResult TrainDataset(const Stage& train,
                           const std::filesystem::path& dataset,
                           const WorkFolder& work) const override {
    return nerfpipe::TrainDataset(train, dataset, work);
  }
  StageResult EvaluateCheckpoint(const Stage& train,
                                 const WorkFolder& work) const override {
    return nerfpipe::EvaluateCheckpoint(train, work);
  }
  StageResult RenderCheckpoint(const Stage& render,
                               const WorkFolder& work) const override {
    return nerfpipe::RenderCheckpoint(render, work);
  }
};

}  // namespace

const TrainerLibrary& LinkedTrainerLibrary() {
  static const Linked library;
  return library;
}

}  // namespace nerfpipe
