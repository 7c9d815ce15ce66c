#include "stages/colmap/mapping.h"

#include "pipeline/base/blas_threads.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"

#include <algorithm>
#include <memory>
#include <string>

#include <colmap/controllers/incremental_mapper.h>
#include <colmap/estimators/bundle_adjustment.h>
#include <colmap/math/random.h>
#include <colmap/scene/reconstruction_manager.h>
#include <colmap/sfm/observation_manager.h>

namespace nerfpipe::sfm {
namespace {

using Reconstructions = std::shared_ptr<colmap::ReconstructionManager>;

std::shared_ptr<colmap::IncrementalMapperOptions> MapperOptions(bool relaxed) {
  auto options = std::make_shared<colmap::IncrementalMapperOptions>();
  options->num_threads = 1;
  options->mapper.num_threads = 1;
  options->init_num_trials = 50;
  // The whole is adjusted to convergence at the end, so that on the way rounds
  // need only keep the model from drifting: few, and of few iterations. On the
  // demo, whose true cameras are known, that takes a third of the time and
  // changes no error (tests/bench/mapping_bench).
  options->ba_global_images_ratio = 1.4;
  options->ba_global_points_ratio = 1.4;
  options->ba_global_max_refinements = 1;
  options->ba_global_max_num_iterations = 10;
  options->ba_global_function_tolerance = 1e-6;
  options->ba_local_max_refinements = 1;
  options->ba_local_max_num_iterations = 4;
  options->ba_local_function_tolerance = 1e-3;
  if (relaxed) {
    options->mapper.init_min_tri_angle /= 2;
    options->mapper.init_min_num_inliers /= 2;
  }
  return options;
}

std::vector<ModelSize> Sizes(const colmap::ReconstructionManager& models) {
  std::vector<ModelSize> sizes;
  for (size_t i = 0; i < models.Size(); ++i) {
    sizes.push_back({static_cast<int>(models.Get(i)->NumRegImages()),
                     static_cast<int>(models.Get(i)->NumPoints3D())});
  }
  return sizes;
}

int MostImages(const colmap::ReconstructionManager& models) {
  const std::vector<ModelSize> sizes = Sizes(models);
  return sizes.empty() ? 0 : sizes[ChooseModel(sizes)].images;
}

Reconstructions Attempt(const std::filesystem::path& database,
                        const std::filesystem::path& images,
                        int image_count,
                        bool relaxed,
                        Report* report) {
  using Controller = colmap::IncrementalMapperController;
  auto models = std::make_shared<colmap::ReconstructionManager>();
  const auto options = MapperOptions(relaxed);
  Controller controller(options, images.string(), database.string(), models);
  controller.SetCheckIfStoppedFunc(InterruptRequested);
  const auto progress = report->Start(
      relaxed ? "mapping, second attempt" : "mapping", image_count, "images");
  const auto update = [&] {
    const auto& model = *models->Get(models->Size() - 1);
    progress->Update(static_cast<int64_t>(model.NumRegImages()),
                     std::to_string(model.NumPoints3D()) + " points");
  };
  controller.AddCallback(Controller::INITIAL_IMAGE_PAIR_REG_CALLBACK, update);
  controller.AddCallback(Controller::NEXT_IMAGE_REG_CALLBACK, update);
  colmap::SetPRNGSeed(0);
  if (controller.LoadDatabase()) {
    controller.Reconstruct(options->Mapper());
  }
  ThrowIfInterrupted();
  return models;
}

// Adjusts all cameras and points together, without the stray observations of
// the round before.
void RefineWhole(colmap::Reconstruction* model) {
  constexpr double kMaxError = 4.0;  // pixels
  constexpr double kMinAngle = 1.5;  // degrees
  colmap::BundleAdjustmentOptions options =
      MapperOptions(false)->GlobalBundleAdjustment();
  options.solver_options.function_tolerance = 1e-6;
  options.solver_options.max_num_iterations = 100;
  for (int round = 0; round < 2; ++round) {
    ThrowIfInterrupted();
    colmap::ObservationManager observations(*model);
    observations.FilterObservationsWithNegativeDepth();
    colmap::BundleAdjustmentConfig config;
    const std::vector<colmap::image_t>& ids = model->RegImageIds();
    for (const colmap::image_t id : ids) {
      config.AddImage(id);
    }
    config.SetConstantCamPose(ids[0]);
    config.SetConstantCamPositions(ids[1], {0});
    colmap::BundleAdjuster(options, config).Solve(model);
    observations.FilterAllPoints3D(kMaxError, kMinAngle);
  }
  model->Normalize();
  model->UpdatePoint3DErrors();
}

ColmapImage FromColmap(const colmap::Image& image) {
  ColmapImage result;
  result.name = image.Name();
  result.camera_id = image.CameraId();
  result.camera_from_world = {image.CamFromWorld().rotation.toRotationMatrix(),
                              image.CamFromWorld().translation};
  result.observations.reserve(image.NumPoints2D());
  for (const colmap::Point2D& point : image.Points2D()) {
    result.observations.push_back(
        {point.xy,
         point.HasPoint3D() ? static_cast<int64_t>(point.point3D_id) : -1});
  }
  return result;
}

ColmapPoint FromColmap(const colmap::Point3D& point) {
  ColmapPoint result;
  result.xyz = point.xyz;
  std::copy_n(point.color.data(), 3, result.rgb);
  result.error = point.error;
  for (const colmap::TrackElement& element : point.track.Elements()) {
    result.track.push_back({element.image_id, element.point2D_idx});
  }
  return result;
}

ColmapModel FromColmap(const colmap::Reconstruction& model) {
  ColmapModel result;
  for (const auto& [id, camera] : model.Cameras()) {
    result.cameras[id] = {static_cast<int>(camera.model_id),
                          static_cast<int64_t>(camera.width),
                          static_cast<int64_t>(camera.height),
                          camera.params};
  }
  for (const colmap::image_t id : model.RegImageIds()) {
    result.images[id] = FromColmap(model.Image(id));
  }
  for (const auto& [id, point] : model.Points3D()) {
    result.points[id] = FromColmap(point);
  }
  return result;
}

}  // namespace

int ChooseModel(const std::vector<ModelSize>& models) {
  NERFPIPE_CHECK(!models.empty());
  const auto smaller = [](const ModelSize& a, const ModelSize& b) {
    return a.images != b.images ? a.images < b.images : a.points < b.points;
  };
  return static_cast<int>(
      std::max_element(models.begin(), models.end(), smaller) - models.begin());
}

MappingResult MapImages(const std::filesystem::path& database,
                        const std::filesystem::path& images,
                        int image_count,
                        Report* report) {
  UseOneBlasThread();  // the sparse solver calls it
  Reconstructions models =
      Attempt(database, images, image_count, /*relaxed=*/false, report);
  if (2 * MostImages(*models) < image_count) {
    report->Detail(
        "less than half of the images registered; starting again "
        "from pairs with less parallax");
    const Reconstructions second =
        Attempt(database, images, image_count, /*relaxed=*/true, report);
    if (MostImages(*second) > MostImages(*models)) {
      models = second;
    }
  }
  MappingResult result;
  if (models->Size() == 0) {
    return result;
  }
  result.chosen = ChooseModel(Sizes(*models));
  colmap::Reconstruction& chosen = *models->Get(result.chosen);
  RefineWhole(&chosen);
  result.mean_error = chosen.ComputeMeanReprojectionError();
  for (size_t i = 0; i < models->Size(); ++i) {
    result.models.push_back(FromColmap(*models->Get(i)));
  }
  return result;
}

}  // namespace nerfpipe::sfm
