#include "stages/nerf/data/json_file.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"

#include <cmath>

namespace nerfpipe::nerf {
namespace {

[[noreturn]] void Refuse(const std::filesystem::path& file,
                         const std::string& what) {
  throw UserError(file.string() + ": " + what,
                  "write the file again with the tool that made it");
}

}  // namespace

nlohmann::json ReadCameraJson(const std::filesystem::path& file) {
  nlohmann::json root;
  try {
    root = nlohmann::json::parse(ReadFile(file));
  } catch (const nlohmann::json::exception&) {
    Refuse(file, "this is not JSON");
  }
  if (!root.is_object() || !root.contains("frames") ||
      !root["frames"].is_array() || root["frames"].empty()) {
    Refuse(file, "there is no list \"frames\" with cameras in it");
  }
  return root;
}

std::optional<double> NumberIn(const nlohmann::json& object,
                               const char* field,
                               const std::filesystem::path& file) {
  const auto found = object.find(field);
  if (found == object.end()) {
    return std::nullopt;
  }
  if (!found->is_number() || !std::isfinite(found->get<double>())) {
    Refuse(file, std::string("\"") + field + "\" is not a number");
  }
  return found->get<double>();
}

std::string FilePathOf(const nlohmann::json& frame,
                       const std::filesystem::path& file) {
  if (!frame.is_object() || !frame.contains("file_path") ||
      !frame["file_path"].is_string()) {
    Refuse(file, "a frame has no \"file_path\"");
  }
  return frame["file_path"].get<std::string>();
}

Rigid3 PoseOfFrame(const nlohmann::json& frame,
                   const std::filesystem::path& file) {
  const std::string name = FilePathOf(frame, file);
  const auto matrix = frame.find("transform_matrix");
  const auto refuse = [&] {
    Refuse(file, "the \"transform_matrix\" of " + name + " is not a pose");
  };
  if (matrix == frame.end() || !matrix->is_array() || matrix->size() < 3) {
    refuse();
  }
  Rigid3 pose;
  for (int row = 0; row < 3; ++row) {
    const nlohmann::json& cells = (*matrix)[row];
    if (!cells.is_array() || cells.size() != 4) {
      refuse();
    }
    for (int column = 0; column < 4; ++column) {
      if (!cells[column].is_number()) {
        refuse();
      }
      const double value = cells[column].get<double>();
      if (column < 3) {
        pose.rotation(row, column) = value;
      } else {
        pose.translation(row) = value;
      }
    }
  }
  const Eigen::Matrix3d error =
      pose.rotation * pose.rotation.transpose() - Eigen::Matrix3d::Identity();
  if (!pose.translation.allFinite() || !pose.rotation.allFinite() ||
      error.cwiseAbs().maxCoeff() > 1e-2) {
    refuse();
  }
  return pose;
}

}  // namespace nerfpipe::nerf
