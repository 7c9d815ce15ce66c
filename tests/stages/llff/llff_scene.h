#pragma once

// The irregular scene as the colmap stage leaves it. LLFF's file knows one
// lens, with square pixels and the principal point in the middle: no more than
// that is tidy here.

#include "stages/common/colmap_model.h"
#include "stages/media/image_file.h"
#include "tests/stages/common/scene_model.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

// Places beyond the first kSceneCameras are those again, a little higher.
inline std::vector<SceneCamera> LlffCameras(int count = kSceneCameras) {
  const std::vector<SceneCamera> places = OneLensCameras();
  std::vector<SceneCamera> cameras;
  for (int i = 0; i < count; ++i) {
    SceneCamera camera = places[i % kSceneCameras];
    camera.fy = camera.fx;
    camera.cx = camera.width / 2.0;
    camera.cy = camera.height / 2.0;
    camera.world_from_camera[11] += 0.23 * (i / kSceneCameras);
    cameras.push_back(camera);
  }
  return cameras;
}

inline ColmapModel LlffModel(int count = kSceneCameras) {
  return SceneModel(LlffCameras(count), /*one_lens=*/true);
}

// In the order of the names as text: what row i of every table is about.
inline std::vector<int> LlffRows(int count = kSceneCameras) {
  std::vector<int> rows;
  for (int i = 0; i < count; ++i) rows.push_back(i);
  std::sort(rows.begin(), rows.end(), [](int a, int b) {
    return SceneImageName(a) < SceneImageName(b);
  });
  return rows;
}

// sparse/0 and images/ in `workspace`.
inline void WriteLlffScene(const ColmapModel& model,
                           const std::filesystem::path& workspace) {
  std::filesystem::create_directories(workspace / "images");
  WriteColmapModel(model, workspace / "sparse" / "0");
  const std::vector<SceneCamera> cameras = LlffCameras();
  for (const auto& [id, image] : model.images) {
    const SceneCamera& camera = cameras[(1000 - id) / 7 % kSceneCameras];
    const std::vector<uint8_t> rgba = ScenePicture(camera);
    Image picture(camera.width, camera.height, 3);
    for (size_t i = 0; i < picture.pixels.size(); ++i) {
      picture.pixels[i] = rgba[i / 3 * 4 + i % 3];
    }
    WriteImage(picture, workspace / "images" / image.name);
  }
}

}  // namespace nerfpipe
