#pragma once

// COLMAP's sparse models on disk, read and written without COLMAP: cameras,
// images and points3D as .bin or .txt. Format: COLMAP, doc/format.rst.

#include "stages/common/camera.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace nerfpipe {

struct ColmapCamera {
  int model_id = 1;  // 0 SIMPLE_PINHOLE, 1 PINHOLE, 4 OPENCV, ... (0 to 10)
  int64_t width = 0;
  int64_t height = 0;
  std::vector<double> params;
};

struct ColmapImage {
  std::string name;
  uint32_t camera_id = 0;
  Rigid3 camera_from_world;  // COLMAP axes
  struct Observation {
    Eigen::Vector2d xy;       // pixels, corner of the image at (0, 0)
    int64_t point3d_id = -1;  // -1: no 3D point
  };
  std::vector<Observation> observations;
};

struct ColmapPoint {
  Eigen::Vector3d xyz;
  uint8_t rgb[3] = {0, 0, 0};
  double error = 0;  // mean reprojection error in pixels
  struct TrackElement {
    uint32_t image_id;
    uint32_t observation;  // index into ColmapImage::observations
  };
  std::vector<TrackElement> track;
};

// Keys are the identifiers of the file, in any order on disk.
struct ColmapModel {
  std::map<uint32_t, ColmapCamera> cameras;
  std::map<uint32_t, ColmapImage> images;
  std::map<uint64_t, ColmapPoint> points;
};

// Reads .bin when present, else .txt. Points are optional when
// `points_required` is false. Throws UserError (file, record, remedy) for
// missing, truncated or inconsistent files: a damaged file never crashes and
// never allocates more than a small multiple of its own size.
ColmapModel ReadColmapModel(const std::filesystem::path& folder,
                            bool points_required = true);

// cameras|images|points3D .bin and .txt. Images are written in the order of
// their names.
void WriteColmapModel(const ColmapModel& model,
                      const std::filesystem::path& folder);

// Mean over all observations of the distance in pixels between a pinhole
// projection of each track's point and the observation. Only for PINHOLE and
// SIMPLE_PINHOLE cameras.
double MeanReprojectionError(const ColmapModel& model);

}  // namespace nerfpipe
