#include "stages/nerf/stage/export_stage.h"

#include "stages/common/scene_transform_file.h"

namespace nerfpipe {
namespace {

constexpr char kPly[] = "exports/scene.ply";
constexpr char kSpz[] = "exports/scene.spz";

}  // namespace

std::string ExportStage::Description() const {
  return "write the scene for viewers and editors";
}

std::vector<std::string> ExportStage::Inputs() const {
  return {splat_.OutputFolder(), kSceneTransformFile};
}

std::vector<std::string> ExportStage::Outputs() const { return {kPly, kSpz}; }

std::vector<OptionGroup> ExportStage::Options() {
  return {ExportOptionGroup(&settings_)};
}

bool ExportStage::Enabled() const {
  return settings_.enabled && splat_.Enabled();
}

StageResult ExportStage::Run(const StageContext& context) {
  ExportJob job;
  job.trained = context.workspace / splat_.OutputFolder();
  job.transform = context.workspace / kSceneTransformFile;
  job.files = {{"ply", context.out / kPly}, {"spz", context.out / kSpz}};
  job.report = context.report;
  StageResult result = splat_.trainer().Export(job);
  result.facts["results"] = {{"scene", kPly}, {"compressed_scene", kSpz}};
  return result;
}

std::unique_ptr<ExportStage> MakeExportStage(const SplatStage& splat) {
  return std::make_unique<ExportStage>(splat);
}

}  // namespace nerfpipe
