#include "stages/colmap/colmap_stage.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/colmap/database_file.h"
#include "stages/colmap/ladder.h"
#include "stages/colmap/outputs.h"
#include "stages/colmap/verdict.h"
#include "stages/common/capture_file.h"
#include "stages/media/image_file.h"

#include <exception>
#include <filesystem>
#include <vector>

#include <fmt/format.h>
#include <glog/logging.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

// COLMAP and Ceres speak through glog: warnings to stderr, no files.
void QuietLibraries() {
  FLAGS_logtostderr = true;
  FLAGS_minloglevel = google::GLOG_WARNING;
  if (!google::IsGoogleLoggingInitialized()) {
    google::InitGoogleLogging("nerfpipe");
  }
}

class ColmapStage : public Stage {
 public:
  std::string Name() const override { return "colmap"; }
  int Version() const override { return 2; }
  std::string Description() const override {
    return "find the cameras with COLMAP and undistort the images";
  }
  std::vector<std::string> Inputs() const override {
    return {"frames", "capture.json"};
  }
  std::vector<std::string> Outputs() const override {
    return {
        "database.db", "project.ini", "colmap/sparse", "images", "sparse/0"};
  }
  bool Isolated() const override { return true; }
  std::vector<OptionGroup> Options() override;
  StageResult Run(const StageContext& context) override;

 private:
  StageResult Reconstruct(const StageContext& context) const;

  ColmapOptions options_;
};

std::vector<OptionGroup> ColmapStage::Options() {
  OptionGroup group("colmap");
  group
      .Choice(
          "camera_model",
          &options_.camera_model,
          {"SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV"},
          "lens model of the one camera that all images share")
      .Choice("matching",
              &options_.matching,
              {"auto", "exhaustive", "sequential"},
              "which images are compared first; auto: each with each for up to "
              "150 photos, else neighbours in time; places seen again follow")
      .Integer("overlap",
               &options_.overlap,
               "images that each image is compared with in sequential matching",
               1,
               1000)
      .Integer("max_image_size",
               &options_.max_image_size,
               "longer side in pixels at which features are looked for",
               64,
               16384)
      .Integer("max_features",
               &options_.max_features,
               "most features kept of an image",
               64,
               65536)
      .Integer("jpeg_quality",
               &options_.jpeg_quality,
               "JPEG quality of the undistorted images",
               50,
               100);
  return {group};
}

StageResult ColmapStage::Reconstruct(const StageContext& context) const {
  const fs::path frames = context.workspace / "frames";
  const CaptureFile capture =
      ReadCaptureFile(context.workspace / "capture.json");
  const std::vector<std::string> names = capture.KeptNames();
  if (names.size() < kMinImages) {
    return TooFewFrames(names.size());
  }
  const ImageSize size = ReadImageSize(frames / names[0]);
  const SolveJob job = {frames,
                        names,
                        capture.kind == "video",
                        size.width,
                        size.height,
                        options_,
                        context.out / "database.db",
                        {context.scratch, context.threads, context.report}};
  Solution solution = MatchCapture(job);
  if (auto failure = JudgeMatches(
          solution.pairs, solution.features, size.width, size.height)) {
    return *failure;
  }
  SolveCapture(job, &solution);
  WriteFileAtomically(context.out / "project.ini",
                      ProjectFile(context.workspace / "database.db",
                                  frames,
                                  options_.camera_model,
                                  solution.feature_options));
  const MappingResult& mapping = solution.mapping;
  StageResult result =
      JudgeMapping(mapping, solution.pairs, capture, context.report);
  if (result.state == StageResult::State::kFailed) {
    return result;
  }
  WriteSparseModels(mapping, context.out / "colmap" / "sparse");
  if (!WriteUndistorted(mapping.models[mapping.chosen],
                        frames,
                        context.out,
                        options_.jpeg_quality,
                        context.threads,
                        context.report)) {
    return ImplausibleLens(options_.camera_model);
  }
  return result;
}

StageResult ColmapStage::Run(const StageContext& context) {
  QuietLibraries();
  try {
    return Reconstruct(context);
  } catch (const UserError&) {
    throw;
  } catch (const Interrupted&) {
    throw;
  } catch (const CheckFailed&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    // COLMAP reports its own trouble by exceptions of the standard library.
    return StageResult::Failed(
        "COLMAP could not go on; try --set colmap.camera_model=SIMPLE_RADIAL, "
        "or leave out the worst images",
        {error.what()});
  }
}

}  // namespace

std::unique_ptr<Stage> MakeColmapStage() {
  return std::make_unique<ColmapStage>();
}

}  // namespace nerfpipe::sfm
