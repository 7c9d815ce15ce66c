#include "stages/nerf/stage/training_stage.h"

#include "pipeline/base/error.h"
#include "stages/common/dataset_folder.h"
#include "stages/media/image_file.h"
#include "stages/nerf/method_facts.h"

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// The N of the folders images_N that are there, and 1.
std::vector<int> FactorsIn(const fs::path& workspace) {
  constexpr int kMost = 64;
  std::vector<int> factors;
  for (int factor = 1; factor <= kMost; ++factor) {
    if (fs::is_directory(workspace / ImagesFolderName(factor))) {
      factors.push_back(factor);
    }
  }
  return factors;
}

}  // namespace

void TrainingStage::LookAt(const fs::path& workspace) {
  found_factor_ = 0;
  const fs::path images = workspace / kImagesFolder;
  if (!fs::is_directory(images)) return;
  for (const std::string& name : SortedFileNames(images)) {
    if (!HasImageSuffix(name)) continue;
    const nerf::Options options = RunSettings().options;
    const ImageSize size = ReadImageSize(images / name);
    found_factor_ = nerf::FactorFor(nerf::FactsOf(options.train.method),
                                    nerf::BudgetOf(options),
                                    size.width,
                                    size.height,
                                    FactorsIn(workspace));
    return;
  }
}

std::vector<std::string> TrainingStage::Inputs() const {
  const int wanted = RunSettings().factor;
  const int factor = wanted > 0 ? wanted : std::max(1, found_factor_);
  return {kPosesBoundsFile,
          ImagesFolderName(factor),
          MasksFolderName(factor),
          kSparseFolder};
}

double TrainingStage::BudgetSeconds() const {
  return nerf::BudgetOf(RunSettings().options);
}

std::string TrainingStage::OutputFolder() const {
  return "train/" + RunSettings().options.train.method;
}

StageResult TrainingStage::Run(const StageContext& context) {
  TrainJob job;
  job.dataset = context.workspace;
  job.settings = RunSettings();
  if (job.settings.factor == 0)
    job.settings.factor = std::max(1, found_factor_);
  job.out = context.out / OutputFolder();
  job.scratch = context.scratch;
  job.threads = context.threads;
  job.memory = context.memory;
  job.device = context.device;
  job.report = context.report;
  fs::create_directories(job.out);
  return trainer().Train(job);
}

}  // namespace nerfpipe
