#include "stages/colmap/mapping/database_file.h"

#include "pipeline/base/error.h"
#include "stages/colmap/matching/colmap_types.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <stdexcept>

#include <colmap/scene/database.h>
#include <fmt/format.h>
#include <sqlite3.h>

namespace nerfpipe::sfm {
namespace {

[[noreturn]] void Fail(const std::filesystem::path& path,
                       const std::string& what) {
  throw UserError(path.string() + " cannot be written (" + what + ")",
                  "check the permissions and the space on the disk");
}

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
    Fail(path, message);
  }
}

// -1 when it cannot be read.
int64_t CountImages(const std::filesystem::path& path) {
  sqlite3* database = nullptr;
  sqlite3_stmt* statement = nullptr;
  int64_t count = -1;
  if (sqlite3_open(path.c_str(), &database) == SQLITE_OK &&
      sqlite3_prepare_v2(
          database, "SELECT COUNT(*) FROM images", -1, &statement, nullptr) ==
          SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    count = sqlite3_column_int64(statement, 0);
  }
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return count;
}

void WriteImages(const CameraPriors& cameras,
                 const std::vector<std::string>& names,
                 const std::vector<Features>& features,
                 DatabaseContent content,
                 const colmap::Database& database) {
  for (size_t i = 0; i < names.size(); ++i) {
    const auto id = static_cast<colmap::image_t>(i + 1);
    colmap::Image image;
    image.SetImageId(id);
    image.SetName(names[i]);
    image.SetCameraId(cameras.of_image.empty() ? 1
                                               : static_cast<colmap::camera_t>(
                                                     cameras.of_image[i] + 1));
    database.WriteImage(image, /*use_image_id=*/true);
    colmap::FeatureKeypoints keypoints;
    keypoints.reserve(features[i].keypoints.size());
    for (const Keypoint& k : features[i].keypoints) {
      keypoints.emplace_back(k.x, k.y, k.a11, k.a12, k.a21, k.a22);
    }
    database.WriteKeypoints(id, keypoints);
    if (content == DatabaseContent::kForMapping) continue;
    colmap::FeatureDescriptors descriptors(features[i].Count(),
                                           kDescriptorSize);
    std::copy(features[i].descriptors.begin(),
              features[i].descriptors.end(),
              descriptors.data());
    database.WriteDescriptors(id, descriptors);
  }
}

void WritePairs(const std::vector<MatchedPair>& pairs,
                DatabaseContent content,
                const colmap::Database& database) {
  for (const MatchedPair& pair : pairs) {
    const auto first = static_cast<colmap::image_t>(pair.first + 1);
    const auto second = static_cast<colmap::image_t>(pair.second + 1);
    if (content == DatabaseContent::kAll) {
      database.WriteMatches(first, second, ToColmap(pair.matches));
    }
    colmap::TwoViewGeometry geometry;
    geometry.config = pair.geometry.config;
    geometry.E = pair.geometry.essential;
    geometry.F = pair.geometry.fundamental;
    geometry.H = pair.geometry.homography;
    geometry.inlier_matches = ToColmap(pair.geometry.inliers);
    database.WriteTwoViewGeometry(first, second, geometry);
  }
}

// `write` fills the tables; `images` is how many must have arrived.
void WriteOnce(const std::filesystem::path& path,
               size_t images,
               const std::function<void(const colmap::Database&)>& write) {
  try {
    colmap::Database(path.string()).Close();  // makes the tables
    AddColumnsOfOlderVersions(path);
    colmap::Database database(path.string());
    colmap::DatabaseTransaction transaction(&database);
    write(database);
  } catch (const UserError&) {
    throw;
  } catch (const std::runtime_error& error) {
    // Behind the place in COLMAP's code.
    const std::string what = error.what();
    const size_t start = what.find("SQLite error");
    Fail(path, start == std::string::npos ? what : what.substr(start));
  }
  // COLMAP only logs that the end of a transaction failed, and what could not
  // be moved into the database itself stays beside it.
  if (CountImages(path) != static_cast<int64_t>(images) ||
      std::filesystem::exists(path.string() + "-wal")) {
    Fail(path, "not all of it arrived: the disk is full, or fails");
  }
}

void RemoveDatabase(const std::filesystem::path& path) {
  for (const char* end : {"", "-wal", "-shm", "-journal"}) {
    std::filesystem::remove(path.string() + end);
  }
}

}  // namespace

void WriteDatabase(const std::filesystem::path& path,
                   const CameraPriors& cameras,
                   const std::vector<std::string>& names,
                   const std::vector<Features>& features,
                   const std::vector<MatchedPair>& pairs,
                   DatabaseContent content) {
  const auto write = [&](const colmap::Database& database) {
    for (size_t i = 0; i < cameras.cameras.size(); ++i) {
      colmap::Camera camera = ToColmap(cameras.cameras[i]);
      camera.camera_id = static_cast<colmap::camera_t>(i + 1);
      database.WriteCamera(camera, /*use_camera_id=*/true);
    }
    WriteImages(cameras, names, features, content, database);
    WritePairs(pairs, content, database);
  };
  RemoveDatabase(path);
  try {
    WriteOnce(path, names.size(), write);
  } catch (const UserError&) {
    // SQLite does not say whether it was only interrupted.
    RemoveDatabase(path);
    WriteOnce(path, names.size(), write);
  }
}

std::string ProjectFile(const std::filesystem::path& database,
                        const std::filesystem::path& images,
                        const std::string& camera_model,
                        bool single_camera,
                        const FeatureOptions& features) {
  return fmt::format(
      "database_path={}\n"
      "image_path={}\n"
      "[ImageReader]\n"
      "single_camera={}\n"
      "camera_model={}\n"
      "[SiftExtraction]\n"
      "max_image_size={}\n"
      "max_num_features={}\n"
      "estimate_affine_shape={}\n",
      database.string(),
      images.string(),
      single_camera,
      camera_model,
      features.max_image_size,
      features.max_features,
      features.affine);
}

}  // namespace nerfpipe::sfm
