#include "tests/stages/colmap/true_capture.h"

#include "pipeline/base/median.h"
#include "pipeline/base/random.h"
#include "stages/colmap/ladder.h"
#include "stages/colmap/mapping/lens.h"
#include "stages/colmap/model_checks.h"
#include "tests/listener.h"
#include "tests/stages/colmap/planted_features.h"
#include "tests/stages/colmap/scene_features.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include <Eigen/Geometry>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nerfpipe::sfm {
namespace {

constexpr double kNoise = 0.3;   // pixels
constexpr double kFound = 0.85;  // of the points that could be seen

double Normal(Random* random) {
  return std::sqrt(-2 * std::log(1 - random->Uniform())) *
         std::cos(2 * std::numbers::pi * random->Uniform());
}

std::string NameOfImage(size_t i) { return std::to_string(1000 + i) + ".jpg"; }

Features SeenBy(const TrueCapture& capture, size_t i, Random* random) {
  int looks = 0;
  for (const TruePoint& point : capture.points) {
    looks = std::max(looks, point.looks);
  }
  const std::vector<uint8_t> descriptors = RandomDescriptors(looks + 1, 11);
  const Rigid3& pose = capture.cameras[i];
  const ColmapCamera& camera = capture.lenses[i];
  const Lens lens(camera.model_id, camera.params);
  const Eigen::Vector3d eye = pose.Inverse().translation;
  Features features;
  for (const TruePoint& point : capture.points) {
    const Eigen::Vector3d ray = (eye - point.place).normalized();
    const Eigen::Vector3d p = pose * point.place;
    const bool faces = point.outward.isZero() || point.outward.dot(ray) > 0.3;
    if (!faces || p.z() < 0.2 || random->Uniform() > kFound) continue;
    const Eigen::Vector2d xy =
        lens.Project(p) +
        kNoise * Eigen::Vector2d(Normal(random), Normal(random));
    if (xy.x() < 0 || xy.y() < 0 ||
        xy.x() > static_cast<double>(camera.width) ||
        xy.y() > static_cast<double>(camera.height)) {
      continue;
    }
    features.keypoints.push_back(
        {static_cast<float>(xy.x()), static_cast<float>(xy.y()), 1, 0, 0, 1});
    const auto from =
        descriptors.begin() +
        static_cast<std::ptrdiff_t>(point.looks) * kDescriptorSize;
    features.descriptors.insert(
        features.descriptors.end(), from, from + kDescriptorSize);
  }
  return features;
}

// Brings the most columns of `from` within a twentieth of the radius of `to`,
// by trying every third.
Eigen::Matrix4d OntoMost(const Eigen::Matrix3Xd& from,
                         const Eigen::Matrix3Xd& to,
                         double radius) {
  const auto distances = [&](const Eigen::Matrix4d& onto) {
    const Eigen::Matrix3Xd moved =
        (onto.topLeftCorner<3, 3>() * from).colwise() +
        onto.topRightCorner<3, 1>().eval();
    return (moved - to).colwise().norm().eval();
  };
  Random random(3);
  Eigen::Matrix4d best = Eigen::umeyama(from, to);
  int64_t most = 0;
  for (int attempt = 0; attempt < 300; ++attempt) {
    Eigen::Matrix<double, 3, 4> some_from, some_to;
    for (int k = 0; k < 4; ++k) {
      const auto pick = static_cast<Eigen::Index>(
          random.Below(static_cast<uint64_t>(from.cols())));
      some_from.col(k) = from.col(pick);
      some_to.col(k) = to.col(pick);
    }
    const Eigen::Matrix4d onto = Eigen::umeyama(some_from, some_to);
    const auto fitting = (distances(onto).array() < 0.05 * radius).count();
    if (!onto.allFinite() || fitting <= most) continue;
    most = fitting;
    best = onto;
  }
  return best;
}

void Compare(const TrueCapture& capture,
             const ColmapModel& model,
             TrueResult* result) {
  const auto images = static_cast<Eigen::Index>(model.images.size());
  Eigen::Matrix3Xd found(3, images);
  Eigen::Matrix3Xd truth(3, images);
  std::vector<std::pair<Eigen::Matrix3d, Eigen::Matrix3d>> rotations;
  Eigen::Index column = 0;
  for (const auto& [id, image] : model.images) {
    const Rigid3 of_world = image.camera_from_world.Inverse();
    const Rigid3 wanted = capture.cameras[id - 1].Inverse();
    found.col(column) = of_world.translation;
    truth.col(column) = wanted.translation;
    rotations.emplace_back(of_world.rotation, wanted.rotation);
    result->lenses.push_back(model.cameras.at(image.camera_id));
    ++column;
  }
  const Eigen::Vector3d middle = truth.rowwise().mean();
  const Eigen::VectorXd from_middle =
      (truth.colwise() - middle).colwise().norm();
  const double radius = UpperMedian({from_middle.begin(), from_middle.end()});
  const Eigen::Matrix4d onto = OntoMost(found, truth, radius);
  const double scale = std::cbrt(onto.topLeftCorner<3, 3>().determinant());
  const Eigen::Matrix3d turn = onto.topLeftCorner<3, 3>() / scale;
  std::vector<double> errors;
  std::vector<double> angles;
  for (Eigen::Index i = 0; i < images; ++i) {
    errors.push_back((scale * turn * found.col(i) +
                      onto.topRightCorner<3, 1>() - truth.col(i))
                         .norm() /
                     radius);
    const auto& [is, wanted] = rotations[static_cast<size_t>(i)];
    const Eigen::AngleAxisd off(
        Eigen::Matrix3d((turn * is).transpose() * wanted));
    angles.push_back(std::abs(off.angle()) * 180 / std::numbers::pi);
  }
  result->registered = static_cast<int>(images);
  result->worst = *std::max_element(errors.begin(), errors.end());
  result->median = UpperMedian(errors);
  result->rotation = UpperMedian(angles);
}

}  // namespace

