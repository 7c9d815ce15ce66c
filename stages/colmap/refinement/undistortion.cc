#include "stages/colmap/refinement/undistortion.h"

#include "pipeline/base/error.h"
#include "stages/colmap/matching/colmap_types.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace nerfpipe::sfm {
namespace {

constexpr int kSideMultiple = 8;
constexpr int kPinholeModel = 1;  // PINHOLE in COLMAP's files
// Less of a picture left than this, and it is not worth its place.
constexpr double kMostLost = 0.5;
// Samples along the longer side to tell how much is lost.
constexpr int kLossSamples = 200;

// The outermost pixel centres are the limit: nothing is extrapolated.
bool IsInside(const colmap::Camera& camera, const Eigen::Vector2d& p) {
  constexpr double kSlack = 1e-6;
  return p.x() >= 0.5 - kSlack && p.y() >= 0.5 - kSlack &&
         p.x() <= camera.width - 0.5 + kSlack &&
         p.y() <= camera.height - 0.5 + kSlack;
}

// Is every pixel of a centred pinhole image inside the distorted image?
class PinholeCheck {
 public:
  PinholeCheck(const colmap::Camera& camera, double focal)
      : camera_(camera), focal_(focal) {}

  bool Fits(int width, int height) const {
    if (!GrowsOutwards(width, height)) {
      return false;
    }
    for (int x = 0; x < width; ++x) {
      if (!Inside(x + 0.5 - width / 2.0, 0.5 - height / 2.0) ||
          !Inside(x + 0.5 - width / 2.0, height / 2.0 - 0.5)) {
        return false;
      }
    }
    for (int y = 0; y < height; ++y) {
      if (!Inside(0.5 - width / 2.0, y + 0.5 - height / 2.0) ||
          !Inside(width / 2.0 - 0.5, y + 0.5 - height / 2.0)) {
        return false;
      }
    }
    return true;
  }

 private:
  // x and y in pixels from the principal point of the pinhole.
  Eigen::Vector2d Source(double x, double y) const {
    return camera_.ImgFromCam({x / focal_, y / focal_});
  }

  bool Inside(double x, double y) const {
    return IsInside(camera_, Source(x, y));
  }

  // Distortion polynomials turn back far outside the images they were fitted
  // to; there, "inside" would mean nothing.
  bool GrowsOutwards(int width, int height) const {
    constexpr int kSteps = 32;
    const Eigen::Vector2d centre = Source(0, 0);
    double reached = 0;
    for (int i = 1; i <= kSteps; ++i) {
      const double t = 0.5 * i / kSteps;
      const double r = (Source(t * width, t * height) - centre).norm();
      if (r <= reached) {
        return false;
      }
      reached = r;
    }
    return true;
  }

  const colmap::Camera& camera_;
  double focal_;
};

double MeanFocal(const colmap::Camera& camera) {
  return (camera.FocalLengthX() + camera.FocalLengthY()) / 2;
}

Eigen::Vector2d Project(const Pinhole& pinhole, const Eigen::Vector2d& ray) {
  return {pinhole.fx * ray.x() + pinhole.cx, pinhole.fy * ray.y() + pinhole.cy};
}

Eigen::Vector2d RayThrough(const Pinhole& pinhole, double x, double y) {
  return {(x - pinhole.cx) / pinhole.fx, (y - pinhole.cy) / pinhole.fy};
}

// Is there a pixel of the distorted image for the ray? From where a polynomial
// turns back on, rays come to lie inside once more, where the picture shows
// others.
bool Sees(const colmap::Camera& camera, const Eigen::Vector2d& ray) {
  if (!IsInside(camera, camera.ImgFromCam(ray))) return false;
  const Eigen::Vector2d centre = camera.ImgFromCam({0, 0});
  double reached = 0;
  for (const double t :
       {0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0, 1.001}) {
    const double r = (camera.ImgFromCam(t * ray) - centre).norm();
    if (r <= reached) return ray.isZero();
    reached = r;
  }
  return true;
}

// Of the places on a grid over a picture, the share that `is_lost`.
template <typename IsLost>
double LostShare(int64_t width, int64_t height, const IsLost& is_lost) {
  const double step = std::max<double>(
      1, static_cast<double>(std::max(width, height)) / kLossSamples);
  int64_t lost = 0, all = 0;
  for (double y = step / 2; y < static_cast<double>(height); y += step) {
    for (double x = step / 2; x < static_cast<double>(width); x += step) {
      lost += is_lost(x, y) ? 1 : 0;
      ++all;
    }
  }
  return static_cast<double>(lost) / static_cast<double>(all);
}

// Would either picture lose too much if this lens's were brought to `pinhole`?
bool LosesTooMuch(const ColmapCamera& distorted, const Pinhole& pinhole) {
  const colmap::Camera camera = ToColmap(distorted);
  const double uncovered =
      LostShare(pinhole.width, pinhole.height, [&](double x, double y) {
        return !Sees(camera, RayThrough(pinhole, x, y));
      });
  const double cropped =
      LostShare(distorted.width, distorted.height, [&](double x, double y) {
        const Eigen::Vector2d p = Project(pinhole, camera.CamFromImg({x, y}));
        return !(p.x() >= 0 && p.y() >= 0 && p.x() <= pinhole.width &&
                 p.y() <= pinhole.height);
      });
  return uncovered > kMostLost || cropped > kMostLost;
}

double MeanError(const ColmapPoint& point,
                 const ColmapModel& model,
                 const UndistortionPlan& plan) {
  double sum = 0;
  for (const ColmapPoint::TrackElement& element : point.track) {
    const ColmapImage& image = model.images.at(element.image_id);
    const Pinhole& pinhole = plan.pinholes.at(image.camera_id);
    const Eigen::Vector3d x = image.camera_from_world * point.xyz;
    sum += (Project(pinhole, x.hnormalized()) -
            image.observations.at(element.observation).xy)
               .norm();
  }
  return point.track.empty() ? 0 : sum / point.track.size();
}

}  // namespace

