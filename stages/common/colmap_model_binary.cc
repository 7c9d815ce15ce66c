#include "stages/common/byte_reader.h"
#include "stages/common/colmap_camera_models.h"
#include "stages/common/colmap_model_files.h"

#include <utility>

namespace nerfpipe::colmap_files {
namespace {

// Smallest size of a record in bytes: what stands before its own list.
constexpr size_t kMinCamera = 4 + 4 + 8 + 8 + 3 * 8;
constexpr size_t kMinImage = 4 + 4 * 8 + 3 * 8 + 4 + 1 + 8;
constexpr size_t kObservation = 8 + 8 + 8;
constexpr size_t kMinPoint = 8 + 3 * 8 + 3 + 8 + 8;
constexpr size_t kTrackElement = 4 + 4;

ByteReader ReaderOf(std::string_view bytes, const std::string& file) {
  return ByteReader(bytes,
                    [&file](const std::string& what) { FailRead(file, what); });
}

void CheckAtEnd(const ByteReader& reader, const std::string& file) {
  if (reader.Left() > 0) {
    FailRead(file,
             "goes on for " + std::to_string(reader.Left()) +
                 " bytes after its last record");
  }
}

Eigen::Vector3d ReadVector3(ByteReader* reader, const char* what) {
  // Three statements: the order of reading must be fixed.
  const double x = reader->Read<double>(what);
  const double y = reader->Read<double>(what);
  const double z = reader->Read<double>(what);
  return {x, y, z};
}

std::vector<ColmapImage::Observation> ReadObservations(ByteReader* reader) {
  const uint64_t count = reader->ReadCount(kObservation, "observations");
  std::vector<ColmapImage::Observation> observations(count);
  for (ColmapImage::Observation& observation : observations) {
    observation.xy.x() = reader->Read<double>("an observation");
    observation.xy.y() = reader->Read<double>("an observation");
    // No point is stored as the largest unsigned number.
    observation.point3d_id = reader->Read<int64_t>("an observation");
  }
  return observations;
}

}  // namespace

void ParseCamerasBinary(std::string_view bytes,
                        const std::string& file,
                        ColmapModel* model) {
  ByteReader reader = ReaderOf(bytes, file);
  const uint64_t count = reader.ReadCount(kMinCamera, "cameras");
  for (uint64_t i = 0; i < count; ++i) {
    const uint32_t id = reader.Read<uint32_t>("a camera");
    ColmapCamera camera;
    camera.model_id = reader.Read<int32_t>("a camera");
    camera.width = reader.Read<int64_t>("a camera");
    camera.height = reader.Read<int64_t>("a camera");
    const ColmapCameraModel* kind = FindColmapCameraModel(camera.model_id);
    if (kind == nullptr) {
      FailRead(file,
               "camera " + std::to_string(id) +
                   " has the unknown camera model " +
                   std::to_string(camera.model_id));
    }
    camera.params.resize(kind->num_params);
    for (double& param : camera.params) {
      param = reader.Read<double>("a camera");
    }
    AddCamera(id, std::move(camera), file, model);
  }
  CheckAtEnd(reader, file);
}

void ParseImagesBinary(std::string_view bytes,
                       const std::string& file,
                       ColmapModel* model) {
  ByteReader reader = ReaderOf(bytes, file);
  const uint64_t count = reader.ReadCount(kMinImage, "images");
  for (uint64_t i = 0; i < count; ++i) {
    const uint32_t id = reader.Read<uint32_t>("an image");
    Eigen::Vector4d quaternion;
    for (int k = 0; k < 4; ++k) {
      quaternion[k] = reader.Read<double>("an image");
    }
    ColmapImage image;
    image.camera_from_world.translation = ReadVector3(&reader, "an image");
    image.camera_id = reader.Read<uint32_t>("an image");
    image.name = reader.ReadText("an image name");
    image.observations = ReadObservations(&reader);
    AddImage(id, quaternion, std::move(image), file, model);
  }
  CheckAtEnd(reader, file);
}

void ParsePointsBinary(std::string_view bytes,
                       const std::string& file,
                       ColmapModel* model) {
  ByteReader reader = ReaderOf(bytes, file);
  const uint64_t count = reader.ReadCount(kMinPoint, "points");
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t id = reader.Read<uint64_t>("a point");
    ColmapPoint point;
    point.xyz = ReadVector3(&reader, "a point");
    for (uint8_t& channel : point.rgb) {
      channel = reader.Read<uint8_t>("a point");
    }
    point.error = reader.Read<double>("a point");
    point.track.resize(reader.ReadCount(kTrackElement, "track elements"));
    for (ColmapPoint::TrackElement& element : point.track) {
      element.image_id = reader.Read<uint32_t>("a track");
      element.observation = reader.Read<uint32_t>("a track");
    }
    AddPoint(id, std::move(point), file, model);
  }
  CheckAtEnd(reader, file);
}

}  // namespace nerfpipe::colmap_files
