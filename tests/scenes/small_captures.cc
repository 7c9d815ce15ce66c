#include "tests/scenes/small_captures.h"

#include "pipeline/base/atomic_file.h"
#include "stages/media/image_file.h"
#include "stages/media/video_writer.h"
#include "tests/scenes/irregular_scene.h"

#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

Image PictureOf(const SceneCamera& camera) {
  Image image(camera.width, camera.height, 3);
  const std::vector<uint8_t> rgba = ScenePicture(camera);
  for (size_t i = 0; i < rgba.size() / 4; ++i) {
    for (size_t c = 0; c < 3; ++c) {
      image.pixels[3 * i + c] = rgba[4 * i + c];
    }
  }
  return image;
}

// OpenGL's axes: right, up, back.
nlohmann::json MatrixOf(const SceneCamera& camera) {
  nlohmann::json matrix = nlohmann::json::array();
  for (size_t row = 0; row < 3; ++row) {
    const double* m = camera.world_from_camera.data() + 4 * row;
    matrix.push_back({m[0], -m[1], -m[2], m[3]});
  }
  matrix.push_back({0, 0, 0, 1});
  return matrix;
}

}  // namespace

Image ClipFrame(int index) {
  SceneCamera camera = OneLensCameras()[1];
  camera.width = 213;
  camera.height = 149;
  camera.fx = 231.3;
  camera.fy = 228.9;
  camera.cx = 112.4;
  camera.cy = 71.6;
  camera.world_from_camera[3] += 0.05 * index + 0.02 * std::sin(1.3 * index);
  camera.world_from_camera[7] -= 0.03 * index + 0.01 * std::cos(2.1 * index);
  return PictureOf(camera);
}

void WriteClip(const std::filesystem::path& file,
               int frames,
               double frames_per_second) {
  const Image first = ClipFrame(0);
  VideoWriter writer(file, first.width, first.height, frames_per_second, 14);
  for (int i = 0; i < frames; ++i) writer.Write(ClipFrame(i));
  writer.Finish();
}

void WritePhotos(const std::filesystem::path& folder, int count) {
  std::filesystem::create_directories(folder);
  for (int i = 0; i < count; ++i) {
    const std::string name = "IMG " + std::to_string(i + 5) + ".jpg";
    WriteImage(ClipFrame(i), folder / name);
  }
}

void WriteSmallDataset(const std::filesystem::path& folder, int views) {
  std::filesystem::create_directories(folder);
  nlohmann::json frames = nlohmann::json::array();
  SceneCamera lens;
  for (int i = 0; i < views; ++i) {
    lens = OneLensCameras()[static_cast<size_t>(i)];
    const std::string name = SceneImageName(i);
    WriteImage(PictureOf(lens), folder / name);
    frames.push_back(
        {{"file_path", name}, {"transform_matrix", MatrixOf(lens)}});
  }
  const nlohmann::json root = {{"w", lens.width},
                               {"h", lens.height},
                               {"fl_x", lens.fx},
                               {"fl_y", lens.fy},
                               {"cx", lens.cx},
                               {"cy", lens.cy},
                               {"frames", frames}};
  WriteFileAtomically(folder / "transforms.json", root.dump(1) + "\n");
}

}  // namespace nerfpipe
