#include "stages/colmap/refinement/observation_alignment.h"

#include "pipeline/base/interrupt.h"
#include "pipeline/base/median.h"
#include "pipeline/base/parallel.h"
#include "stages/colmap/mapping/lens.h"
#include "stages/colmap/refinement/patch.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

namespace nerfpipe::sfm {
namespace {

using Lenses = std::map<uint32_t, Lens>;  // by the camera's identifier

// A point and the patches around its observations, in the order of its track.
struct Sighting {
  const ColmapPoint* point = nullptr;
  int level = 0;  // of the patches
  std::vector<std::optional<Patch>> patches;
};

// The picture is halved until the features are about as large as the finest
// ones are: a patch has the same number of pixels for all.
int LevelOf(const ColmapPoint& point,
            const std::map<uint32_t, const Features*>& features) {
  constexpr double kFinest = 2;  // scale in pixels
  constexpr int kMaxLevel = 4;
  std::vector<double> scales;
  for (const ColmapPoint::TrackElement& seen : point.track) {
    const Keypoint& key =
        features.at(seen.image_id)->keypoints[seen.observation];
    scales.push_back(
        std::sqrt(std::abs(key.a11 * key.a22 - key.a12 * key.a21)));
  }
  const double scale = UpperMedian(std::move(scales));
  return std::clamp(
      static_cast<int>(std::floor(std::log2(scale / kFinest))), 0, kMaxLevel);
}

// The one that looks most nearly from the middle of all directions, of those
// that have a patch; -1 if none has.
int MiddleOf(const Sighting& sighting, const ColmapModel& model) {
  std::vector<Eigen::Vector3d> directions;
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  for (const ColmapPoint::TrackElement& seen : sighting.point->track) {
    const Eigen::Vector3d centre =
        model.images.at(seen.image_id).camera_from_world.Inverse().translation;
    directions.push_back((centre - sighting.point->xyz).normalized());
    sum += directions.back();
  }
  int middle = -1;
  double nearest = -2 * sum.norm();
  for (size_t i = 0; i < directions.size(); ++i) {
    if (sighting.patches[i] && directions[i].dot(sum) > nearest) {
      nearest = directions[i].dot(sum);
      middle = static_cast<int>(i);
    }
  }
  return middle;
}

// Offsets in one picture to offsets in another, around a point on a surface
// that faces the first camera.
class WarpBetween {
 public:
  WarpBetween(const ColmapModel& model, const Lenses& lenses)
      : model_(model), lenses_(lenses) {}

  Eigen::Matrix2f operator()(const Eigen::Vector3d& xyz,
                             uint32_t from,
                             uint32_t to) const {
    const Rigid3& pose = model_.images.at(from).camera_from_world;
    const double step = 1e-3 * (pose.rotation * xyz + pose.translation).z();
    Eigen::Matrix2d moved_from;
    Eigen::Matrix2d moved_to;
    for (int axis = 0; axis < 2; ++axis) {
      const Eigen::Vector3d beside =
          xyz + step * pose.rotation.row(axis).transpose();
      moved_from.col(axis) = Project(beside, from) - Project(xyz, from);
      moved_to.col(axis) = Project(beside, to) - Project(xyz, to);
    }
    return (moved_to * moved_from.inverse()).cast<float>();
  }

 private:
  Eigen::Vector2d Project(const Eigen::Vector3d& xyz, uint32_t id) const {
    const ColmapImage& image = model_.images.at(id);
    const Rigid3& pose = image.camera_from_world;
    const Eigen::Vector3d p = pose.rotation * xyz + pose.translation;
    return lenses_.at(image.camera_id).Project(p);
  }

