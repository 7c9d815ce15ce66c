#include "stages/llff/poses_stage.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/text.h"
#include "stages/common/colmap_model.h"
#include "stages/common/dataset_folder.h"
#include "stages/common/scene_transform_file.h"
#include "stages/llff/depth_bounds.h"
#include "stages/llff/loader_check.h"
#include "stages/llff/nerf_pytorch_config.h"
#include "stages/llff/poses_bounds.h"
#include "stages/llff/shared_camera.h"
#include "stages/llff/transforms_json.h"

#include <algorithm>
#include <cstdio>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

constexpr char kConfigFile[] = "config_nerf_pytorch.txt";
// How much worse than the model the loaded poses may explain the images.
constexpr double kAllowedLoss = 0.1;  // px
constexpr double kSuspiciousRatio = 1e4;
// nerf-pytorch holds every 8th image back: one image leaves none to train on.
constexpr size_t kMinImages = 2;
constexpr size_t kFewImages = 20;

std::string Figure(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", value);
  return text;
}

struct PosesOptions {
  std::string bounds = "robust";
};

// near and far over all rows.
DepthBounds Extremes(const std::vector<DepthBounds>& rows) {
  DepthBounds all = rows.front();
  for (const DepthBounds& row : rows) {
    all.near = std::min(all.near, row.near);
    all.far = std::max(all.far, row.far);
  }
  return all;
}

// By LLFF's definition, refused where readers would divide by it.
std::vector<DepthBounds> UsableRawBounds(const ColmapModel& model) {
  const std::vector<DepthBounds> rows = RawLlffBounds(model);
  const std::vector<uint32_t> ids = ImageIdsByName(model);
  for (size_t i = 0; i < rows.size(); ++i) {
    // Written so that NaN is refused as well.
    if (!(rows[i].near > 0)) {
      throw UserError("image '" + model.images.at(ids[i]).name +
                          "' has near depth " + Figure(rows[i].near) +
                          " by LLFF's definition",
                      "set poses.bounds to robust");
    }
  }
  return rows;
}

void ReportRobust(const RobustBounds& bounds, Report* report) {
  report->Detail("bounds leave out " + std::to_string(bounds.behind) +
                 " points behind a camera, " +
                 std::to_string(bounds.unreliable) + " unreliable ones and " +
                 std::to_string(bounds.isolated) + " isolated ones");
  if (bounds.clamped_rows > 0) {
    report->Warn("near depth of " + std::to_string(bounds.clamped_rows) +
                 " images raised to a fifth of the median: stray points stood "
                 "before their cameras");
  }
  if (bounds.borrowed_rows > 0) {
    report->Warn(std::to_string(bounds.borrowed_rows) +
                 " images see too few points for bounds of their own and take "
                 "the medians of the others");
  }
}

class PosesStage : public Stage {
 public:
  std::string Name() const override { return "poses"; }
  int Version() const override { return 2; }
  std::string Description() const override {
    return "camera poses and depth bounds for NeRF programs";
  }
  std::vector<std::string> Inputs() const override {
    return {kSparseFolder, kImagesFolder};
  }
  std::vector<std::string> Outputs() const override {
    return {
        kPosesBoundsFile, kTransformsFile, kConfigFile, kSceneTransformFile};
  }
  std::vector<OptionGroup> Options() override {
    OptionGroup group("poses");
    group.Choice("bounds",
                 &options_.bounds,
                 {"robust", "llff"},
                 "near and far depth: robust against stray points, or LLFF's "
                 "definition to the letter");
    return {group};
  }
  StageResult Run(const StageContext& context) override;

 private:
  std::vector<DepthBounds> Bounds(const ColmapModel& model, Report* report);

  PosesOptions options_;
};

std::vector<DepthBounds> PosesStage::Bounds(const ColmapModel& model,
                                            Report* report) {
  if (options_.bounds == "llff") return UsableRawBounds(model);
  const RobustBounds bounds = RobustLlffBounds(model);
  ReportRobust(bounds, report);
  return bounds.rows;
}

// The summary that LLFF's users know.
void ShowSummary(const ColmapModel& model,
                 const Pinhole& camera,
                 const DepthStatistics& depths,
                 const DepthBounds& bounds,
                 Report* report) {
  report->Show(
      {{"cameras",
        "images",
        "size",
        "focal px",
        "points",
        "depth min",
        "mean",
        "max",
        "near",
        "far"},
       {{std::to_string(model.cameras.size()),
         std::to_string(model.images.size()),
         std::to_string(camera.width) + "x" + std::to_string(camera.height),
         Figure(camera.fx),
         std::to_string(model.points.size()),
         Figure(depths.min),
         Figure(depths.mean),
         Figure(depths.max),
         Figure(bounds.near),
         Figure(bounds.far)}}});
}

