#include "stages/colmap/final_adjustment.h"

#include "pipeline/base/blas_threads.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/colmap/bundle_adjustment.h"
#include "stages/colmap/observation_alignment.h"
#include "stages/colmap/reconstruction_copy.h"

#include <iterator>
#include <map>
#include <memory>

#include <Eigen/Dense>
#include <colmap/scene/database_cache.h>
#include <colmap/sfm/incremental_mapper.h>
#include <colmap/sfm/observation_manager.h>
#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

constexpr double kMinAngle = 1.5;  // degrees between the rays of a point
// Pixels: from here on an observation counts ever less.
constexpr double kLossScale = 0.5;

// Adjusts all cameras and points together, the second time without the stray
// observations of the first.
void AdjustWhole(int threads, Report* report, colmap::Reconstruction* model) {
  constexpr double kMaxErrors[] = {4, 3};  // pixels
  AdjustmentOptions options;
  options.loss_scale = kLossScale;
  options.max_steps = 100;
  // Where cameras hang together loosely they move far for little gain; where
  // they do not, gains go on that move nothing.
  options.least_gain = 1e-8;
  options.least_turn = 1e-6;
  options.threads = threads;
  const auto progress =
      report->Start("adjusting", std::size(kMaxErrors), "rounds");
  int64_t done = 0;
  for (const double max_error : kMaxErrors) {
    colmap::ObservationManager observations(*model);
    observations.FilterObservationsWithNegativeDepth();
    const AdjustmentResult result = AdjustBundle(options, model);
    report->Detail(fmt::format("adjusted in {} steps, cost {:.5g} to {:.5g}",
                               result.steps,
                               result.cost_before,
                               result.cost_after));
    observations.FilterAllPoints3D(max_error, kMinAngle);
    progress->Update(++done);
  }
}

// With the cameras as they are.
void AddPoints(const std::filesystem::path& database,
               Report* report,
               const std::shared_ptr<colmap::Reconstruction>& model) {
  constexpr size_t kFewestMatches = 15;
  colmap::IncrementalMapper mapper(colmap::DatabaseCache::Create(
      colmap::Database(database.string()), kFewestMatches, false, {}));
  mapper.BeginReconstruction(model);
  const colmap::IncrementalTriangulator::Options options;
  const std::vector<colmap::image_t> ids = InOrder(*model);
  const auto progress = report->Start(
      "adding points", static_cast<int64_t>(ids.size()), "images");
  int64_t done = 0;
  for (const colmap::image_t id : ids) {
    ThrowIfInterrupted();
    mapper.TriangulateImage(options, id);
    progress->Update(++done);
  }
  mapper.CompleteAndMergeTracks(options);
  mapper.EndReconstruction(/*discard=*/false);
}

// What one image says of a point.
struct Ray {
  colmap::Rigid3d camera_from_world;
  Eigen::Vector2d seen;  // at depth 1
  double focal;          // pixels
};

// Gauss and Newton, with the weights of the same loss.
Eigen::Vector3d RefinePoint(const std::vector<Ray>& rays,
                            Eigen::Vector3d point) {
  constexpr int kSteps = 5;
  for (int step = 0; step < kSteps; ++step) {
    Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
    Eigen::Vector3d gradient = Eigen::Vector3d::Zero();
    for (const Ray& ray : rays) {
      const Eigen::Vector3d p = ray.camera_from_world * point;
      Eigen::Matrix<double, 2, 3> jacobian;
      jacobian << 1 / p.z(), 0, -p.x() / (p.z() * p.z()),  //
          0, 1 / p.z(), -p.y() / (p.z() * p.z());
      jacobian *= ray.focal * ray.camera_from_world.rotation.toRotationMatrix();
      const Eigen::Vector2d error = ray.focal * (p.hnormalized() - ray.seen);
      const double weight =
          1 / (1 + error.squaredNorm() / (kLossScale * kLossScale));
      normal += weight * jacobian.transpose() * jacobian;
      gradient += weight * jacobian.transpose() * error;
    }
    const Eigen::Vector3d change = normal.ldlt().solve(gradient);
    if (!change.allFinite()) break;
    point -= change;
  }
  return point;
}

void RefinePoints(int threads, colmap::Reconstruction* model) {
  std::vector<colmap::Point3D*> points;
  for (const auto& [id, point] : model->Points3D()) {
    points.push_back(&model->Point3D(id));
  }
  ParallelFor(points.size(), threads, [&](int64_t i) {
    colmap::Point3D& point = *points[i];
    std::vector<Ray> rays;
    for (const colmap::TrackElement& seen : point.track.Elements()) {
      const colmap::Image& image = model->Image(seen.image_id);
      const colmap::Camera& camera = model->Camera(image.CameraId());
      rays.push_back({image.CamFromWorld(),
                      camera.CamFromImg(image.Point2D(seen.point2D_idx).xy),
                      camera.MeanFocalLength()});
    }
    point.xyz = RefinePoint(rays, point.xyz);
  });
}

}  // namespace

void FinishModel(const std::filesystem::path& frames,
                 const std::filesystem::path& database,
                 const std::vector<Features>& features,
                 const Workplace& place,
                 MappingResult* mapping) {
  constexpr double kMaxError = 4;  // pixels
  UseOneBlasThread();              // the sparse solver calls it
  ColmapModel& chosen = mapping->models[mapping->chosen];
  std::map<uint32_t, const Features*> of_image;
  for (const auto& [id, image] : chosen.images) {
    of_image[id] = &features[id - 1];
  }
  const AlignmentCounts counts = AlignObservations(
      frames, of_image, place.search_threads, place.report, &chosen);
  place.report->Detail(fmt::format(
      "{} of {} observations aligned", counts.aligned, counts.observations));
  const std::filesystem::path scratch = place.scratch / "aligned";
  std::filesystem::create_directories(scratch);
  const std::shared_ptr<colmap::Reconstruction> model =
      ToColmap(chosen, scratch);
  AdjustWhole(place.threads, place.report, model.get());
  AddPoints(database, place.report, model);
  RefinePoints(place.threads, model.get());
  colmap::ObservationManager(*model).FilterAllPoints3D(kMaxError, kMinAngle);
  model->Normalize();
  model->UpdatePoint3DErrors();
  mapping->mean_error = model->ComputeMeanReprojectionError();
  chosen = FromColmap(*model);
}

}  // namespace nerfpipe::sfm
