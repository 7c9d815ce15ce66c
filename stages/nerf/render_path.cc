#include "stages/nerf/render_path.h"

#include "pipeline/base/error.h"
#include "stages/nerf/camera_pose.h"
#include "stages/nerf/scene_analysis.h"

#include <algorithm>

namespace nerfpipe::nerf {
namespace {

constexpr double kPi = 3.14159265358979323846;
// A ring with a wider gap than this is swept to and fro.
constexpr double kClosedArc = 300 * kPi / 180;

std::vector<const View*> ViewsByName(const Dataset& dataset) {
  std::vector<const View*> views;
  for (const View& view : dataset.train) {
    views.push_back(&view);
  }
  for (const View& view : dataset.test) {
    views.push_back(&view);
  }
  std::stable_sort(
      views.begin(), views.end(), [](const View* a, const View* b) {
        return a->name < b->name;
      });
  return views;
}

Camera Lens(const Camera& like, const PathOptions& options) {
  Camera lens = like;
  const double aspect = static_cast<double>(like.width) / like.height;
  if (options.width > 0 && options.height > 0) {
    lens.width = options.width;
    lens.height = options.height;
  } else if (options.width > 0) {
    lens.width = options.width;
    lens.height =
        std::max(1, static_cast<int>(std::lround(options.width / aspect)));
  } else if (options.height > 0) {
    lens.height = options.height;
    lens.width =
        std::max(1, static_cast<int>(std::lround(options.height * aspect)));
  }
  // The whole of the picture stays in sight when the shape changes.
  const double zoom = std::min(static_cast<double>(lens.width) / like.width,
                               static_cast<double>(lens.height) / like.height);
  lens.fx = like.fx * zoom;
  lens.fy = like.fy * zoom;
  lens.cx = lens.width / 2.0;
  lens.cy = lens.height / 2.0;
  return lens;
}

// A camera beside the ring: directions in the axes (outward, along, up) at its
// angle, so that those of neighbours may be averaged.
struct RingPlace {
  double angle;
  double radius;
  double height;
  Vec3 back;
};

Vec3 OutwardAt(const Ring& ring, double angle) {
  return std::cos(angle) * ring.first_axis + std::sin(angle) * ring.second_axis;
}

Vec3 AlongAt(const Ring& ring, double angle) {
  return std::cos(angle) * ring.second_axis - std::sin(angle) * ring.first_axis;
}

RingPlace PlaceOn(const Ring& ring, const Vec3& focus, const Pose& pose) {
  const Vec3 offset = pose.centre - focus;
  const double x = Dot(offset, ring.first_axis);
  const double y = Dot(offset, ring.second_axis);
  const double angle = std::atan2(y, x);
  return {angle,
          std::hypot(x, y),
          Dot(offset, ring.up),
          {Dot(pose.back, OutwardAt(ring, angle)),
           Dot(pose.back, AlongAt(ring, angle)),
           Dot(pose.back, ring.up)}};
}

// The mean of the places by their nearness in angle: a path of these goes and
// looks where cameras went and looked, and shows little that none has seen.
RingPlace MeanPlace(const std::vector<RingPlace>& places, double angle) {
  constexpr double kReach = 15 * kPi / 180;
  constexpr double kLeast = 1e-6;  // in wide gaps all count alike
  RingPlace mean = {angle, 0, 0, {}};
  double sum = 0;
  for (const RingPlace& place : places) {
    const double away = std::remainder(place.angle - angle, 2 * kPi) / kReach;
    const double weight = std::exp(-away * away / 2) + kLeast;
    mean.radius += weight * place.radius;
    mean.height += weight * place.height;
    mean.back = mean.back + weight * place.back;
    sum += weight;
  }
  mean.radius /= sum;
  mean.height /= sum;
  return mean;
}

std::vector<Pose> Orbit(const std::vector<Pose>& poses, int frames) {
  const Vec3 focus = FocusPoint(poses);
  const Ring ring = FitRing(poses, focus, UpDirection(poses, focus));
  const bool closed = ring.arc_length >= kClosedArc;
  std::vector<RingPlace> places;
  for (const Pose& pose : poses) {
    places.push_back(PlaceOn(ring, focus, pose));
  }
  std::vector<Pose> path;
  for (int i = 0; i < frames; ++i) {
    const double turn = 2 * kPi * i / frames;
    const double angle =
        closed ? ring.arc_start + turn
               : ring.arc_start + ring.arc_length * (1 - std::cos(turn)) / 2;
    const RingPlace place = MeanPlace(places, angle);
    const Vec3 outward = OutwardAt(ring, angle);
    const Vec3 back = place.back.x * outward +
                      place.back.y * AlongAt(ring, angle) +
                      place.back.z * ring.up;
    path.push_back(
        LookAlong(focus + place.radius * outward + place.height * ring.up,
                  back,
                  ring.up));
  }
  return path;
}

std::vector<Pose> Spiral(const std::vector<Pose>& poses,
                         const DepthRange& depths,
                         int frames) {
  // Figures of nerf-pytorch, load_llff.py.
  constexpr double kBlend = 0.75;
  constexpr int kTurns = 2;
  constexpr double kDepthRate = 0.5;
  const double close = 0.9 * depths.near;
  const double infinity = 5 * depths.far;
  const double focal = 1 / ((1 - kBlend) / close + kBlend / infinity);

  const Pose average = AveragePose(poses);
  std::vector<double> right, up, back;
  Vec3 mean_up;
  for (const Pose& pose : poses) {
    const Vec3 offset = pose.centre - average.centre;
    right.push_back(std::abs(Dot(offset, average.right)));
    up.push_back(std::abs(Dot(offset, average.up)));
    back.push_back(std::abs(Dot(offset, average.back)));
    mean_up = mean_up + pose.up;
  }
  const double radius_right = Quantile(right, 0.9);
  const double radius_up = Quantile(up, 0.9);
  const double radius_back = Quantile(back, 0.9);
  const Vec3 target = average.centre - focal * average.back;

  std::vector<Pose> path;
  for (int i = 0; i < frames; ++i) {
    const double angle = 2 * kPi * kTurns * i / frames;
    const Vec3 centre =
        average.centre + (std::cos(angle) * radius_right) * average.right -
        (std::sin(angle) * radius_up) * average.up -
        (std::sin(angle * kDepthRate) * radius_back) * average.back;
    path.push_back(LookAlong(centre, centre - target, mean_up));
  }
  return path;
}

// Uniform cubic B-spline through control poses; the ends are repeated so that
// it starts and stops at the first and last camera. `position` counts poses.
Pose SplineAt(const std::vector<Pose>& poses, double position) {
  const int last = static_cast<int>(poses.size()) - 1;
  const int left = static_cast<int>(std::floor(position));
  const double t = position - left;
  const double weights[4] = {(1 - t) * (1 - t) * (1 - t) / 6,
                             (3 * t * t * t - 6 * t * t + 4) / 6,
                             (-3 * t * t * t + 3 * t * t + 3 * t + 1) / 6,
                             t * t * t / 6};
  Vec3 centre, back, up;
  for (int k = 0; k < 4; ++k) {
    const Pose& pose = poses[std::clamp(left - 1 + k, 0, last)];
    centre = centre + weights[k] * pose.centre;
    back = back + weights[k] * pose.back;
    up = up + weights[k] * pose.up;
  }
  return LookAlong(centre, back, up);
}

std::vector<Pose> Interpolated(const std::vector<Pose>& poses, int frames) {
  // Walk the spline in small steps and cut it into pieces of equal length.
  // Turning counts as a way too, or a camera that pans on the spot would jump.
  constexpr int kStepsPerPose = 32;
  double reach = 0;
  for (const Pose& pose : poses) {
    reach = std::max(reach, Norm(pose.centre - poses.front().centre));
  }
  const double length_per_radian = 0.1 * (reach > 0 ? reach : 1);
  const double begin = -1;
  const double end = static_cast<double>(poses.size());
  const int steps = kStepsPerPose * (static_cast<int>(poses.size()) + 1);
  std::vector<double> positions, lengths;
  Pose before = SplineAt(poses, begin);
  for (int i = 0; i <= steps; ++i) {
    positions.push_back(begin + (end - begin) * i / steps);
    const Pose now = SplineAt(poses, positions.back());
    const double way = Norm(now.centre - before.centre) +
                       length_per_radian * AngleBetween(now.back, before.back);
    lengths.push_back((lengths.empty() ? 0 : lengths.back()) + way);
    before = now;
  }
  std::vector<Pose> path;
  for (int i = 0; i < frames; ++i) {
    const double wanted =
        frames > 1 ? lengths.back() * i / (frames - 1) : lengths.back() / 2;
    const size_t above = std::clamp<size_t>(
        std::lower_bound(lengths.begin(), lengths.end(), wanted) -
            lengths.begin(),
        1,
        lengths.size() - 1);
    const double piece = lengths[above] - lengths[above - 1];
    const double share = piece > 0 ? (wanted - lengths[above - 1]) / piece : 0;
    path.push_back(
        SplineAt(poses,
                 positions[above - 1] +
                     share * (positions[above] - positions[above - 1])));
  }
  return path;
}

}  // namespace

std::string DefaultPath(SceneType type) {
  switch (type) {
    case SceneType::kForwardFacing:
      return "spiral";
    case SceneType::kWalk:
      return "interpolate";
    case SceneType::kOrbit:
    case SceneType::kInward:
      return "orbit";
  }
  NERFPIPE_CHECK(false);
}

std::vector<Camera> MakeRenderPath(const Dataset& dataset,
                                   const SceneFrame& frame,
                                   const PathOptions& options) {
  const std::vector<const View*> views = ViewsByName(dataset);
  if (views.empty()) {
    throw UserError("the data set has no cameras to make a path from",
                    "give one with at least one posed image");
  }
  NERFPIPE_CHECK(options.frames > 0);
  std::vector<Pose> poses;
  for (const View* view : views) {
    poses.push_back(PoseOf(view->camera));
  }
  const std::string path =
      options.path == "auto" ? DefaultPath(frame.type) : options.path;
  std::vector<Pose> frames;
  if (path == "orbit") {
    frames = Orbit(poses, options.frames);
  } else if (path == "spiral") {
    frames = Spiral(poses, DepthsOf(dataset), options.frames);
  } else if (path == "interpolate") {
    frames = Interpolated(poses, options.frames);
  } else {
    throw UserError("unknown render path '" + path + "'",
                    "use auto, orbit, spiral or interpolate");
  }
  const Camera lens = Lens(views.front()->camera, options);
  std::vector<Camera> cameras;
  for (const Pose& pose : frames) {
    cameras.push_back(lens);
    SetPose(pose, &cameras.back());
  }
  return cameras;
}

}  // namespace nerfpipe::nerf
