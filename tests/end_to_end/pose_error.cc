// How far a workspace's cameras are from the true ones of the demo clip:
//
//   pose_error WORKSPACE CAR_CAMERAS_JSON [MAX_PERCENT MAX_DEGREES]
//
// Positions are compared after a similarity alignment, in percent of the
// orbit's radius. Fails when a median is beyond its limit.

#include "stages/common/capture_file.h"
#include "stages/common/colmap_model.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include <Eigen/Geometry>
#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

using PosesByIndex = std::map<int64_t, Rigid3>;  // world_from_camera

PosesByIndex TruePoses(const fs::path& file) {
  const auto truth = nlohmann::json::parse(std::ifstream(file));
  PosesByIndex poses;
  for (const auto& frame : truth.at("frames")) {
    const std::vector<double> m = frame.at("world_from_camera");
    Rigid3& pose = poses[frame.at("index")];
    for (int row = 0; row < 3; ++row) {
      for (int column = 0; column < 3; ++column) {
        pose.rotation(row, column) = m.at(4 * row + column);
      }
      pose.translation[row] = m.at(4 * row + 3);
    }
  }
  return poses;
}

PosesByIndex FoundPoses(const fs::path& workspace) {
  const CaptureFile capture = ReadCaptureFile(workspace / "capture.json");
  std::map<std::string, int64_t> index_of;
  for (const CaptureFrame& frame : capture.frames) {
    index_of[frame.name] = frame.index;
  }
  const ColmapModel model = ReadColmapModel(workspace / "sparse/0");
  PosesByIndex poses;
  for (const auto& [id, image] : model.images) {
    poses[index_of.at(image.name)] = image.camera_from_world.Inverse();
  }
  return poses;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct PoseErrors {
  std::vector<double> percent;  // of the mean distance from the centre
  std::vector<double> degrees;
};

PoseErrors Compare(const PosesByIndex& found, const PosesByIndex& truth) {
  Eigen::Matrix3Xd from(3, found.size());
  Eigen::Matrix3Xd to(3, found.size());
  Eigen::Index column = 0;
  for (const auto& [index, pose] : found) {
    from.col(column) = pose.translation;
    to.col(column++) = truth.at(index).translation;
  }
  const Eigen::Matrix4d aligned = Eigen::umeyama(from, to);
  const double scale = aligned.block<3, 1>(0, 0).norm();
  const Eigen::Matrix3d turn = aligned.topLeftCorner<3, 3>() / scale;
  const Eigen::Vector3d centre = to.rowwise().mean();
  const double radius = (to.colwise() - centre).colwise().norm().mean();

  PoseErrors errors;
  for (const auto& [index, pose] : found) {
    const Rigid3& right = truth.at(index);
    const Eigen::Vector3d position =
        scale * (turn * pose.translation) + aligned.topRightCorner<3, 1>();
    errors.percent.push_back(100 * (position - right.translation).norm() /
                             radius);
    const Eigen::AngleAxisd rest(right.rotation.transpose() * turn *
                                 pose.rotation);
    errors.degrees.push_back(rest.angle() * 180 / std::numbers::pi);
  }
  return errors;
}

int Main(int argc, char** argv) {
  if (argc != 3 && argc != 5) {
    std::fprintf(stderr,
                 "usage: pose_error WORKSPACE CAR_CAMERAS_JSON [MAX_PERCENT "
                 "MAX_DEGREES]\n");
    return 2;
  }
  const PoseErrors errors = Compare(FoundPoses(argv[1]), TruePoses(argv[2]));
  const double percent = Median(errors.percent);
  const double degrees = Median(errors.degrees);
  std::printf(
      "%zu cameras: position off by %.3f %% of the radius (worst %.3f), "
      "rotation by %.3f degrees (worst %.3f)\n",
      errors.percent.size(),
      percent,
      *std::max_element(errors.percent.begin(), errors.percent.end()),
      degrees,
      *std::max_element(errors.degrees.begin(), errors.degrees.end()));
  const bool good = argc == 3 || (percent <= std::stod(argv[3]) &&
                                  degrees <= std::stod(argv[4]));
  return good ? 0 : 1;
}

}  // namespace
}  // namespace nerfpipe

int main(int argc, char** argv) {
  try {
    return nerfpipe::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pose_error: %s\n", error.what());
    return 2;
  }
}
