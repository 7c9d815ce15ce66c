#include "stages/colmap/colmap_stage.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/library_errors.h"
#include "pipeline/base/system_call.h"
#include "pipeline/base/text.h"
#include "stages/colmap/colmap_options.h"
#include "stages/colmap/ladder.h"
#include "stages/colmap/mapping/database_file.h"
#include "stages/colmap/memory_plan.h"
#include "stages/colmap/model_checks.h"
#include "stages/colmap/outputs.h"
#include "stages/colmap/scene_verdict.h"
#include "stages/colmap/verdict.h"
#include "stages/common/capture_file.h"
#include "stages/common/dataset_folder.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <glog/logging.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

// Empty unless frames were added to those in frames/: then all of them.
constexpr char kMoreFrames[] = "colmap/frames";
// Of a pixel: two images, one of them as a file too, and two masks.
constexpr double kBytesToUndistort = 14;

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
  int Version() const override { return 7; }
  std::string Description() const override {
    return "find the cameras with COLMAP and undistort the images";
  }
  std::vector<std::string> Inputs() const override {
    return {"frames", kFrameMaskFolder, "capture.json"};
  }
  std::vector<std::string> Outputs() const override {
    return {"database.db",
            "project.ini",
            kMoreFrames,
            "colmap/sparse",
            kVerdictFile,
            kImagesFolder,
            kMasksFolder,
            kSparseFolder};
  }
  bool Isolated() const override { return true; }
  std::vector<OptionGroup> Options() override;
  StageResult Run(const StageContext& context) override;

 private:
  StageResult Reconstruct(const StageContext& context) const;
  SolveJob MakeJob(const StageContext& context,
                   const CaptureFile& capture) const;

  ColmapOptions options_;
};

std::vector<OptionGroup> ColmapStage::Options() {
  OptionGroup group("colmap");
  group
      .Choice(
          "camera_model",
          &options_.camera_model,
          {"auto",
           "SIMPLE_PINHOLE",
           "PINHOLE",
           "SIMPLE_RADIAL",
           "RADIAL",
           "OPENCV"},
          "lens model of each camera; auto: the simplest, and more where the "
          "pictures show that there is more")
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
               100)
      .Flag("accept_bad",
            &options_.accept_bad,
            "go on with cameras whose verdict is bad",
            OptionGroup::kNoEffect);
  return {group};
}

// A folder may hold the one clip that the frames are of.
fs::path ClipOf(const StageContext& context, const CaptureFile& capture) {
  const std::string& clip = capture.frames.front().clip;
  return clip.empty() ? context.capture : context.capture / clip;
}

// That most of the kept frames have; of those as frequent the largest.
ImageLens MostFrequentSize(const std::vector<ImageLens>& lenses) {
  std::map<std::pair<int, int>, int> counts;
  for (const ImageLens& lens : lenses) ++counts[{lens.width, lens.height}];
  const auto most = std::max_element(
      counts.begin(), counts.end(), [](const auto& a, const auto& b) {
        return std::pair(a.second, a.first) < std::pair(b.second, b.first);
      });
  return {most->first.first, most->first.second, 0};
}

// By the memory that they take.
ImageLens LargestSize(const std::vector<ImageLens>& lenses) {
  return *std::max_element(
      lenses.begin(), lenses.end(), [](const ImageLens& a, const ImageLens& b) {
        return int64_t{a.width} * a.height < int64_t{b.width} * b.height;
      });
}

// The job as it fits into the memory, which is told.
SolveJob ColmapStage::MakeJob(const StageContext& context,
                              const CaptureFile& capture) const {
  SolveJob job;
  job.frames = context.workspace / "frames";
  job.masks = context.workspace / kFrameMaskFolder;
  job.names = capture.KeptNames();
  job.video = capture.kind == "video";
  job.clips = capture.kind == "clips";
  job.clip = ClipOf(context, capture);
  for (const CaptureFrame& frame : capture.frames) {
    if (!frame.kept) continue;
    job.clip_indices.push_back(frame.index);
    job.lenses.push_back({frame.width, frame.height, frame.focal});
  }
  const ImageLens size = MostFrequentSize(job.lenses);
  const ImageLens largest = LargestSize(job.lenses);
  job.width = size.width;
  job.height = size.height;
  job.options = options_;
  job.database = context.out / "database.db";
  const MemoryPlan plan =
      PlanMemory(largest.width,
                 largest.height,
                 job.names.size(),
                 {options_.max_image_size, options_.max_features},
                 context.threads,
                 {context.memory, context.memory_limit});
  job.memory = plan;
  job.place = {context.scratch, context.threads, plan.threads, context.report};
  context.report->Detail(fmt::format(
      "memory: about {} of the {} that may be taken (--mem), {} threads",
      HumanBytes(std::llround(plan.bytes)),
      HumanBytes(context.memory),
      plan.threads));
  if (plan.image_size < options_.max_image_size) {
    context.report->Warn(fmt::format(
        "features are looked for at {} pixels instead of {}, to stay "
        "within the {} that may be taken (--mem)",
        plan.image_size,
        options_.max_image_size,
        HumanBytes(context.memory_limit)));
    job.options.max_image_size = plan.image_size;
    // What an earlier sitting found with more memory stays for a later one.
    job.place.scratch /= fmt::format("at-{}", plan.image_size);
  }
  return job;
}

