#include "stages/colmap/colmap_stage.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/colmap/camera_prior.h"
#include "stages/colmap/database_file.h"
#include "stages/colmap/mapping.h"
#include "stages/colmap/matching.h"
#include "stages/colmap/outputs.h"
#include "stages/colmap/verdict.h"
#include "stages/common/capture_file.h"
#include "stages/media/image_file.h"

#include <exception>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <glog/logging.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

// Up to this many photos are matched each with each.
constexpr size_t kMaxExhaustive = 150;

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
  int Version() const override { return 1; }
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
  std::vector<MatchedPair> Match(const CaptureFile& capture,
                                 const std::vector<std::string>& names,
                                 const std::vector<Features>& features,
                                 const CameraPrior& prior,
                                 const Workplace& place) const;

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
              "which images are compared; auto: each with each for up to 150 "
              "photos, else neighbours in time and places seen again")
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

std::vector<MatchedPair> ColmapStage::Match(
    const CaptureFile& capture,
    const std::vector<std::string>& names,
    const std::vector<Features>& features,
    const CameraPrior& prior,
    const Workplace& place) const {
  const int count = static_cast<int>(names.size());
  const bool exhaustive =
      options_.matching == "exhaustive" ||
      (options_.matching == "auto" && capture.kind == "photos" &&
       names.size() <= kMaxExhaustive);
  std::vector<ImagePair> pairs;
  if (exhaustive) {
    pairs = ExhaustivePairs(count);
  } else {
    pairs = SequentialPairs(count, options_.overlap);
    const std::vector<ImagePair> loops = FilterByLargestFeatures(
        LoopCandidates(count, options_.overlap), features, place);
    place.report->Detail(
        fmt::format("{} pairs of neighbours, {} pairs from "
                    "places seen again",
                    pairs.size(),
                    loops.size()));
    pairs.insert(pairs.end(), loops.begin(), loops.end());
  }
  return MatchAllPairs(names, features, prior, std::move(pairs), place);
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
  std::vector<fs::path> photos;
  if (capture.kind == "photos") {
    for (const std::string& name : names) {
      photos.push_back(frames / name);
    }
  }
  const CameraPrior prior =
      MakeCameraPrior(options_.camera_model, size.width, size.height, photos);
  const FeatureOptions feature_options{options_.max_image_size,
                                       options_.max_features};
  const Workplace place{context.scratch, context.threads, context.report};
  const std::vector<Features> features = ExtractAllFeatures(
      frames, names, size.width, size.height, feature_options, place);
  const std::vector<MatchedPair> pairs =
      Match(capture, names, features, prior, place);
  if (auto failure = JudgeMatches(pairs, features, size.width, size.height)) {
    return *failure;
  }
  WriteDatabase(context.out / "database.db", prior, names, features, pairs);
  WriteFileAtomically(context.out / "project.ini",
                      ProjectFile(context.workspace / "database.db",
                                  frames,
                                  options_.camera_model,
                                  feature_options));
  const MappingResult mapping = MapImages(context.out / "database.db",
                                          frames,
                                          static_cast<int>(names.size()),
                                          context.report);
  StageResult result = JudgeMapping(mapping, names, context.report);
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
