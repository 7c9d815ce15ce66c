#include "stages/colmap/mapping/mapping.h"

#include "pipeline/base/blas_threads.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/median.h"
#include "stages/colmap/mapping/bundle_adjustment.h"
#include "stages/colmap/mapping/reconstruction_copy.h"

#include <algorithm>
#include <memory>
#include <string>

#include <colmap/controllers/incremental_mapper.h>
#include <colmap/estimators/alignment.h>
#include <colmap/math/random.h>
#include <colmap/scene/database_cache.h>
#include <colmap/scene/reconstruction_manager.h>
#include <colmap/sfm/incremental_mapper.h>
#include <colmap/sfm/observation_manager.h>

namespace nerfpipe::sfm {
namespace {

using Reconstructions = std::shared_ptr<colmap::ReconstructionManager>;

std::shared_ptr<colmap::IncrementalMapperOptions> MapperOptions(bool relaxed) {
  auto options = std::make_shared<colmap::IncrementalMapperOptions>();
  options->num_threads = 1;
  options->mapper.num_threads = 1;
  options->init_num_trials = 50;
  options->extract_colors = false;  // would read every picture once more
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

Reconstructions Attempt(const std::filesystem::path& database,
                        const std::filesystem::path& folder,
                        const std::vector<std::string>& names,
                        bool relaxed,
                        Report* report) {
  using Controller = colmap::IncrementalMapperController;
  auto models = std::make_shared<colmap::ReconstructionManager>();
  const auto options = MapperOptions(relaxed);
  options->image_names.insert(names.begin(), names.end());
  Controller controller(options, folder.string(), database.string(), models);
  controller.SetCheckIfStoppedFunc(InterruptRequested);
  const auto progress =
      report->Start("mapping", static_cast<int64_t>(names.size()), "images");
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

// Joins what shares enough images with the largest model to be registered in
// it.
void JoinModels(colmap::ReconstructionManager* models, Report* report) {
  constexpr size_t kFewestShared = 3;
  constexpr double kMaxError = 8.0;  // pixels
  for (size_t i = 0; i < models->Size(); ++i) {
    const auto largest = static_cast<size_t>(ChooseModel(Sizes(*models)));
    const colmap::Reconstruction& part = *models->Get(i);
    if (i == largest ||
        part.FindCommonRegImageIds(*models->Get(largest)).size() <
            kFewestShared) {
      continue;
    }
    auto joined =
        std::make_shared<colmap::Reconstruction>(*models->Get(largest));
    if (!colmap::MergeReconstructions(kMaxError, part, *joined)) continue;
    report->Detail("two models share images and were joined into one of " +
                   std::to_string(joined->NumRegImages()) + " images");
    *models->Get(largest) = *joined;
    models->Delete(i);
    i = static_cast<size_t>(-1);  // from the beginning: the largest has grown
  }
}

std::vector<double> StepsOf(const std::vector<Eigen::Vector3d>& centres) {
  std::vector<double> steps;
  for (size_t i = 0; i + 1 < centres.size(); ++i) {
    steps.push_back((centres[i + 1] - centres[i]).norm());
  }
  return steps;
}

std::vector<Eigen::Vector3d> CentresOf(
    const colmap::Reconstruction& model,
    const std::vector<colmap::image_t>& ids) {
  std::vector<Eigen::Vector3d> centres;
  for (const colmap::image_t id : ids) {
    centres.push_back(model.Image(id).ProjectionCenter());
  }
  return centres;
}

std::vector<std::string> LeaveOutStrays(colmap::Reconstruction* model) {
  const std::vector<colmap::image_t> ids = InOrder(*model);
  const std::vector<Eigen::Vector3d> centres = CentresOf(*model, ids);
  std::vector<std::string> names;
  for (const size_t i : CentresOffThePath(centres)) {
    names.push_back(model->Image(ids[i]).Name());
    colmap::ObservationManager(*model).DeRegisterImage(ids[i]);
  }
  return names;
}

// What is to be told of the chosen model.
void Judge(const MappingOptions& options,
           colmap::Reconstruction* model,
           MappingResult* result) {
  if (options.one_walk) {
    result->strays = LeaveOutStrays(model);
    result->jumps = CountJumps(CentresOf(*model, InOrder(*model)));
  }
  result->mean_error = model->ComputeMeanReprojectionError();
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

int CountJumps(const std::vector<Eigen::Vector3d>& centres) {
  constexpr double kFar = 8;  // of the median step
  if (centres.size() < 5) return 0;
  const std::vector<double> steps = StepsOf(centres);
  const double median = UpperMedian(steps);
  return static_cast<int>(
      std::count_if(steps.begin(), steps.end(), [&](double step) {
        return step > kFar * median;
      }));
}

std::vector<size_t> CentresOffThePath(
    const std::vector<Eigen::Vector3d>& centres) {
  // Of the median step. Even a hasty hand does not go there and back between
  // three frames.
  constexpr double kFar = 10;
  constexpr double kClose = 4;
  std::vector<size_t> off;
  if (centres.size() < 5) return off;
  const std::vector<double> steps = StepsOf(centres);
  const double median = UpperMedian(steps);
  for (size_t i = 1; i + 1 < centres.size(); ++i) {
    const double across = (centres[i + 1] - centres[i - 1]).norm();
    if (std::min(steps[i - 1], steps[i]) > kFar * median &&
        across < kClose * median) {
      off.push_back(i);
    }
  }
  return off;
}

int MappingResult::Registered() const {
  return chosen < 0 ? 0 : static_cast<int>(models[chosen].images.size());
}

MappingResult MapImages(const std::filesystem::path& database,
                        const std::filesystem::path& folder,
                        const std::vector<std::string>& names,
                        const MappingOptions& options,
                        Report* report) {
  UseOneBlasThread();  // the sparse solver calls it
  const Reconstructions models =
      Attempt(database, folder, names, options.relaxed, report);
  MappingResult result;
  if (models->Size() == 0) {
    return result;
  }
  JoinModels(models.get(), report);
  result.chosen = ChooseModel(Sizes(*models));
  Judge(options, models->Get(result.chosen).get(), &result);
  for (size_t i = 0; i < models->Size(); ++i) {
    result.models.push_back(FromColmap(*models->Get(i)));
  }
  return result;
}

MappingResult ExtendModel(const std::filesystem::path& database,
                          const MappingResult& standing,
                          const MappingOptions& options,
                          bool adjust,
                          int threads,
                          Report* report) {
  UseOneBlasThread();
  const auto settings = MapperOptions(options.relaxed);
  const std::shared_ptr<colmap::Reconstruction> model =
      ToColmap(standing.models[standing.chosen]);
  const colmap::Database matches(database.string());
  colmap::IncrementalMapper mapper(colmap::DatabaseCache::Create(
      matches, settings->min_num_matches, settings->ignore_watermarks, {}));
  mapper.BeginReconstruction(model);
  const auto progress = report->Start(
      "closing loops",
      static_cast<int64_t>(standing.models[standing.chosen].images.size()),
      "images");
  colmap::SetPRNGSeed(0);
  int64_t done = 0;
  for (const colmap::image_t id : InOrder(*model)) {
    ThrowIfInterrupted();
    mapper.TriangulateImage(settings->Triangulation(), id);
    progress->Update(++done);
  }
  for (const colmap::image_t id : mapper.FindNextImages(settings->Mapper())) {
    ThrowIfInterrupted();
    if (mapper.RegisterNextImage(settings->Mapper(), id)) {
      mapper.TriangulateImage(settings->Triangulation(), id);
    }
  }
  if (adjust) {
    AdjustmentOptions whole;
    whole.loss_scale = 1;
    whole.max_steps = 8;
    whole.threads = threads;
    whole.square_pixels = HasSquarePixels(*model);
    mapper.CompleteAndMergeTracks(settings->Triangulation());
    mapper.Retriangulate(settings->Triangulation());
    mapper.ObservationManager().FilterObservationsWithNegativeDepth();
    AdjustBundle(whole, model.get());
    mapper.CompleteAndMergeTracks(settings->Triangulation());
    mapper.FilterPoints(settings->Mapper());
    mapper.FilterImages(settings->Mapper());
  }
  ThrowIfInterrupted();
  mapper.EndReconstruction(/*discard=*/false);
  MappingResult result = standing;
  Judge(options, model.get(), &result);
  result.models[result.chosen] = FromColmap(*model);
  return result;
}

}  // namespace nerfpipe::sfm