Rigid3 LookAt(const Eigen::Vector3d& eye, const Eigen::Vector3d& at) {
  const Eigen::Vector3d forward = (at - eye).normalized();
  const Eigen::Vector3d right =
      Eigen::Vector3d::UnitY().cross(forward).normalized();
  Rigid3 world_from_camera;
  world_from_camera.rotation.col(0) = right;
  world_from_camera.rotation.col(1) = forward.cross(right);
  world_from_camera.rotation.col(2) = forward;
  world_from_camera.translation = eye;
  return world_from_camera.Inverse();
}

std::vector<TruePoint> ThingAlone(int count) {
  Random random(5);
  std::vector<TruePoint> points;
  for (int k = 0; k < count; ++k) {
    // On an ellipsoid, and seen from outside.
    const Eigen::Vector3d way(
        Normal(&random), Normal(&random), Normal(&random));
    const Eigen::Vector3d outward = way.normalized();
    points.push_back({outward.cwiseProduct(Eigen::Vector3d(1.1, 0.7, 0.9)) *
                          random.Uniform(0.8, 1),
                      outward,
                      k});
  }
  return points;
}

std::vector<TruePoint> ThingOnAFloor(int count) {
  std::vector<TruePoint> points = ThingAlone(count);
  Random random(6);
  for (int k = 0; k < count; ++k) {
    points.push_back({{random.Uniform(-4, 4), 0.75, random.Uniform(-4, 4)},
                      -Eigen::Vector3d::UnitY(),
                      count + k});
    // The floor is seen from low down as well.
    points.back().outward *= 2;
  }
  return points;
}

std::vector<Rigid3> Orbit(int images, double radius, double waver) {
  std::vector<Rigid3> cameras;
  for (int i = 0; i < images; ++i) {
    const double turn = 2 * std::numbers::pi * i / images;
    const double reach = radius * (1 + waver * std::sin(5.0 * turn + 1));
    const Eigen::Vector3d eye(reach * std::sin(turn),
                              radius * (-0.35 + waver * std::cos(3.0 * turn)),
                              -reach * std::cos(turn));
    cameras.push_back(
        LookAt(eye, waver * Eigen::Vector3d(std::sin(7.0 * turn), 0.3, 0.2)));
  }
  return cameras;
}

std::string TrueResult::All() const {
  return fmt::format(
      "{} registered, {} worst {:.3f} median {:.5f} of the radius, {:.3f} "
      "degrees, focal {:.1f} of model {}\n{}\n{}",
      registered,
      NameOf(verdict.grade),
      worst,
      median,
      rotation,
      lenses.empty() ? 0 : lenses.front().params.front(),
      lenses.empty() ? -1 : lenses.front().model_id,
      fmt::join(verdict.reasons, "\n"),
      fmt::join(told, "\n"));
}

TrueResult SolveTrueCapture(const TrueCapture& capture) {
  const TemporaryFolder folder(FastPlace());
  Listener report;
  SolveJob job;
  job.video = capture.video;
  job.options.camera_model = capture.camera_model;
  job.frames = folder / "frames";
  job.database = folder / "database.db";
  job.place = {folder / "scratch", 2, 2, &report};
  Random random(9);
  std::vector<Features> features;
  for (size_t i = 0; i < capture.cameras.size(); ++i) {
    const ColmapCamera& lens = capture.lenses[i];
    const auto width = static_cast<int>(lens.width);
    const auto height = static_cast<int>(lens.height);
    job.width = width;
    job.height = height;
    job.lenses.push_back(
        {width, height, capture.exif.empty() ? 0 : capture.exif[i]});
    job.names.push_back(NameOfImage(i));
    job.clip_indices.push_back(static_cast<int64_t>(i));
    features.push_back(SeenBy(capture, i, &random));
  }
  PlantFeatures(job, features);
  Solution solution = MatchCapture(job);
  SolveCapture(job, &solution);
  TrueResult result;
  result.told = report.infos;
  const MappingResult& mapping = solution.mapping;
  if (mapping.chosen < 0) {
    result.verdict.grade = SceneGrade::kBad;
    result.worst = result.median = std::numeric_limits<double>::infinity();
    return result;
  }
  const ColmapModel& model = mapping.models[mapping.chosen];
  result.verdict =
      JudgeScene(CheckModel(model, solution.pairs, solution.features),
                 mapping,
                 solution.names,
                 job.lenses,
                 job.video);
  Compare(capture, model, &result);
  return result;
}

}  // namespace nerfpipe::sfm
