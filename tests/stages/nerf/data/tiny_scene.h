#pragma once

// The irregular scene in every layout that the reader knows: every picture has
// a lens and a size of its own, one has alpha, one is taken from far away.

#include "stages/common/camera.h"
#include "stages/common/image.h"
#include "tests/scenes/irregular_scene.h"

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nerfpipe::nerf {

struct TinyScene {
  static constexpr int kCount = kSceneCameras;

  TinyScene();

  std::vector<SceneCamera> cameras;
  std::vector<std::string> names;         // of their pictures
  std::vector<int> order;                 // cameras in the order of the names
  std::vector<Rigid3> world_from_camera;  // COLMAP axes
  std::vector<Eigen::Vector3d> points;

  // RGBA of kTransparentView, RGB of the others.
  const Image& Picture(int camera) const { return pictures[camera]; }
  // Is the point inside of the camera's picture?
  bool Sees(int camera, size_t point) const;
  // Seen by three cameras or more, and within 2 px.
  bool IsSteady(size_t point) const;

  // Pictures into `folder`, at 1/factor of the size.
  void WriteImages(const std::filesystem::path& folder, int factor = 1) const;
  // Knows square pixels and centred lenses alone: the focal length is fx.
  void WriteLlff(const std::filesystem::path& folder) const;
  // Records and identifiers out of order; one camera is OPENCV's, without
  // distortion, the others are PINHOLE.
  void WriteColmap(const std::filesystem::path& folder) const;
  // One that writes the lens to each frame. The lens of the whole file is
  // another, which no frame has.
  nlohmann::json Transforms() const;
  void WriteTransforms(const std::filesystem::path& folder) const;

  std::vector<Image> pictures;
};

// RGB of RGBA, as it is.
Image WithoutAlpha(const Image& image);

}  // namespace nerfpipe::nerf