StageResult ColmapStage::Reconstruct(const StageContext& context) const {
  const CaptureFile capture =
      ReadCaptureFile(context.workspace / "capture.json");
  if (capture.KeptNames().size() < kMinImages) {
    return TooFewFrames(capture.KeptNames().size());
  }
  SolveJob job = MakeJob(context, capture);
  int64_t memory_wanted = 0;
  job.memory_wanted = &memory_wanted;
  Solution solution = MatchCapture(job);
  if (auto failure = JudgeMatches(
          solution.pairs, solution.features, job.width, job.height)) {
    return *failure;
  }
  SolveCapture(job, &solution);
  const bool more_frames = solution.frames != job.frames;
  WriteFileAtomically(
      context.out / "project.ini",
      ProjectFile(context.workspace / "database.db",
                  more_frames ? context.workspace / kMoreFrames : job.frames,
                  FirstCameraModel(job),
                  solution.cameras.cameras.size() == 1,
                  solution.feature_options));
  const MappingResult& mapping = solution.mapping;
  StageResult result = JudgeMapping(
      mapping, solution.names, solution.pairs, capture, context.report);
  if (result.state == StageResult::State::kFailed) {
    return result;
  }
  const ColmapModel& chosen = mapping.models[mapping.chosen];
  const ModelChecks checks =
      CheckModel(chosen, solution.pairs, solution.features);
  TellVerdict(
      JudgeScene(checks, mapping, solution.names, job.lenses, job.video),
      context.out / kVerdictFile,
      context.report,
      &result);
  if (job.options.max_image_size < options_.max_image_size) {
    result.line += fmt::format(", features at {} pixels for want of memory",
                               job.options.max_image_size);
    result.reduced =
        fmt::format("features were looked for at {} pixels instead of {}",
                    job.options.max_image_size,
                    options_.max_image_size);
    memory_wanted = std::max(memory_wanted, job.memory.wanted);
  } else if (memory_wanted > 0) {
    result.reduced = "no more features were looked for";
  }
  result.memory_wanted = memory_wanted;
  WriteSparseModels(mapping, context.out / "colmap" / "sparse");
  const auto line_of_sizes = WriteUndistorted(
      mapping.models[mapping.chosen],
      {solution.frames,
       job.masks,
       context.out,
       options_.jpeg_quality,
       context.ThreadsFor(kBytesToUndistort * job.width * job.height),
       context.report});
  if (!line_of_sizes) return ImplausibleLens(options_.camera_model);
  if (!line_of_sizes->empty()) context.report->Warn(*line_of_sizes);
  fs::create_directories(context.out / kMoreFrames);
  if (more_frames) {
    AgainIfInterrupted([&] {
      fs::copy(
          solution.frames,
          context.out / kMoreFrames,
          fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    });
  }
  return result;
}

StageResult ColmapStage::Run(const StageContext& context) {
  QuietLibraries();
  try {
    return Reconstruct(context);
  } catch (const Interrupted&) {
    throw;
  } catch (const CheckFailed&) {
    throw;
  } catch (const std::exception& error) {
    if (IsOutOfMemory(error)) throw;
    if (const std::optional<UserError> told = AsUserError(error)) throw *told;
    // Behind the place in COLMAP's code. It was written and read a moment ago:
    // what SQLite calls damage is a disk that fails.
    const std::string what = error.what();
    const size_t of_database = what.find("SQLite error");
    if (of_database != std::string::npos) {
      throw UserError("COLMAP's database in " + context.scratch.string() +
                          " cannot be used: the disk is full, or fails (" +
                          what.substr(of_database) + ")",
                      "check the permissions and the space on the disk");
    }
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
