#include "stages/colmap/refinement/undistortion.h"

#include "pipeline/base/error.h"
#include "stages/colmap/matching/colmap_types.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

namespace nerfpipe::sfm {
namespace {

constexpr int kSideMultiple = 8;
constexpr int kPinholeModel = 1;  // PINHOLE in COLMAP's files
constexpr int kSubpixels = 256;

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

  // The outermost pixel centres are the limit: nothing is extrapolated.
  bool Inside(double x, double y) const {
    constexpr double kSlack = 1e-6;
    const Eigen::Vector2d p = Source(x, y);
    return p.x() >= 0.5 - kSlack && p.y() >= 0.5 - kSlack &&
           p.x() <= camera_.width - 0.5 + kSlack &&
           p.y() <= camera_.height - 0.5 + kSlack;
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

double MeanError(const ColmapPoint& point,
                 const ColmapModel& model,
                 const Pinhole& pinhole) {
  double sum = 0;
  for (const ColmapPoint::TrackElement& element : point.track) {
    const ColmapImage& image = model.images.at(element.image_id);
    const Eigen::Vector3d x = image.camera_from_world * point.xyz;
    sum += (Project(pinhole, x.hnormalized()) -
            image.observations.at(element.observation).xy)
               .norm();
  }
  return point.track.empty() ? 0 : sum / point.track.size();
}

// Catmull-Rom weights of the four pixels round a position, for each fraction.
std::vector<std::array<float, 4>> CubicWeights() {
  std::vector<std::array<float, 4>> weights(kSubpixels);
  for (int i = 0; i < kSubpixels; ++i) {
    const double t = static_cast<double>(i) / kSubpixels;
    weights[i] = {
        static_cast<float>(((-0.5 * t + 1) * t - 0.5) * t),
        static_cast<float>((1.5 * t - 2.5) * t * t + 1),
        static_cast<float>(((-1.5 * t + 2) * t + 0.5) * t),
        static_cast<float>((0.5 * t - 0.5) * t * t),
    };
  }
  return weights;
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

ColmapModel UndistortModel(const ColmapModel& model, const Pinhole& pinhole) {
  NERFPIPE_CHECK(model.cameras.size() == 1);
  const auto& [camera_id, distorted] = *model.cameras.begin();
  const colmap::Camera camera = ToColmap(distorted);
  ColmapModel result = model;
  result.cameras[camera_id] = {
      kPinholeModel,
      pinhole.width,
      pinhole.height,
      {pinhole.fx, pinhole.fy, pinhole.cx, pinhole.cy}};
  for (auto& [id, image] : result.images) {
    image.name =
        std::filesystem::path(image.name).replace_extension(".jpg").string();
    for (ColmapImage::Observation& observation : image.observations) {
      observation.xy = Project(pinhole, camera.CamFromImg(observation.xy));
    }
  }
  for (auto& [id, point] : result.points) {
    point.error = MeanError(point, result, pinhole);
  }
  return result;
}

Warp::Warp(const ColmapCamera& distorted, const Pinhole& pinhole)
    : source_width_(static_cast<int>(distorted.width)),
      source_height_(static_cast<int>(distorted.height)),
      width_(pinhole.width),
      height_(pinhole.height) {
  const colmap::Camera camera = ToColmap(distorted);
  samples_.reserve(static_cast<size_t>(width_) * height_);
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) {
      const Eigen::Vector2d source =
          camera.ImgFromCam({(x + 0.5 - pinhole.cx) / pinhole.fx,
                             (y + 0.5 - pinhole.cy) / pinhole.fy});
      samples_.push_back(
          {static_cast<int32_t>(std::lround((source.x() - 0.5) * kSubpixels)),
           static_cast<int32_t>(std::lround((source.y() - 0.5) * kSubpixels))});
    }
  }
}

Image Warp::Apply(const Image& image) const {
  NERFPIPE_CHECK(image.width == source_width_ &&
                 image.height == source_height_ && image.channels == 3);
  static const std::vector<std::array<float, 4>> weights = CubicWeights();
  Image result(width_, height_, 3);
  uint8_t* out = result.pixels.data();
  for (const Sample& sample : samples_) {
    const std::array<float, 4>& wx = weights[sample.x & (kSubpixels - 1)];
    const std::array<float, 4>& wy = weights[sample.y & (kSubpixels - 1)];
    const int x0 = (sample.x >> 8) - 1;
    const int y0 = (sample.y >> 8) - 1;
    int columns[4];
    for (int i = 0; i < 4; ++i) {
      columns[i] = 3 * std::clamp(x0 + i, 0, source_width_ - 1);
    }
    float sum[3] = {0, 0, 0};
    for (int j = 0; j < 4; ++j) {
      const uint8_t* row =
          image.At(0, std::clamp(y0 + j, 0, source_height_ - 1));
      for (int c = 0; c < 3; ++c) {
        sum[c] +=
            wy[j] * (wx[0] * row[columns[0] + c] + wx[1] * row[columns[1] + c] +
                     wx[2] * row[columns[2] + c] + wx[3] * row[columns[3] + c]);
      }
    }
    for (int c = 0; c < 3; ++c) {
      *out++ = static_cast<uint8_t>(std::clamp(sum[c], 0.0f, 255.0f) + 0.5f);
    }
  }
  return result;
}

}  // namespace nerfpipe::sfm
