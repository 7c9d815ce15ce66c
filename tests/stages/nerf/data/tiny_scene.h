#pragma once

// One tiny scene with exact cameras, written in every layout that the reader
// knows. Image i is filled with a colour that names it.

#include "stages/common/camera.h"
#include "stages/common/image.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe::nerf {

struct TinyScene {
  static constexpr int kCount = 9;
  static constexpr int kWidth = 32;
  static constexpr int kHeight = 24;

  TinyScene();

  Pinhole pinhole;
  std::vector<std::string> names;         // "img 0.png", ... in order
  std::vector<Rigid3> world_from_camera;  // COLMAP axes
  std::vector<Eigen::Vector3d> points;

  Image Picture(int i, int width = kWidth, int height = kHeight) const;
  // Pictures into `folder`, at 1/factor of the size.
  void WriteImages(const std::filesystem::path& folder, int factor = 1) const;
  void WriteLlff(const std::filesystem::path& folder) const;
  // Records and identifiers out of order, PINHOLE.
  void WriteColmap(const std::filesystem::path& folder) const;
  // `extra` is put into the top level, as in "\"k1\": 0.1,".
  void WriteTransforms(const std::filesystem::path& folder,
                       const std::string& extra = "") const;
};

}  // namespace nerfpipe::nerf