  const ColmapModel& model_;
  const Lenses& lenses_;
};

std::vector<Sighting> SightingsOf(
    const ColmapModel& model,
    const std::map<uint32_t, const Features*>& features) {
  std::vector<Sighting> sightings;
  for (const auto& [id, point] : model.points) {
    sightings.push_back({&point, LevelOf(point, features), {}});
    sightings.back().patches.resize(point.track.size());
  }
  return sightings;
}

// Every picture is read once.
void CutPatches(const std::filesystem::path& frames,
                const ColmapModel& model,
                int threads,
                Report* report,
                std::vector<Sighting>* sightings) {
  struct Place {
    Sighting* sighting;
    size_t of_track;
  };
  std::map<uint32_t, std::vector<Place>> places;
  for (Sighting& sighting : *sightings) {
    for (size_t i = 0; i < sighting.point->track.size(); ++i) {
      places[sighting.point->track[i].image_id].push_back({&sighting, i});
    }
  }
  const std::vector<std::pair<uint32_t, std::vector<Place>>> rows(
      places.begin(), places.end());
  const auto progress = report->Start(
      "cutting patches", static_cast<int64_t>(rows.size()), "images");
  std::atomic<int64_t> done = 0;
  ParallelFor(rows.size(), threads, [&](int64_t k) {
    ThrowIfInterrupted();
    const auto& [id, of_image] = rows[k];
    const ColmapImage& image = model.images.at(id);
    const Image picture = ReadImage(frames / image.name);
    for (const Place& place : of_image) {
      const auto& seen = place.sighting->point->track[place.of_track];
      place.sighting->patches[place.of_track] =
          CutPatch(picture,
                   image.observations[seen.observation].xy,
                   place.sighting->level);
    }
    progress->Update(++done);
  });
}

// Moves the observations of one point; by its track, which of them agree now.
std::vector<bool> AlignOne(const Sighting& sighting,
                           const WarpBetween& warp_between,
                           ColmapModel* model) {
  const std::vector<ColmapPoint::TrackElement>& track = sighting.point->track;
  std::vector<bool> agrees(track.size());
  const int middle = MiddleOf(sighting, *model);
  if (middle < 0) return agrees;
  const PatchTemplate pattern(*sighting.patches[middle]);
  if (!pattern.HasTexture()) return agrees;
  agrees[middle] = true;
  for (size_t i = 0; i < track.size(); ++i) {
    if (static_cast<int>(i) == middle || !sighting.patches[i]) continue;
    const std::optional<Eigen::Vector2f> shift = pattern.Find(
        *sighting.patches[i],
        warp_between(
            sighting.point->xyz, track[middle].image_id, track[i].image_id));
    if (!shift) continue;
    model->images.at(track[i].image_id).observations[track[i].observation].xy +=
        shift->cast<double>() * (1 << sighting.level);
    agrees[i] = true;
  }
  return agrees;
}

// Takes those that do not agree off the point, but not from pictures that need
// them.
void TakeOff(const std::vector<bool>& agrees,
             const std::map<uint32_t, int>& agreeing_in,
             ColmapPoint* point,
             ColmapModel* model) {
  constexpr int kEnough = 150;  // in a picture
  std::vector<ColmapPoint::TrackElement> rest;
  for (size_t i = 0; i < agrees.size(); ++i) {
    const ColmapPoint::TrackElement& seen = point->track[i];
    if (agrees[i] || agreeing_in.at(seen.image_id) < kEnough) {
      rest.push_back(seen);
    } else {
      model->images.at(seen.image_id)
          .observations[seen.observation]
          .point3d_id = -1;
    }
  }
  point->track = std::move(rest);
}

}  // namespace

AlignmentCounts AlignObservations(
    const std::filesystem::path& frames,
    const std::map<uint32_t, const Features*>& features,
    int threads,
    Report* report,
    ColmapModel* model) {
  constexpr int64_t kEnough = 3;
  std::vector<Sighting> sightings = SightingsOf(*model, features);
  CutPatches(frames, *model, threads, report, &sightings);
  Lenses lenses;
  for (const auto& [id, camera] : model->cameras) {
    lenses.emplace(id, Lens(camera.model_id, camera.params));
  }
  const WarpBetween warp_between(*model, lenses);
  std::vector<std::vector<bool>> agree(sightings.size());
  // Every observation belongs to one point, so that threads write apart.
  ParallelFor(sightings.size(), threads, [&](int64_t k) {
    agree[k] = AlignOne(sightings[k], warp_between, model);
  });
  std::map<uint32_t, int> agreeing_in;  // of each picture
  for (size_t i = 0; i < sightings.size(); ++i) {
    for (size_t j = 0; j < agree[i].size(); ++j) {
      agreeing_in[sightings[i].point->track[j].image_id] += agree[i][j];
    }
  }
  AlignmentCounts counts;
  size_t k = 0;
  for (auto& [id, point] : model->points) {
    const std::vector<bool>& agrees = agree[k++];
    const int64_t agreeing = std::count(agrees.begin(), agrees.end(), true);
    counts.observations += static_cast<int64_t>(agrees.size());
    counts.aligned += std::max<int64_t>(0, agreeing - 1);
    if (agreeing >= kEnough) TakeOff(agrees, agreeing_in, &point, model);
  }
  return counts;
}

}  // namespace nerfpipe::sfm
