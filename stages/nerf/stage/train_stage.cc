#include "stages/nerf/stage/train_stage.h"

#include "stages/common/dataset_folder.h"
#include "stages/nerf/option_rules.h"

namespace nerfpipe {
namespace {

// Of a workspace, whose images come from a capture.
constexpr int kDefaultFactor = 4;

}  // namespace

std::string TrainStage::Description() const {
  return "train a NeRF and test it on held-out views";
}

std::vector<std::string> TrainStage::Inputs() const {
  const int factor = settings_.factor == 0 ? kDefaultFactor : settings_.factor;
  return {kPosesBoundsFile, ImagesFolderName(factor), kSparseFolder};
}

std::string TrainStage::OutputFolder() const {
  return "train/" + settings_.options.train.method;
}

std::vector<std::string> TrainStage::Outputs() const {
  return {OutputFolder()};
}

std::vector<OptionGroup> TrainStage::Options() {
  return TrainOptionGroups(&settings_);
}

void TrainStage::CheckValues() const {
  if (settings_.options.train.method == "ngp") {
    nerf::Checked(settings_.options.ngp);
  }
}

bool TrainStage::Matters(const OptionGroup& group) const {
  return GroupMatters(group, settings_.options.train.method);
}

StageResult TrainStage::Run(const StageContext& context) {
  TrainJob job;
  job.dataset = context.workspace;
  job.settings = settings_;
  job.out = context.out / OutputFolder();
  job.scratch = context.scratch;
  job.threads = context.threads;
  job.memory = context.memory;
  job.device = context.device;
  job.report = context.report;
  std::filesystem::create_directories(job.out);
  return trainer().Train(job);
}

std::unique_ptr<TrainStage> MakeTrainStage(GetTrainerLibrary library) {
  return std::make_unique<TrainStage>(library);
}

}  // namespace nerfpipe
