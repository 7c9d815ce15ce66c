#include "stages/colmap/refinement/added_points.h"

#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/colmap/matching/track_forest.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

namespace nerfpipe::sfm {
namespace {

using PointId = colmap::point3D_t;

// Registered images as the rays need them. Identifiers are those of the model.
class Views {
 public:
  Views(const colmap::Reconstruction& model, int threads) {
    std::vector<std::pair<const colmap::Image*, OfImage*>> all;
    for (const colmap::image_t id : model.RegImageIds()) {
      all.emplace_back(&model.Image(id), &of_image_[id]);
    }
    ParallelFor(static_cast<int64_t>(all.size()), threads, [&](int64_t i) {
      const auto& [image, to] = all[i];
      const colmap::Camera& camera = model.Camera(image->CameraId());
      const colmap::Rigid3d pose = image->CamFromWorld();
      to->view = {pose.rotation.toRotationMatrix(),
                  pose.translation,
                  camera.MeanFocalLength()};
      to->seen.reserve(image->NumPoints2D());
      for (const colmap::Point2D& point : image->Points2D()) {
        to->seen.push_back(camera.CamFromImg(point.xy));
      }
    });
  }

  bool Has(colmap::image_t image) const { return of_image_.contains(image); }
  Ray RayOf(const colmap::TrackElement& seen) const {
    const OfImage& image = of_image_.at(seen.image_id);
    return {&image.view, image.seen[seen.point2D_idx]};
  }

 private:
  struct OfImage {
    View view;
    std::vector<Eigen::Vector2d> seen;  // of each feature, at depth 1
  };

  std::map<colmap::image_t, OfImage> of_image_;
};

struct Node {
  uint32_t root;
  colmap::TrackElement seen;
};

// Of the features of registered images, track by track and in the order of the
// images.
std::vector<Node> NodesInTracks(const std::vector<MatchedPair>& pairs,
                                const std::vector<Features>& features,
                                const Views& views) {
  TrackForest forest(features);
  for (const MatchedPair& pair : pairs) {
    if (!views.Has(pair.first + 1) || !views.Has(pair.second + 1)) continue;
    for (const FeatureMatch& match : pair.geometry.inliers) {
      forest.Join(forest.Node(pair.first, match.first),
                  forest.Node(pair.second, match.second));
    }
  }
  std::vector<Node> nodes;
  for (int image = 0; image < static_cast<int>(features.size()); ++image) {
    if (!views.Has(image + 1)) continue;
    for (int i = 0; i < features[image].Count(); ++i) {
      nodes.push_back({forest.Root(forest.Node(image, i)),
                       {static_cast<colmap::image_t>(image + 1),
                        static_cast<colmap::point2D_t>(i)}});
    }
  }
  std::stable_sort(
      nodes.begin(), nodes.end(), [](const Node& a, const Node& b) {
        return a.root < b.root;
      });
  return nodes;
}

// What a track gives.
struct Finding {
  std::vector<std::pair<PointId, colmap::TrackElement>> more;  // to old points
  std::vector<std::pair<Eigen::Vector3d, colmap::Track>> points;
};

class TrackReader {
 public:
  TrackReader(const colmap::Reconstruction& model,
              const Views& views,
              const TriangulationRules& rules)
      : model_(model), views_(views), rules_(rules) {}

  Finding Read(std::vector<colmap::TrackElement> track) const {
    Finding finding;
    GiveToOldPoints(&track, &finding);
    while (track.size() > 1) {
      std::vector<Ray> rays;
      for (const auto& seen : track) rays.push_back(views_.RayOf(seen));
      const Triangulation found = Triangulate(rays, rules_);
      if (found.rays < 2) break;
      auto& [xyz, elements] = finding.points.emplace_back();
      xyz = found.point;
      std::vector<colmap::TrackElement> left;
      for (size_t i = 0; i < track.size(); ++i) {
        if (found.belongs[i]) {
          elements.AddElement(track[i]);
        } else {
          left.push_back(track[i]);
        }
      }
      track = std::move(left);
    }
    return finding;
  }

 private:
  // Leaves in `track` what belongs to none.
  void GiveToOldPoints(std::vector<colmap::TrackElement>* track,
                       Finding* finding) const {
    std::vector<PointId> points;
    std::vector<colmap::TrackElement> free;
    for (const colmap::TrackElement& seen : *track) {
      const colmap::Point2D& point =
          model_.Image(seen.image_id).Point2D(seen.point2D_idx);
      if (!point.HasPoint3D()) {
        free.push_back(seen);
      } else if (std::find(points.begin(), points.end(), point.point3D_id) ==
                 points.end()) {
        points.push_back(point.point3D_id);
      }
    }
    track->clear();
    for (const colmap::TrackElement& seen : free) {
      const Ray ray = views_.RayOf(seen);
      double least = rules_.max_error * rules_.max_error;
      PointId nearest = colmap::kInvalidPoint3DId;
      for (const PointId id : points) {
        const double error = SquaredError(ray, model_.Point3D(id).xyz);
        if (error < least) {
          least = error;
          nearest = id;
        }
      }
      if (nearest == colmap::kInvalidPoint3DId) {
        track->push_back(seen);
      } else {
        finding->more.emplace_back(nearest, seen);
      }
    }
  }

  const colmap::Reconstruction& model_;
  const Views& views_;
  const TriangulationRules& rules_;
};

}  // namespace

void AddPoints(const std::vector<MatchedPair>& pairs,
               const std::vector<Features>& features,
               const TriangulationRules& rules,
               int threads,
               colmap::Reconstruction* model) {
  constexpr size_t kFewestImages = 3;
  const Views views(*model, threads);
  const std::vector<Node> nodes = NodesInTracks(pairs, features, views);
  std::vector<std::vector<colmap::TrackElement>> tracks;
  for (size_t begin = 0; begin < nodes.size();) {
    std::vector<colmap::TrackElement> track;
    size_t images = 0;
    size_t end = begin;
    for (; end < nodes.size() && nodes[end].root == nodes[begin].root; ++end) {
      images +=
          track.empty() || track.back().image_id != nodes[end].seen.image_id;
      track.push_back(nodes[end].seen);
    }
    begin = end;
    if (images >= kFewestImages) tracks.push_back(std::move(track));
  }
  const TrackReader reader(*model, views, rules);
  std::vector<Finding> findings(tracks.size());
  ParallelFor(static_cast<int64_t>(tracks.size()), threads, [&](int64_t i) {
    ThrowIfInterrupted();
    findings[i] = reader.Read(std::move(tracks[i]));
  });
  for (Finding& finding : findings) {
    for (const auto& [id, seen] : finding.more) {
      model->AddObservation(id, seen);
    }
    for (auto& [xyz, track] : finding.points) {
      model->AddPoint3D(xyz, std::move(track));
    }
  }
}

void RefinePoints(double loss_scale,
                  int threads,
                  colmap::Reconstruction* model) {
  const Views views(*model, threads);
  std::vector<colmap::Point3D*> points;
  for (const auto& [id, point] : model->Points3D()) {
    points.push_back(&model->Point3D(id));
  }
  ParallelFor(static_cast<int64_t>(points.size()), threads, [&](int64_t i) {
    std::vector<Ray> rays;
    for (const colmap::TrackElement& seen : points[i]->track.Elements()) {
      rays.push_back(views.RayOf(seen));
    }
    points[i]->xyz = RefinePoint(rays, loss_scale, points[i]->xyz);
  });
}

}  // namespace nerfpipe::sfm
