#include "stages/colmap/mapping/reconstruction_copy.h"

#include "stages/colmap/matching/colmap_types.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace nerfpipe::sfm {
namespace {

ColmapImage FromColmap(const colmap::Image& image) {
  ColmapImage result;
  result.name = image.Name();
  result.camera_id = image.CameraId();
  result.camera_from_world = {image.CamFromWorld().rotation.toRotationMatrix(),
                              image.CamFromWorld().translation};
  result.observations.reserve(image.NumPoints2D());
  for (const colmap::Point2D& point : image.Points2D()) {
    result.observations.push_back(
        {point.xy,
         point.HasPoint3D() ? static_cast<int64_t>(point.point3D_id) : -1});
  }
  return result;
}

ColmapPoint FromColmap(const colmap::Point3D& point) {
  ColmapPoint result;
  result.xyz = point.xyz;
  std::copy_n(point.color.data(), 3, result.rgb);
  result.error = point.error;
  for (const colmap::TrackElement& element : point.track.Elements()) {
    result.track.push_back({element.image_id, element.point2D_idx});
  }
  return result;
}

colmap::Image ToColmap(uint32_t id, const ColmapImage& image) {
  colmap::Image result;
  result.SetImageId(id);
  result.SetCameraId(image.camera_id);
  result.SetName(image.name);
  result.SetRegistered(true);
  result.CamFromWorld() = colmap::Rigid3d(
      Eigen::Quaterniond(image.camera_from_world.rotation).normalized(),
      image.camera_from_world.translation);
  std::vector<colmap::Point2D> points;
  points.reserve(image.observations.size());
  for (const ColmapImage::Observation& seen : image.observations) {
    colmap::Point2D& point = points.emplace_back();
    point.xy = seen.xy;
    if (seen.point3d_id >= 0) {
      point.point3D_id = static_cast<colmap::point3D_t>(seen.point3d_id);
    }
  }
  result.SetPoints2D(points);
  return result;
}

colmap::Point3D ToColmap(const ColmapPoint& point) {
  colmap::Point3D result;
  result.xyz = point.xyz;
  std::copy_n(point.rgb, 3, result.color.data());
  result.error = point.error;
  for (const ColmapPoint::TrackElement& element : point.track) {
    result.track.AddElement(element.image_id, element.observation);
  }
  return result;
}

}  // namespace

ColmapCamera FromColmap(const colmap::Camera& camera) {
  return {static_cast<int>(camera.model_id),
          static_cast<int64_t>(camera.width),
          static_cast<int64_t>(camera.height),
          camera.params};
}

ColmapModel FromColmap(const colmap::Reconstruction& model) {
  ColmapModel result;
  for (const auto& [id, camera] : model.Cameras()) {
    result.cameras[id] = FromColmap(camera);
  }
  for (const colmap::image_t id : model.RegImageIds()) {
    result.images[id] = FromColmap(model.Image(id));
  }
  for (const auto& [id, point] : model.Points3D()) {
    result.points[id] = FromColmap(point);
  }
  return result;
}

std::shared_ptr<colmap::Reconstruction> ToColmap(const ColmapModel& model) {
  auto result = std::make_shared<colmap::Reconstruction>();
  for (const auto& [id, camera] : model.cameras) {
    colmap::Camera copy = ToColmap(camera);
    copy.camera_id = id;
    result->AddCamera(std::move(copy));
  }
  for (const auto& [id, image] : model.images) {
    result->AddImage(ToColmap(id, image));
  }
  for (const auto& [id, point] : model.points) {
    result->AddPoint3D(id, ToColmap(point));
  }
  return result;
}

std::vector<colmap::image_t> InOrder(const colmap::Reconstruction& model) {
  std::vector<colmap::image_t> ids = model.RegImageIds();
  std::sort(ids.begin(), ids.end(), [&](auto a, auto b) {
    return model.Image(a).Name() < model.Image(b).Name();
  });
  return ids;
}

bool HasSquarePixels(const colmap::Reconstruction& model) {
  return std::all_of(
      model.Cameras().begin(), model.Cameras().end(), [](const auto& camera) {
        return camera.second.FocalLengthX() == camera.second.FocalLengthY();
      });
}

}  // namespace nerfpipe::sfm
