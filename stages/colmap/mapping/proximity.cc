#include "stages/colmap/mapping/proximity.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>
#include <utility>

namespace nerfpipe::sfm {
namespace {

// Of an image, evenly taken; enough for a share.
constexpr size_t kMostPoints = 200;

struct Seer {
  int place = 0;  // in the capture
  const ColmapCamera* camera = nullptr;
  Rigid3 camera_from_world;
  Eigen::Vector3d centre;
  std::vector<Eigen::Vector3d> points;  // that it sees
};

std::vector<Seer> SeersOf(const ColmapModel& model,
                          const std::vector<std::string>& names) {
  std::map<std::string, int> places;
  for (size_t i = 0; i < names.size(); ++i) {
    places[names[i]] = static_cast<int>(i);
  }
  std::vector<Seer> seers;
  for (const auto& [id, image] : model.images) {
    std::vector<Eigen::Vector3d> points;
    for (const ColmapImage::Observation& seen : image.observations) {
      const auto found = model.points.find(seen.point3d_id);
      if (found != model.points.end()) points.push_back(found->second.xyz);
    }
    Seer seer;
    seer.place = places.at(image.name);
    seer.camera = &model.cameras.at(image.camera_id);
    seer.camera_from_world = image.camera_from_world;
    seer.centre = image.camera_from_world.Inverse().translation;
    const size_t stride = points.size() / kMostPoints + 1;
    for (size_t i = 0; i < points.size(); i += stride) {
      seer.points.push_back(points[i]);
    }
    seers.push_back(std::move(seer));
  }
  std::sort(seers.begin(), seers.end(), [](const Seer& a, const Seer& b) {
    return a.place < b.place;
  });
  return seers;
}

// The share of a's points that b has in its picture, from a like direction.
// Lens distortion does not matter here.
double SeenShare(const Seer& a, const Seer& b) {
  static const double kLikeDirection = std::cos(40 * std::numbers::pi / 180);
  const ColmapCamera& camera = *b.camera;
  const double focal = camera.params[0];
  int seen = 0;
  for (const Eigen::Vector3d& point : a.points) {
    const Eigen::Vector3d p =
        b.camera_from_world.rotation * point + b.camera_from_world.translation;
    if (p.z() <= 0 || std::abs(focal * p.x() / p.z()) > 0.5 * camera.width ||
        std::abs(focal * p.y() / p.z()) > 0.5 * camera.height) {
      continue;
    }
    seen +=
        (point - a.centre).normalized().dot((point - b.centre).normalized()) >
        kLikeDirection;
  }
  return a.points.empty() ? 0 : seen / static_cast<double>(a.points.size());
}

}  // namespace

std::vector<ImagePair> PairsByProximity(const ColmapModel& model,
                                        const std::vector<std::string>& names,
                                        int overlap) {
  constexpr double kLeastShare = 1.0 / 3;
  constexpr size_t kPerImage = 10;
  const std::vector<Seer> seers = SeersOf(model, names);
  std::vector<std::vector<std::pair<double, size_t>>> partners(seers.size());
  for (size_t i = 0; i < seers.size(); ++i) {
    for (size_t j = i + 1; j < seers.size(); ++j) {
      if (seers[j].place - seers[i].place <= overlap) continue;
      const double share = std::min(SeenShare(seers[i], seers[j]),
                                    SeenShare(seers[j], seers[i]));
      if (share < kLeastShare) continue;
      partners[i].emplace_back(-share, j);
      partners[j].emplace_back(-share, i);
    }
  }
  std::set<ImagePair> chosen;
  for (size_t i = 0; i < seers.size(); ++i) {
    std::sort(partners[i].begin(), partners[i].end());
    partners[i].resize(std::min(partners[i].size(), kPerImage));
    for (const auto& [share, j] : partners[i]) {
      chosen.insert(std::minmax(seers[i].place, seers[j].place));
    }
  }
  return {chosen.begin(), chosen.end()};
}

}  // namespace nerfpipe::sfm
