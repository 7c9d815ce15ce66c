#include "stages/llff/poses_stage.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/text.h"
#include "stages/common/colmap_model.h"
#include "stages/common/dataset_folder.h"
#include "stages/common/scene_transform_file.h"
#include "stages/common/verdict_file.h"
#include "stages/llff/depth_bounds.h"
#include "stages/llff/loader_check.h"
#include "stages/llff/nerf_pytorch_config.h"
#include "stages/llff/poses_bounds.h"
#include "stages/llff/shared_camera.h"
#include "stages/llff/transforms_json.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>

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
// On top of its configuration.
constexpr char kNotForNerfPytorch[] =
    "# nerf-pytorch cannot train on this folder: it takes one size and one\n"
    "# focal length for all images, and these have several.\n";

std::string Figure(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", value);
  return text;
}

struct PosesOptions {
  std::string bounds = "robust";
  bool accept_bad = false;
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
  int Version() const override { return 3; }
  std::string Description() const override {
    return "camera poses and depth bounds for NeRF programs";
  }
  // The cameras' verdict is asked for by the option of the stage that gives it.
  std::vector<OptionGroup> SharedOptions() override {
    OptionGroup group("colmap");
    group.Flag("accept_bad",
               &options_.accept_bad,
               "go on with cameras whose verdict is bad");
    return {group};
  }
  std::vector<std::string> OptionalInputs() const override {
    return {kVerdictFile};
  }
  std::vector<std::string> Inputs() const override {
    return {kSparseFolder, kImagesFolder, kMasksFolder, kVerdictFile};
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

std::string SizeText(int width, int height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

// Size and focal length for people: those of all cameras.
std::string SizesText(const Pinholes& cameras) {
  std::set<std::string> sizes;
  for (const auto& [id, camera] : cameras) {
    sizes.insert(SizeText(camera.width, camera.height));
  }
  return sizes.size() == 1 ? *sizes.begin()
                           : std::to_string(sizes.size()) + " sizes";
}

std::string FocalsText(const Pinholes& cameras) {
  double least = cameras.begin()->second.fx, most = least;
  for (const auto& [id, camera] : cameras) {
    least = std::min(least, camera.fx);
    most = std::max(most, camera.fx);
  }
  return least == most ? Figure(least) : Figure(least) + " to " + Figure(most);
}

// The summary that LLFF's users know.
void ShowSummary(const ColmapModel& model,
                 const Pinholes& cameras,
                 const DepthStatistics& depths,
                 const DepthBounds& bounds,
                 Report* report) {
  report->Show({{"cameras",
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
                  SizesText(cameras),
                  FocalsText(cameras),
                  std::to_string(model.points.size()),
                  Figure(depths.min),
                  Figure(depths.mean),
                  Figure(depths.max),
                  Figure(bounds.near),
                  Figure(bounds.far)}}});
}

void WarnOfTrouble(const std::vector<std::string>& names,
                   const DepthBounds& bounds,
                   Report* report) {
  if (names.size() < kFewImages) {
    report->Warn("only " + std::to_string(names.size()) +
                 " images have a pose: expect gaps in the result, and capture "
                 "more if you can");
  }
  if (bounds.far / bounds.near > kSuspiciousRatio) {
    report->Warn("far is " + Figure(bounds.far / bounds.near) +
                 " times near: look for stray points in the model, or set "
                 "poses.bounds to robust");
  }
  const auto png =
      std::count_if(names.begin(), names.end(), [](const std::string& name) {
        return name.ends_with("png");
      });
  if (png > 0) {
    report->Warn(std::to_string(png) +
                 " images are PNG, which nerf-pytorch fails to read with newer "
                 "versions of imageio, and of which it drops the alpha: those "
                 "without alpha are JPEG in images_N");
  }
}

// The loader holds all images as float64 and then float32 at once.
void TellMemory(const LoadedScene& scene, Report* report) {
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

// Those of `folder`, which need not be there.
std::set<std::string> MasksIn(const fs::path& folder) {
  if (!fs::is_directory(folder)) return {};
  const std::vector<std::string> names = SortedFileNames(folder);
  return {names.begin(), names.end()};
}

// Where the images stand as the cameras say: for each image one of the size of
// its camera, and no other image. Throws UserError.
void CheckImages(const ColmapModel& model,
                 const Pinholes& cameras,
                 const fs::path& images) {
  const auto fail = [&](const std::string& what) {
    throw UserError(images.string() + what, "run the colmap stage again");
  };
  size_t there = 0;
  for (const std::string& name : SortedFileNames(images)) {
    there += HasImageSuffix(name) ? 1 : 0;
  }
  if (there != model.images.size()) {
    fail(" holds " + std::to_string(there) + " images but there are " +
         std::to_string(model.images.size()) + " poses");
  }
  for (const auto& [id, image] : model.images) {
    const ImageSize size = ReadImageSize(images / image.name);
    const Pinhole& camera = cameras.at(image.camera_id);
    if (size.width != camera.width || size.height != camera.height) {
      fail("/" + image.name + " is " + SizeText(size.width, size.height) +
           " but its camera is " + SizeText(camera.width, camera.height));
    }
  }
}

// Reads the folder back as nerf-pytorch would: the error in pixels of the poses
// as loaded, or the line of a failure.
struct LoadedError {
  double pixels = 0;
  std::string failure;
};

LoadedError CheckAsLoaded(const ColmapModel& model,
                          const Pinhole& camera,
                          const fs::path& poses_bounds,
                          const fs::path& images,
                          Report* report) {
  const LoadedScene scene = LoadAsNerfPytorch(poses_bounds, images, 1);
  if (scene.width != camera.width || scene.height != camera.height) {
    return {0,
            "images are " + SizeText(scene.width, scene.height) +
                " but the model's camera is " +
                SizeText(camera.width, camera.height) +
                "; run the colmap stage again"};
  }
  const double own_error = MeanReprojectionError(model);
  const double loaded_error = MeanReprojectionError(model, scene);
  if (!(loaded_error <= own_error + kAllowedLoss)) {
    return {loaded_error,
            "poses as nerf-pytorch would load them miss the points by " +
                Figure(loaded_error) + " px, against " + Figure(own_error) +
                " px in the model; run the colmap stage again"};
  }
  TellMemory(scene, report);
  return {loaded_error, ""};
}

StageResult PosesStage::Run(const StageContext& context) {
  const CamerasVerdict verdict = ReadVerdict(context.workspace / kVerdictFile);
  if (verdict.word == "bad" && !options_.accept_bad) {
    return StageResult::Failed(
        "the cameras cannot be trusted; capture again, or go on with them all "
        "the same: --set colmap.accept_bad=yes",
        verdict.reasons);
  }
  const fs::path sparse = context.workspace / kSparseFolder;
  const fs::path images = context.workspace / kImagesFolder;
  const ColmapModel model = ReadColmapModel(sparse);
  const Pinholes cameras = CentredPinholes(model, sparse.string());
  const std::optional<Pinhole> shared = SharedPinhole(cameras);
  if (model.images.size() < kMinImages) {
    return StageResult::Failed(
        "only " + std::to_string(model.images.size()) +
        " image has a pose, too few to train on; capture more overlap");
  }
  const std::vector<DepthBounds> rows = Bounds(model, context.report);
  ThrowIfInterrupted();

  const fs::path poses_bounds = context.out / kPosesBoundsFile;
  WriteNpy(PosesBoundsArray(model, cameras, rows), poses_bounds);
  WriteFileAtomically(
      context.out / kTransformsFile,
      TransformsJson(
          model, cameras, MasksIn(context.workspace / kMasksFolder)));
  WriteFileAtomically(context.out / kSceneTransformFile,
                      SceneTransformJson(UprightTransform(PosesOf(model))));
  WriteFileAtomically(
      context.out / kConfigFile,
      (shared ? "" : kNotForNerfPytorch) +
          NerfPytorchConfig(SceneName(context), IsForwardFacing(model)));

  LoadedError error;
  if (shared) {
    error = CheckAsLoaded(model, *shared, poses_bounds, images, context.report);
    if (!error.failure.empty()) return StageResult::Failed(error.failure);
  } else {
    CheckImages(model, cameras, images);
    error.pixels = MeanReprojectionError(model);
    context.report->Warn(
        "the images have cameras of " + std::to_string(cameras.size()) +
        " kinds: poses_bounds.npy gives each row its own size and focal "
        "length, "
        "but nerf-pytorch takes the first row's for all, so do not open this "
        "workspace with it");
  }

  std::vector<std::string> names;
  for (const uint32_t id : ImageIdsByName(model)) {
    names.push_back(model.images.at(id).name);
  }
  const DepthStatistics depths = DepthStatisticsOf(model);
  const DepthBounds bounds = Extremes(rows);
  ShowSummary(model, cameras, depths, bounds, context.report);
  WarnOfTrouble(names, bounds, context.report);
  StageResult result = StageResult::Done(
      std::to_string(names.size()) + " poses, near " + Figure(bounds.near) +
      ", far " + Figure(bounds.far) + ", " + Figure(error.pixels) +
      (shared ? " px as loaded" : " px, for readers of several cameras"));
  result.facts["poses"] = {{"images", names.size()},
                           {"depth_min", depths.min},
                           {"depth_mean", depths.mean},
                           {"depth_max", depths.max},
                           {"near", bounds.near},
                           {"far", bounds.far},
                           {"loaded_reprojection_error_px", error.pixels}};
  return result;
}

}  // namespace

std::unique_ptr<Stage> MakePosesStage() {
  return std::make_unique<PosesStage>();
}

}  // namespace nerfpipe
