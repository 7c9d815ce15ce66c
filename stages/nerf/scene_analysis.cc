#include "stages/nerf/scene_analysis.h"

#include "pipeline/base/error.h"
#include "stages/nerf/camera_pose.h"

#include <algorithm>
#include <cstdio>

namespace nerfpipe::nerf {
namespace {

constexpr double kDegree = 3.14159265358979323846 / 180;
// Forward-facing: nine in ten cameras look within this of the mean direction.
constexpr double kSameWay = 35 * kDegree;
// Looking inward: the focus is this near to the optical axis.
constexpr double kLooksAt = 30 * kDegree;
// A ring becomes a dome when its cameras' elevations differ by more.
constexpr double kRingElevations = 35 * kDegree;

// What the cameras say, before any choice.
struct Rig {
  std::vector<Pose> poses;
  Pose average;
  Vec3 focus;
  Vec3 up;
  double spread_of_directions = 0;  // radians, nine in ten cameras
  double sideways = 0;              // extent of the centres across the view
  double lengthways = 0;            // and along it
  double share_inward = 0;          // cameras that look at the focus
  double arc = 0;                   // radians round the focus
  double low = 0;                   // elevations seen from the focus, radians
  double high = 0;
  double reach = 0;  // distance of cameras from the focus (90 %)
};

std::vector<const View*> AllViews(const Dataset& dataset) {
  std::vector<const View*> views;
  for (const View& view : dataset.train) {
    views.push_back(&view);
  }
  for (const View& view : dataset.test) {
    views.push_back(&view);
  }
  return views;
}

double Extent(const std::vector<double>& values) {
  return Quantile(values, 0.95) - Quantile(values, 0.05);
}

Rig MeasureRig(const Dataset& dataset) {
  Rig rig;
  for (const View* view : AllViews(dataset)) {
    rig.poses.push_back(PoseOf(view->camera));
  }
  rig.average = AveragePose(rig.poses);
  rig.focus = FocusPoint(rig.poses);
  rig.up = UpDirection(rig.poses, rig.focus);
  std::vector<double> angles, right, up, back, elevations, distances;
  for (const Pose& pose : rig.poses) {
    const Vec3 from_centre = pose.centre - rig.average.centre;
    const Vec3 from_focus = pose.centre - rig.focus;
    angles.push_back(AngleBetween(pose.back, rig.average.back));
    right.push_back(Dot(from_centre, rig.average.right));
    up.push_back(Dot(from_centre, rig.average.up));
    back.push_back(Dot(from_centre, rig.average.back));
    distances.push_back(Norm(from_focus));
    elevations.push_back(
        std::asin(std::clamp(Dot(Normalised(from_focus), rig.up), -1.0, 1.0)));
    if (AngleBetween(from_focus, pose.back) < kLooksAt) {
      rig.share_inward +=
          1.0 / static_cast<double>(dataset.train.size() + dataset.test.size());
    }
  }
  rig.spread_of_directions = Quantile(angles, 0.9);
  rig.sideways = std::max(Extent(right), Extent(up));
  rig.lengthways = Extent(back);
  rig.arc = FitRing(rig.poses, rig.focus, rig.up).arc_length;
  rig.low = Quantile(elevations, 0.05);
  rig.high = Quantile(elevations, 0.95);
  rig.reach = Quantile(distances, 0.9);
  return rig;
}

std::string Degrees(double radians) {
  return std::to_string(static_cast<int>(std::lround(radians / kDegree)));
}

std::string Percent(double share) {
  return std::to_string(static_cast<int>(std::lround(100 * share)));
}

SceneType Classify(const Rig& rig, std::string* reason) {
  if (rig.spread_of_directions < kSameWay) {
    if (rig.lengthways > 2 * rig.sideways && rig.lengthways > 0) {
      *reason = "cameras look the same way within " +
                Degrees(rig.spread_of_directions) +
                " degrees and move along it";
      return SceneType::kWalk;
    }
    *reason = "cameras stand side by side and look the same way within " +
              Degrees(rig.spread_of_directions) + " degrees";
    return SceneType::kForwardFacing;
  }
  if (rig.share_inward < 0.8) {
    *reason = "only " + Percent(rig.share_inward) +
              "% of the cameras look at a common centre";
    return SceneType::kWalk;
  }
  const std::string elevations = "elevations " + Degrees(rig.low) + " to " +
                                 Degrees(rig.high) + " degrees";
  *reason = "cameras look inward from " + Degrees(rig.arc) +
            " degrees around a common centre, " + elevations;
  return rig.high - rig.low > kRingElevations ? SceneType::kInward
                                              : SceneType::kOrbit;
}

SceneType TypeNamed(const std::string& name) {
  for (const SceneType type : {SceneType::kForwardFacing,
                               SceneType::kOrbit,
                               SceneType::kInward,
                               SceneType::kWalk}) {
    if (NameOf(type) == name) {
      return type;
    }
  }
  throw UserError("unknown scene type '" + name + "'",
                  "use auto, forward-facing, orbit, inward or walk");
}

// Normalised axes as rows, about `centre`.
void Place(const Pose& axes, const Vec3& centre, double scale, SceneFrame* f) {
  const Vec3 rows[3] = {axes.right, axes.up, axes.back};
  for (int i = 0; i < 3; ++i) {
    const Vec3 row = scale * rows[i];
    f->normalised_from_world[4 * i + 0] = row.x;
    f->normalised_from_world[4 * i + 1] = row.y;
    f->normalised_from_world[4 * i + 2] = row.z;
    f->normalised_from_world[4 * i + 3] = -Dot(row, centre);
  }
  f->scale = scale;
}

// Axes with z up and x towards `ahead`.
Pose UprightAxes(const Vec3& up, const Vec3& ahead) {
  Pose axes = LookAlong({}, up, ahead);  // back is up, up is ahead
  return {axes.up, -axes.right, axes.back, {}};
}

std::vector<Vec3> PointsOf(const Dataset& dataset) {
  std::vector<Vec3> points;
  if (!dataset.points.defined() || dataset.points.numel() == 0) {
    return points;
  }
  const torch::Tensor table =
      dataset.points.to(torch::kCPU, torch::kDouble).contiguous();
  NERFPIPE_CHECK(table.dim() == 2 && table.size(1) == 3);
  const auto cells = table.accessor<double, 2>();
  for (int64_t i = 0; i < table.size(0); ++i) {
    points.push_back({cells[i][0], cells[i][1], cells[i][2]});
  }
  return points;
}

void PlaceBox(const Dataset& dataset, SceneFrame* frame) {
  const auto& b = dataset.box;
  const Vec3 low = {b[0], b[1], b[2]};
  const Vec3 high = {b[3], b[4], b[5]};
  const Vec3 size = high - low;
  const double side = std::max({size.x, size.y, size.z});
  if (!(side > 0)) {
    throw UserError("the extent of the scene is empty",
                    "give a box whose maximum lies above its minimum");
  }
  Place(Pose{}, 0.5 * (low + high), 2 / side, frame);
  frame->bounded = true;
}

void PlaceForNdc(const Dataset& dataset, const Rig& rig, SceneFrame* frame) {
  const DepthRange depths = DepthsOf(dataset);
  // nerf-pytorch, load_llff.py: bd_factor 0.75.
  Place(rig.average, rig.average.centre, 1 / (0.75 * depths.near), frame);
  const Camera& camera = AllViews(dataset).front()->camera;
  frame->ndc = true;
  frame->ndc_focal_x = 2 * camera.fx / camera.width;
  frame->ndc_focal_y = 2 * camera.fy / camera.height;
}

void PlaceForwardFacing(const Dataset& dataset,
                        const Rig& rig,
                        SceneFrame* frame) {
  const DepthRange depths = DepthsOf(dataset);
  const Camera& camera = AllViews(dataset).front()->camera;
  const double tangent =
      std::max(camera.width / (2 * camera.fx), camera.height / (2 * camera.fy));
  const double far = std::min(depths.far, 4 * depths.near);
  const double middle = 0.5 * (depths.near + far);
  const double half = std::max(middle * tangent, 0.5 * (far - depths.near));
  const Vec3 centre = rig.average.centre - middle * rig.average.back;
  Place(UprightAxes(rig.average.up, rig.average.back), centre, 1 / half, frame);
}

void PlaceAroundFocus(const Rig& rig, SceneFrame* frame) {
  const Pose axes = UprightAxes(rig.up, rig.poses.front().centre - rig.focus);
  Place(axes, rig.focus, 1 / rig.reach, frame);
}

void PlaceWalk(const Dataset& dataset, const Rig& rig, SceneFrame* frame) {
  std::vector<double> x, y, z;
  for (const Pose& pose : rig.poses) {
    x.push_back(pose.centre.x);
    y.push_back(pose.centre.y);
    z.push_back(pose.centre.z);
  }
  const auto middle = [](const std::vector<double>& values) {
    return 0.5 * (Quantile(values, 0.05) + Quantile(values, 0.95));
  };
  const Vec3 centre = {middle(x), middle(y), middle(z)};
  std::vector<double> cameras, points;
  for (const Pose& pose : rig.poses) {
    cameras.push_back(Norm(pose.centre - centre));
  }
  for (const Vec3& point : PointsOf(dataset)) {
    points.push_back(Norm(point - centre));
  }
  double radius = Quantile(cameras, 0.95);
  if (!points.empty()) {
    radius = std::max(radius, Quantile(points, 0.5));
  }
  if (!(radius > 0)) {
    radius = DepthsOf(dataset).near;
  }
  Place(UprightAxes(rig.up, -rig.average.back), centre, 1 / radius, frame);
}

// Near and far in normalised units. Far costs little under contraction, so it
// is generous; near keeps a margin before the nearest thing seen.
void SetBounds(const Dataset& dataset, SceneFrame* frame) {
  const DepthRange depths = DepthsOf(dataset);
  const double near = 0.9 * depths.near * frame->scale;
  const double far = depths.far * frame->scale;
  if (frame->bounded || frame->ndc) {
    frame->near = near;
    frame->far = far;
  } else {
    // Fog before the cameras has the less room, the later the rays begin.
    frame->near = std::clamp(near, 0.02, 0.5);
    frame->far = std::clamp(1.2 * far, 4.0, 200.0);
  }
  frame->lindisp = !frame->ndc && frame->far > 8 * frame->near;
}

// Depth bounds from what is known when no view carries them.
DepthRange GuessDepths(const Dataset& dataset) {
  const std::vector<const View*> views = AllViews(dataset);
  const std::vector<Vec3> points = PointsOf(dataset);
  std::vector<Pose> poses;
  std::vector<double> depths;
  for (const View* view : views) {
    poses.push_back(PoseOf(view->camera));
    for (const Vec3& point : points) {
      const double depth = -Dot(point - poses.back().centre, poses.back().back);
      if (depth > 0) {
        depths.push_back(depth);
      }
    }
  }
  if (!depths.empty()) {
    return {Quantile(depths, 0.01), Quantile(depths, 0.99)};
  }
  if (dataset.has_box) {
    const auto& b = dataset.box;
    const Vec3 half = 0.5 * Vec3{b[3] - b[0], b[4] - b[1], b[5] - b[2]};
    const Vec3 centre = Vec3{b[0], b[1], b[2]} + half;
    DepthRange range = {1e300, 0};
    for (const Pose& pose : poses) {
      const double distance = Norm(pose.centre - centre);
      range.near = std::min(range.near, distance - Norm(half));
      range.far = std::max(range.far, distance + Norm(half));
    }
    range.near = std::max(range.near, 0.01 * range.far);
    return range;
  }
  const Vec3 focus = FocusPoint(poses);
  std::vector<double> distances;
  for (const Pose& pose : poses) {
    distances.push_back(Norm(pose.centre - focus));
  }
  const double distance = Quantile(distances, 0.5);
  return distance > 0 ? DepthRange{0.2 * distance, 20 * distance}
                      : DepthRange{0.2, 20};
}

}  // namespace

std::string NameOf(SceneType type) {
  switch (type) {
    case SceneType::kForwardFacing:
      return "forward-facing";
    case SceneType::kOrbit:
      return "orbit";
    case SceneType::kInward:
      return "inward";
    case SceneType::kWalk:
      return "walk";
  }
  NERFPIPE_CHECK(false);
}

DepthRange DepthsOf(const Dataset& dataset) {
  std::vector<double> nears, fars;
  for (const View* view : AllViews(dataset)) {
    if (view->near > 0 && view->far > view->near) {
      nears.push_back(view->near);
      fars.push_back(view->far);
    }
  }
  if (nears.empty()) {
    return GuessDepths(dataset);
  }
  // One bad near value would scale the whole scene (peers' loaders take the
  // plain minimum), so it cannot pull further than to a fifth of the median.
  const double near = std::max(Quantile(nears, 0), 0.2 * Quantile(nears, 0.5));
  const double far = std::min(Quantile(fars, 1), 5 * Quantile(fars, 0.5));
  return {near, far};
}

SceneFrame AnalyseScene(const Dataset& dataset, const SceneOptions& options) {
  if (dataset.train.empty() && dataset.test.empty()) {
    throw UserError("the data set has no cameras",
                    "give one with at least one posed image");
  }
  const Rig rig = MeasureRig(dataset);
  SceneFrame frame;
  frame.type = Classify(rig, &frame.reason);
  if (options.type != "auto") {
    frame.type = TypeNamed(options.type);
    frame.reason = "set by train.scene; " + frame.reason;
  }
  const bool around =
      frame.type == SceneType::kOrbit || frame.type == SceneType::kInward;
  if (dataset.has_box) {
    PlaceBox(dataset, &frame);
    frame.reason += "; the extent of the scene is known";
  } else if (frame.type == SceneType::kForwardFacing && options.ndc) {
    PlaceForNdc(dataset, rig, &frame);
  } else if (frame.type == SceneType::kForwardFacing) {
    PlaceForwardFacing(dataset, rig, &frame);
  } else if (around && rig.reach > 0) {
    PlaceAroundFocus(rig, &frame);
  } else {
    PlaceWalk(dataset, rig, &frame);
  }
  SetBounds(dataset, &frame);
  return frame;
}

}  // namespace nerfpipe::nerf