std::optional<Pinhole> PlanPinhole(const ColmapCamera& distorted) {
  const colmap::Camera camera = ToColmap(distorted);
  const double focal = MeanFocal(camera);
  const PinholeCheck check(camera, focal);
  const auto aligned = [](double side) {
    return static_cast<int>(side) / kSideMultiple * kSideMultiple;
  };
  // Barrel distortion leaves room for more than the original size.
  constexpr double kMaxGrowth = 1.25;
  const int max_width = aligned(kMaxGrowth * distorted.width);
  const int max_height = aligned(kMaxGrowth * distorted.height);
  const int min_width = std::max(kSideMultiple, aligned(distorted.width / 2.0));
  int height = std::max(kSideMultiple, aligned(distorted.height / 2.0));
  Pinhole best;
  // The narrower the image, the higher it can be.
  for (int width = max_width; width >= min_width; width -= kSideMultiple) {
    if (!check.Fits(width, height)) {
      continue;
    }
    while (height + kSideMultiple <= max_height &&
           check.Fits(width, height + kSideMultiple)) {
      height += kSideMultiple;
    }
    if (static_cast<int64_t>(width) * height >
        static_cast<int64_t>(best.width) * best.height) {
      best.width = width;
      best.height = height;
    }
  }
  if (best.width == 0) {
    return std::nullopt;
  }
  best.fx = best.fy = focal;
  best.cx = best.width / 2.0;
  best.cy = best.height / 2.0;
  return best;
}

std::optional<UndistortionPlan> PlanUndistortion(const ColmapModel& model) {
  std::map<uint32_t, int> images;
  for (const auto& [id, image] : model.images) ++images[image.camera_id];
  NERFPIPE_CHECK(!images.empty());
  UndistortionPlan plan;
  plan.main = std::max_element(images.begin(),
                               images.end(),
                               [](const auto& a, const auto& b) {
                                 return a.second < b.second;
                               })
                  ->first;
  const std::optional<Pinhole> pinhole =
      PlanPinhole(model.cameras.at(plan.main));
  if (!pinhole) return std::nullopt;
  for (const auto& [id, count] : images) {
    plan.pinholes[id] = *pinhole;
    plan.shared =
        plan.shared &&
        (id == plan.main || !LosesTooMuch(model.cameras.at(id), *pinhole));
  }
  if (plan.shared) return plan;
  for (auto& [id, own] : plan.pinholes) {
    const std::optional<Pinhole> of_lens = PlanPinhole(model.cameras.at(id));
    if (!of_lens) return std::nullopt;
    own = *of_lens;
  }
  return plan;
}

Image CoverageOf(const ColmapCamera& distorted, const Pinhole& pinhole) {
  const colmap::Camera camera = ToColmap(distorted);
  Image coverage(pinhole.width, pinhole.height, 1);
  uint8_t* out = coverage.pixels.data();
  for (int y = 0; y < pinhole.height; ++y) {
    for (int x = 0; x < pinhole.width; ++x) {
      *out++ = Sees(camera, RayThrough(pinhole, x + 0.5, y + 0.5)) ? 255 : 0;
    }
  }
  return coverage;
}

ColmapModel UndistortModel(const ColmapModel& model,
                           const UndistortionPlan& plan,
                           const std::set<uint32_t>& with_alpha) {
  ColmapModel result = model;
  result.cameras.clear();
  std::map<uint32_t, colmap::Camera> lenses;
  for (const auto& [id, pinhole] : plan.pinholes) {
    lenses[id] = ToColmap(model.cameras.at(id));
    if (plan.shared && id != plan.main) continue;
    result.cameras[id] = {kPinholeModel,
                          pinhole.width,
                          pinhole.height,
                          {pinhole.fx, pinhole.fy, pinhole.cx, pinhole.cy}};
  }
  for (auto& [id, image] : result.images) {
    const Pinhole& pinhole = plan.pinholes.at(image.camera_id);
    const colmap::Camera& lens = lenses.at(image.camera_id);
    image.name =
        std::filesystem::path(image.name)
            .replace_extension(with_alpha.contains(id) ? ".png" : ".jpg")
            .string();
    for (ColmapImage::Observation& observation : image.observations) {
      observation.xy = Project(pinhole, lens.CamFromImg(observation.xy));
    }
    if (plan.shared) image.camera_id = plan.main;
  }
  for (auto& [id, point] : result.points) {
    point.error = MeanError(point, result, plan);
  }
  return result;
}

}  // namespace nerfpipe::sfm