void WarnOfTrouble(const LoadedScene& scene,
                   const DepthBounds& bounds,
                   Report* report) {
  if (scene.names.size() < kFewImages) {
    report->Warn("only " + std::to_string(scene.names.size()) +
                 " images have a pose: expect gaps in the result, and capture "
                 "more if you can");
  }
  if (bounds.far / bounds.near > kSuspiciousRatio) {
    report->Warn("far is " + Figure(bounds.far / bounds.near) +
                 " times near: look for stray points in the model, or set "
                 "poses.bounds to robust");
  }
  if (scene.names.front().ends_with("png")) {
    report->Warn(
        "the images are PNG, which nerf-pytorch fails to read with "
        "newer versions of imageio: train on images_N, which are "
        "JPEG");
  }
  // The loader holds all images as float64 and then float32 at once.
  const int64_t bytes = int64_t{12} * 3 * scene.width * scene.height *
                        static_cast<int64_t>(scene.names.size());
  report->Detail("nerf-pytorch will take " + HumanBytes(bytes / 64) +
                 " for the images at factor 8, " + HumanBytes(bytes) +
                 " at factor 1");
}

// After the capture, so that the workspace's own name does not matter.
std::string SceneName(const StageContext& context) {
  const fs::path& source =
      context.capture.empty() ? context.workspace : context.capture;
  // A path that ends in a slash has an empty last part.
  return (source.has_filename() ? source : source.parent_path())
      .stem()
      .string();
}

// In the order of the names.
std::vector<Pose> PosesOf(const ColmapModel& model) {
  std::vector<Pose> poses;
  for (const uint32_t id : ImageIdsByName(model)) {
    const auto& camera = model.images.at(id).camera_from_world;
    const auto row = [&](int i, double sign) -> Vec3 {
      return {sign * camera.rotation(i, 0),
              sign * camera.rotation(i, 1),
              sign * camera.rotation(i, 2)};
    };
    const Eigen::Vector3d c = -camera.rotation.transpose() * camera.translation;
    poses.push_back({row(0, 1), row(1, -1), row(2, -1), {c.x(), c.y(), c.z()}});
  }
  return poses;
}

StageResult PosesStage::Run(const StageContext& context) {
  const fs::path sparse = context.workspace / kSparseFolder;
  const fs::path images = context.workspace / kImagesFolder;
  const ColmapModel model = ReadColmapModel(sparse);
  const Pinhole camera = SharedPinhole(model, sparse.string());
  if (model.images.size() < kMinImages) {
    return StageResult::Failed(
        "only " + std::to_string(model.images.size()) +
        " image has a pose, too few to train on; capture more overlap");
  }
  const std::vector<DepthBounds> rows = Bounds(model, context.report);
  ThrowIfInterrupted();

  const fs::path poses_bounds = context.out / kPosesBoundsFile;
  WriteNpy(PosesBoundsArray(model, camera, rows), poses_bounds);
  WriteFileAtomically(context.out / kTransformsFile,
                      TransformsJson(model, camera));
  WriteFileAtomically(context.out / kSceneTransformFile,
                      SceneTransformJson(UprightTransform(PosesOf(model))));
  WriteFileAtomically(
      context.out / kConfigFile,
      NerfPytorchConfig(SceneName(context), IsForwardFacing(model)));

  const LoadedScene scene = LoadAsNerfPytorch(poses_bounds, images, 1);
  if (scene.width != camera.width || scene.height != camera.height) {
    return StageResult::Failed(
        "images are " + std::to_string(scene.width) + "x" +
        std::to_string(scene.height) + " but the model's camera is " +
        std::to_string(camera.width) + "x" + std::to_string(camera.height) +
        "; run the colmap stage again");
  }
  const double own_error = MeanReprojectionError(model);
  const double loaded_error = MeanReprojectionError(model, scene);
  if (!(loaded_error <= own_error + kAllowedLoss)) {
    return StageResult::Failed(
        "poses as nerf-pytorch would load them miss the points by " +
        Figure(loaded_error) + " px, against " + Figure(own_error) +
        " px in the model; run the colmap stage again");
  }

  const DepthStatistics depths = DepthStatisticsOf(model);
  const DepthBounds bounds = Extremes(scene.bounds);
  ShowSummary(model, camera, depths, bounds, context.report);
  WarnOfTrouble(scene, bounds, context.report);
  StageResult result =
      StageResult::Done(std::to_string(scene.names.size()) + " poses, near " +
                        Figure(bounds.near) + ", far " + Figure(bounds.far) +
                        ", " + Figure(loaded_error) + " px as loaded");
  result.facts["poses"] = {{"images", scene.names.size()},
                           {"depth_min", depths.min},
                           {"depth_mean", depths.mean},
                           {"depth_max", depths.max},
                           {"near", bounds.near},
                           {"far", bounds.far},
                           {"loaded_reprojection_error_px", loaded_error}};
  return result;
}

}  // namespace

std::unique_ptr<Stage> MakePosesStage() {
  return std::make_unique<PosesStage>();
}

}  // namespace nerfpipe
