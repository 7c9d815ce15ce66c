#include "stages/nerf/jobs/export.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/text.h"
#include "stages/common/scene_transform_file.h"
#include "stages/nerf/camera_pose.h"
#include "stages/nerf/jobs/scene_file.h"
#include "stages/nerf/jobs/training.h"
#include "stages/nerf/splat_files/cloud_transform.h"
#include "stages/nerf/splat_files/formats.h"
#include "stages/nerf/trainer.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// Of the workspace, or found from the cameras that the scene was trained on.
SceneTransform TransformFor(const ExportJob& job) {
  if (fs::exists(job.transform)) return ReadSceneTransform(job.transform);
  const SceneFile scene = ReadSceneFile(job.trained / kSceneFile);
  std::vector<const nerf::View*> views;
  for (const auto* part : {&scene.views.train, &scene.views.test}) {
    for (const nerf::View& view : *part) views.push_back(&view);
  }
  std::stable_sort(
      views.begin(), views.end(), [](const nerf::View* a, const nerf::View* b) {
        return a->name < b->name;
      });
  std::vector<Pose> poses;
  for (const nerf::View* view : views) {
    poses.push_back(nerf::PoseOf(view->camera));
  }
  return UprightTransform(poses);
}

}  // namespace

splats::SplatCloud CloudOf(const nerf::splat::SplatMethod& method) {
  using namespace nerf::splat;
  const GaussianSet& set = method.gaussians();
  const int degree = set.degree();
  const int harmonics = HarmonicsOf(degree) - 1;
  splats::SplatCloud cloud;
  cloud.degree = degree;
  cloud.antialiased = false;
  for (int64_t i = 0; i < set.count(); ++i) {
    double norm = 0;
    for (int k = 0; k < 4; ++k) {
      norm += std::pow(set.at(i, kRotationRow + k), 2);
    }
    for (int k = 0; k < 3; ++k) {
      const double filtered =
          std::exp(2.0 * set.at(i, kScaleRow + k)) + set.smoothing()[i];
      cloud.means.push_back(set.at(i, kMeanRow + k));
      cloud.log_scales.push_back(static_cast<float>(0.5 * std::log(filtered)));
      cloud.colours.push_back(set.at(i, kColourRow + k));
    }
    for (int k = 0; k < 4; ++k) {
      cloud.rotations.push_back(
          static_cast<float>(set.at(i, kRotationRow + k) / std::sqrt(norm)));
    }
    cloud.logits.push_back(splats::LogitOf(kMostOpaque * set.OpacityOf(i)));
    for (int k = 0; k < 3 * harmonics; ++k) {
      cloud.harmonics.push_back(set.at(i, kColourRow + 3 + k));
    }
  }
  const SplatSpace& space = method.space();
  const double s = 1 / space.scale;
  const std::array<double, 3>& c = space.centre;
  return splats::Transformed({s, 0, 0, c[0], 0, s, 0, c[1], 0, 0, s, c[2]},
                             std::move(cloud));
}

StageResult Export(const ExportJob& job) {
  const fs::path checkpoint = job.trained / kCheckpointFile;
  if (!fs::exists(checkpoint)) {
    throw UserError(
        "no gaussians are trained in " + job.trained.string(),
        "train them first: nerfpipe train -d DATASET --method splat");
  }
  const std::unique_ptr<nerf::Trainer> trainer =
      nerf::Trainer::FromCheckpoint(checkpoint);
  const auto* method =
      dynamic_cast<const nerf::splat::SplatMethod*>(&trainer->method());
  NERFPIPE_CHECK(method != nullptr);
  const splats::SplatCloud cloud = splats::Transformed(
      TransformFor(job).exported_from_world, CloudOf(*method));
  std::string sizes;
  for (const auto& [format, path] : job.files) {
    ThrowIfInterrupted();
    fs::create_directories(fs::absolute(path).parent_path());
    WriteFileAtomically(path, splats::FormatNamed(format).bytes(cloud));
    sizes += (sizes.empty() ? ": " : ", ") + path.filename().string() + " " +
             HumanBytes(static_cast<int64_t>(fs::file_size(path)));
  }
  StageResult result =
      StageResult::Done(std::to_string(cloud.count()) + " gaussians" + sizes);
  result.facts["export"] = {{"gaussians", cloud.count()},
                            {"degree", cloud.degree}};
  return result;
}

}  // namespace nerfpipe
