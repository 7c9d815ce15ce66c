#include "stages/colmap/model_checks.h"

#include "pipeline/base/median.h"
#include "stages/colmap/mapping/lens.h"
#include "stages/colmap/matching/colmap_types.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

#include <Eigen/Geometry>

namespace nerfpipe::sfm {
namespace {

constexpr int kCells = 8;  // along either side

int CellOf(const Eigen::Vector2d& xy, const ColmapCamera& camera) {
  const auto place = [](double at, int64_t length) {
    return std::clamp(
        static_cast<int>(kCells * at / static_cast<double>(length)),
        0,
        kCells - 1);
  };
  return kCells * place(xy.y(), camera.height) + place(xy.x(), camera.width);
}

// Where the two images of a pair see what they have in common.
class PairJudge {
 public:
  PairJudge(const ColmapImage& first,
            const ColmapImage& second,
            const ColmapModel& model)
      : first_camera_(ToColmap(model.cameras.at(first.camera_id))),
        second_camera_(ToColmap(model.cameras.at(second.camera_id))) {
    const Rigid3& a = first.camera_from_world;
    const Rigid3& b = second.camera_from_world;
    rotation_ = b.rotation * a.rotation.transpose();
    translation_ = b.translation - rotation_ * a.translation;
  }

  // Is the match within `tolerance` pixels of the line on which the second
  // image has what the first sees there, and before both?
  bool Agrees(const Keypoint& first,
              const Keypoint& second,
              double tolerance) const {
    const Eigen::Vector3d u =
        first_camera_.CamFromImg({first.x, first.y}).homogeneous();
    const Eigen::Vector2d seen =
        second_camera_.CamFromImg({second.x, second.y});
    const Eigen::Vector3d v = seen.homogeneous();
    const Eigen::Vector3d turned = rotation_ * u;
    const Eigen::Vector3d line = translation_.cross(turned);
    const double focal = second_camera_.MeanFocalLength();
    const double along = line.head<2>().norm();
    if (along > 0 && focal * std::abs(line.dot(v)) / along > tolerance) {
      return false;
    }
    // Rays that are as good as parallel meet far away, on either side.
    constexpr double kParallel = 0.01;
    const Eigen::Vector3d normal = v.cross(turned);
    if (normal.norm() < kParallel * v.norm() * turned.norm()) return true;
    // depth_second * v = depth_first * turned + translation
    const double depth_first = -normal.dot(v.cross(translation_));
    const double depth_second = normal.dot(translation_.cross(turned));
    return depth_first > 0 && depth_second > 0;
  }

 private:
  colmap::Camera first_camera_;
  colmap::Camera second_camera_;
  Eigen::Matrix3d rotation_;
  Eigen::Vector3d translation_;
};

void JudgePairs(const ColmapModel& model,
                const std::vector<MatchedPair>& pairs,
                const std::vector<Features>& features,
                ModelChecks* checks) {
  constexpr size_t kEnough = 30;
  constexpr double kTolerance = 4;  // pixels
  // Of each image the number of matches of its pairs, and whether they
  // contradict.
  std::map<int, std::vector<std::pair<size_t, bool>>> of_image;
  for (const MatchedPair& pair : pairs) {
    const auto first = model.images.find(pair.first + 1);
    const auto second = model.images.find(pair.second + 1);
    if (pair.geometry.inliers.size() < kEnough || first == model.images.end() ||
        second == model.images.end()) {
      continue;
    }
    const PairJudge judge(first->second, second->second, model);
    size_t agreeing = 0;
    for (const FeatureMatch& match : pair.geometry.inliers) {
      agreeing += judge.Agrees(features[pair.first].keypoints[match.first],
                               features[pair.second].keypoints[match.second],
                               kTolerance);
    }
    const bool neighbours = pair.second - pair.first <= 2;
    const bool contradicts = 3 * agreeing < pair.geometry.inliers.size();
    ++checks->pairs;
    checks->neighbours += neighbours;
    for (const int image : {pair.first, pair.second}) {
      of_image[image].emplace_back(pair.geometry.inliers.size(), contradicts);
    }
    if (!contradicts) continue;
    checks->contradicting_neighbours += neighbours;
    checks->contradictions.push_back(
        {pair.first,
         pair.second,
         static_cast<int>(pair.geometry.inliers.size())});
  }
  constexpr size_t kBest = 3;
  for (auto& [image, judged] : of_image) {
    std::sort(judged.rbegin(), judged.rend());
    judged.resize(std::min(judged.size(), kBest));
    ++checks->judged_images;
    checks->doubtful_images +=
        std::any_of(judged.begin(), judged.end(), [](const auto& pair) {
          return pair.second;
        });
  }
}

// Sums of the errors in a part of the pictures of one camera.
struct Cell {
  Eigen::Vector2d error = Eigen::Vector2d::Zero();
  int64_t observations = 0;
};

void JudgePictures(const ColmapModel& model, ModelChecks* checks) {
  constexpr int64_t kEnough = 50;  // observations in a part
  std::map<uint32_t, std::array<Cell, kCells * kCells>> of_camera;
  std::vector<double> spreads;
  for (const auto& [id, image] : model.images) {
    const ColmapCamera& camera = model.cameras.at(image.camera_id);
    const Lens lens(camera.model_id, camera.params);
    std::array<bool, kCells* kCells> seen = {};
    for (const ColmapImage::Observation& observation : image.observations) {
      const auto point = model.points.find(observation.point3d_id);
      if (point == model.points.end()) continue;
      const int cell = CellOf(observation.xy, camera);
      seen[cell] = true;
      const Rigid3& pose = image.camera_from_world;
      Cell& sums = of_camera[image.camera_id][cell];
      sums.error +=
          lens.Project(pose.rotation * point->second.xyz + pose.translation) -
          observation.xy;
      ++sums.observations;
    }
    spreads.push_back(
        static_cast<double>(std::count(seen.begin(), seen.end(), true)) /
        (kCells * kCells));
  }
  if (!spreads.empty()) checks->spread = UpperMedian(std::move(spreads));
  double squares = 0;
  int64_t parts = 0;
  for (const auto& [id, cells] : of_camera) {
    for (const Cell& cell : cells) {
      if (cell.observations < kEnough) continue;
      squares +=
          (cell.error / static_cast<double>(cell.observations)).squaredNorm();
      ++parts;
    }
  }
  if (parts > 0) {
    checks->lens_error = std::sqrt(squares / static_cast<double>(parts));
  }
}

}  // namespace

ModelChecks CheckModel(const ColmapModel& model,
                       const std::vector<MatchedPair>& pairs,
                       const std::vector<Features>& features) {
  ModelChecks checks;
  JudgePairs(model, pairs, features, &checks);
  JudgePictures(model, &checks);
  return checks;
}

}  // namespace nerfpipe::sfm
