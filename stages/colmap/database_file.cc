#include "stages/colmap/database_file.h"

#include "stages/colmap/colmap_types.h"

#include <algorithm>
#include <stdexcept>

#include <colmap/scene/database.h>
#include <fmt/format.h>
#include <sqlite3.h>

namespace nerfpipe::sfm {
namespace {

// COLMAP up to 3.9 does not open a database without the columns that it had for
// a pose prior of each image; later versions do not mind them.
void AddColumnsOfOlderVersions(const std::filesystem::path& path) {
  sqlite3* database = nullptr;
  int status = sqlite3_open(path.c_str(), &database);
  for (const char* column : {"qw", "qx", "qy", "qz", "tx", "ty", "tz"}) {
    if (status == SQLITE_OK) {
      const std::string statement =
          fmt::format("ALTER TABLE images ADD COLUMN prior_{} REAL", column);
      status =
          sqlite3_exec(database, statement.c_str(), nullptr, nullptr, nullptr);
    }
  }
  const std::string message = sqlite3_errmsg(database);
  sqlite3_close(database);
  if (status != SQLITE_OK) {
    throw std::runtime_error(path.string() + ": " + message);
  }
}

void WriteImages(const std::vector<std::string>& names,
                 const std::vector<Features>& features,
                 const colmap::Database& database) {
  for (size_t i = 0; i < names.size(); ++i) {
    const auto id = static_cast<colmap::image_t>(i + 1);
    colmap::Image image;
    image.SetImageId(id);
    image.SetName(names[i]);
    image.SetCameraId(1);
    database.WriteImage(image, /*use_image_id=*/true);
    colmap::FeatureKeypoints keypoints;
    keypoints.reserve(features[i].keypoints.size());
    for (const Keypoint& k : features[i].keypoints) {
      keypoints.emplace_back(k.x, k.y, k.a11, k.a12, k.a21, k.a22);
    }
    database.WriteKeypoints(id, keypoints);
    colmap::FeatureDescriptors descriptors(features[i].Count(),
                                           kDescriptorSize);
    std::copy(features[i].descriptors.begin(),
              features[i].descriptors.end(),
              descriptors.data());
    database.WriteDescriptors(id, descriptors);
  }
}

void WritePairs(const std::vector<MatchedPair>& pairs,
                const colmap::Database& database) {
  for (const MatchedPair& pair : pairs) {
    const auto first = static_cast<colmap::image_t>(pair.first + 1);
    const auto second = static_cast<colmap::image_t>(pair.second + 1);
    database.WriteMatches(first, second, ToColmap(pair.matches));
    colmap::TwoViewGeometry geometry;
    geometry.config = pair.geometry.config;
    geometry.E = pair.geometry.essential;
    geometry.F = pair.geometry.fundamental;
    geometry.H = pair.geometry.homography;
    geometry.inlier_matches = ToColmap(pair.geometry.inliers);
    database.WriteTwoViewGeometry(first, second, geometry);
  }
}

}  // namespace

void WriteDatabase(const std::filesystem::path& path,
                   const CameraPrior& prior,
                   const std::vector<std::string>& names,
                   const std::vector<Features>& features,
                   const std::vector<MatchedPair>& pairs) {
  colmap::Database(path.string()).Close();  // makes the tables
  AddColumnsOfOlderVersions(path);
  colmap::Database database(path.string());
  colmap::DatabaseTransaction transaction(&database);
  database.WriteCamera(ToColmap(prior), /*use_camera_id=*/true);
  WriteImages(names, features, database);
  WritePairs(pairs, database);
}

std::string ProjectFile(const std::filesystem::path& database,
                        const std::filesystem::path& images,
                        const std::string& camera_model,
                        const FeatureOptions& features) {
  return fmt::format(
      "database_path={}\n"
      "image_path={}\n"
      "[ImageReader]\n"
      "single_camera=true\n"
      "camera_model={}\n"
      "[SiftExtraction]\n"
      "max_image_size={}\n"
      "max_num_features={}\n"
      "estimate_affine_shape={}\n",
      database.string(),
      images.string(),
      camera_model,
      features.max_image_size,
      features.max_features,
      features.affine);
}

}  // namespace nerfpipe::sfm
