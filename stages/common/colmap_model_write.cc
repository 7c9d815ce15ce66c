#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/system_call.h"
#include "stages/common/colmap_camera_models.h"
#include "stages/common/colmap_model.h"

#include <algorithm>
#include <charconv>
#include <type_traits>

namespace nerfpipe {
namespace {

template <typename T>
void AppendBinary(T value, std::string* out) {
  static_assert(std::is_arithmetic_v<T>);
  out->append(reinterpret_cast<const char*>(&value), sizeof(T));
}

// The shortest text that reads back as the same number, and a blank.
template <typename T>
void AppendText(T value, std::string* out) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + 32, value);
  NERFPIPE_CHECK(error == std::errc());
  out->append(buffer, end).push_back(' ');
}

// Replaces the blank that AppendText left behind.
void EndLine(std::string* out) {
  if (!out->empty() && out->back() == ' ') out->pop_back();
  out->push_back('\n');
}

// Unit quaternion w, x, y, z with w >= 0.
Eigen::Vector4d QuaternionOf(const Eigen::Matrix3d& rotation) {
  Eigen::Quaterniond q(rotation);
  q.normalize();
  const double sign = q.w() < 0 ? -1 : 1;
  return {sign * q.w(), sign * q.x(), sign * q.y(), sign * q.z()};
}

using ImageEntry = std::pair<const uint32_t, ColmapImage>;

std::vector<const ImageEntry*> ImagesByName(const ColmapModel& model) {
  std::vector<const ImageEntry*> images;
  for (const ImageEntry& entry : model.images) images.push_back(&entry);
  std::sort(images.begin(), images.end(), [](const auto* a, const auto* b) {
    return a->second.name < b->second.name;
  });
  return images;
}

std::string CamerasBinary(const ColmapModel& model) {
  std::string out;
  AppendBinary<uint64_t>(model.cameras.size(), &out);
  for (const auto& [id, camera] : model.cameras) {
    AppendBinary<uint32_t>(id, &out);
    AppendBinary<int32_t>(camera.model_id, &out);
    AppendBinary<int64_t>(camera.width, &out);
    AppendBinary<int64_t>(camera.height, &out);
    for (const double param : camera.params) AppendBinary(param, &out);
  }
  return out;
}

std::string CamerasText(const ColmapModel& model) {
  std::string out =
      "# A camera per line: CAMERA_ID MODEL WIDTH HEIGHT "
      "PARAMS[]\n";
  for (const auto& [id, camera] : model.cameras) {
    AppendText(id, &out);
    out.append(FindColmapCameraModel(camera.model_id)->name).push_back(' ');
    AppendText(camera.width, &out);
    AppendText(camera.height, &out);
    for (const double param : camera.params) AppendText(param, &out);
    EndLine(&out);
  }
  return out;
}

std::string ImagesBinary(const ColmapModel& model) {
  std::string out;
  AppendBinary<uint64_t>(model.images.size(), &out);
  for (const ImageEntry* entry : ImagesByName(model)) {
    const auto& [id, image] = *entry;
    AppendBinary<uint32_t>(id, &out);
    for (const double q : QuaternionOf(image.camera_from_world.rotation)) {
      AppendBinary(q, &out);
    }
    for (const double t : image.camera_from_world.translation) {
      AppendBinary(t, &out);
    }
    AppendBinary<uint32_t>(image.camera_id, &out);
    out.append(image.name).push_back('\0');
    AppendBinary<uint64_t>(image.observations.size(), &out);
    for (const ColmapImage::Observation& observation : image.observations) {
      AppendBinary(observation.xy.x(), &out);
      AppendBinary(observation.xy.y(), &out);
      AppendBinary<int64_t>(observation.point3d_id, &out);
    }
  }
  return out;
}

std::string ImagesText(const ColmapModel& model) {
  std::string out =
      "# Two lines per image: IMAGE_ID QW QX QY QZ TX TY TZ "
      "CAMERA_ID NAME\n"
      "# and then X Y POINT3D_ID for each observation\n";
  for (const ImageEntry* entry : ImagesByName(model)) {
    const auto& [id, image] = *entry;
    AppendText(id, &out);
    for (const double q : QuaternionOf(image.camera_from_world.rotation)) {
      AppendText(q, &out);
    }
    for (const double t : image.camera_from_world.translation) {
      AppendText(t, &out);
    }
    AppendText(image.camera_id, &out);
    out.append(image.name).push_back('\n');
    for (const ColmapImage::Observation& observation : image.observations) {
      AppendText(observation.xy.x(), &out);
      AppendText(observation.xy.y(), &out);
      AppendText(observation.point3d_id, &out);
    }
    EndLine(&out);
  }
  return out;
}

std::string PointsBinary(const ColmapModel& model) {
  std::string out;
  AppendBinary<uint64_t>(model.points.size(), &out);
  for (const auto& [id, point] : model.points) {
    AppendBinary<uint64_t>(id, &out);
    for (const double x : point.xyz) AppendBinary(x, &out);
    for (const uint8_t channel : point.rgb) AppendBinary(channel, &out);
    AppendBinary(point.error, &out);
    AppendBinary<uint64_t>(point.track.size(), &out);
    for (const ColmapPoint::TrackElement& element : point.track) {
      AppendBinary(element.image_id, &out);
      AppendBinary(element.observation, &out);
    }
  }
  return out;
}

std::string PointsText(const ColmapModel& model) {
  std::string out =
      "# A point per line: POINT3D_ID X Y Z R G B ERROR, then "
      "IMAGE_ID POINT2D_IDX per view\n";
  for (const auto& [id, point] : model.points) {
    AppendText(id, &out);
    for (const double x : point.xyz) AppendText(x, &out);
    for (const uint8_t channel : point.rgb) AppendText(channel, &out);
    AppendText(point.error, &out);
    for (const ColmapPoint::TrackElement& element : point.track) {
      AppendText(element.image_id, &out);
      AppendText(element.observation, &out);
    }
    EndLine(&out);
  }
  return out;
}

}  // namespace

void WriteColmapModel(const ColmapModel& model,
                      const std::filesystem::path& folder) {
  for (const auto& [id, camera] : model.cameras) {
    const ColmapCameraModel* kind = FindColmapCameraModel(camera.model_id);
    NERFPIPE_CHECK(kind != nullptr &&
                   camera.params.size() ==
                       static_cast<size_t>(kind->num_params));
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) ThrowWriteError(folder, error.value());
  WriteFileAtomically(folder / "cameras.bin", CamerasBinary(model));
  WriteFileAtomically(folder / "images.bin", ImagesBinary(model));
  WriteFileAtomically(folder / "points3D.bin", PointsBinary(model));
  WriteFileAtomically(folder / "cameras.txt", CamerasText(model));
  WriteFileAtomically(folder / "images.txt", ImagesText(model));
  WriteFileAtomically(folder / "points3D.txt", PointsText(model));
}

}  // namespace nerfpipe
