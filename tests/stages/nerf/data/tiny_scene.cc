#include "tests/stages/nerf/data/tiny_scene.h"

#include "pipeline/base/atomic_file.h"
#include "stages/common/axes.h"
#include "stages/common/colmap_model.h"
#include "stages/common/npy.h"
#include "stages/media/image_file.h"

#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace nerfpipe::nerf {

namespace fs = std::filesystem;

TinyScene::TinyScene() {
  pinhole = {kWidth, kHeight, 30, 30, kWidth / 2.0, kHeight / 2.0};
  for (int i = 0; i < kCount; ++i) {
    names.push_back("img " + std::to_string(i) + ".png");
    const double angle = 2 * M_PI * i / kCount;
    const Eigen::Vector3d centre(4 * std::cos(angle), 4 * std::sin(angle), 1.5);
    const Eigen::Vector3d forward = (-centre).normalized();
    const Eigen::Vector3d right =
        forward.cross(Eigen::Vector3d::UnitZ()).normalized();
    Rigid3 pose;
    pose.rotation << right, forward.cross(right), forward;
    pose.translation = centre;
    world_from_camera.push_back(pose);
  }
  for (int i = 0; i < 20; ++i) {
    points.push_back({0.6 * std::sin(1.0 * i),
                      0.6 * std::cos(2.0 * i),
                      0.5 * std::sin(3.0 * i)});
  }
}

Image TinyScene::Picture(int i, int width, int height) const {
  Image image(width, height, 3);
  for (size_t k = 0; k < image.pixels.size(); k += 3) {
    image.pixels[k] = static_cast<uint8_t>(20 * i);
    image.pixels[k + 1] = static_cast<uint8_t>(255 - 20 * i);
    image.pixels[k + 2] = 128;
  }
  return image;
}

void TinyScene::WriteImages(const fs::path& folder, int factor) const {
  fs::create_directories(folder);
  for (int i = 0; i < kCount; ++i) {
    WriteImage(Picture(i, kWidth / factor, kHeight / factor),
               folder / names[i]);
  }
}

void TinyScene::WriteLlff(const fs::path& folder) const {
  fs::create_directories(folder);
  NpyArray array;
  array.shape = {kCount, 17};
  for (const Rigid3& pose : world_from_camera) {
    const Rigid3 llff = LlffFromColmapAxes(pose);
    const double hwf[3] = {kHeight, kWidth, pinhole.fx};
    for (int row = 0; row < 3; ++row) {
      for (int column = 0; column < 3; ++column) {
        array.values.push_back(llff.rotation(row, column));
      }
      array.values.push_back(llff.translation(row));
      array.values.push_back(hwf[row]);
    }
    array.values.push_back(2.5);
    array.values.push_back(7.5);
  }
  WriteNpy(array, folder / "poses_bounds.npy");
}

void TinyScene::WriteColmap(const fs::path& folder) const {
  ColmapModel model;
  model.cameras[3] = {
      1, kWidth, kHeight, {pinhole.fx, pinhole.fy, pinhole.cx, pinhole.cy}};
  for (size_t p = 0; p < points.size(); ++p) {
    model.points[100 + p].xyz = points[p];
    model.points[100 + p].error = 0.5;
  }
  for (int i = 0; i < kCount; ++i) {
    const uint32_t id = 50 - 4 * i;
    ColmapImage& image = model.images[id];
    image.name = names[i];
    image.camera_id = 3;
    image.camera_from_world = world_from_camera[i].Inverse();
    for (size_t p = 0; p < points.size(); ++p) {
      const Eigen::Vector3d x = image.camera_from_world * points[p];
      image.observations.push_back({{pinhole.fx * x.x() / x.z() + pinhole.cx,
                                     pinhole.fy * x.y() / x.z() + pinhole.cy},
                                    static_cast<int64_t>(100 + p)});
      model.points[100 + p].track.push_back({id, static_cast<uint32_t>(p)});
    }
  }
  fs::create_directories(folder);
  WriteColmapModel(model, folder);
}

void TinyScene::WriteTransforms(const fs::path& folder,
                                const std::string& extra) const {
  nlohmann::json frames = nlohmann::json::array();
  for (int i = kCount - 1; i >= 0; --i) {
    const Rigid3 pose = OpenGlFromColmapAxes(world_from_camera[i]);
    nlohmann::json matrix = nlohmann::json::array();
    for (int row = 0; row < 3; ++row) {
      matrix.push_back({pose.rotation(row, 0),
                        pose.rotation(row, 1),
                        pose.rotation(row, 2),
                        pose.translation(row)});
    }
    matrix.push_back({0, 0, 0, 1});
    frames.push_back(
        {{"file_path", "images/" + names[i]}, {"transform_matrix", matrix}});
  }
  fs::create_directories(folder);
  WriteFileAtomically(folder / "transforms.json",
                      "{" + extra +
                          "\"fl_x\": 30, \"fl_y\": 30, \"cx\": 16, \"cy\": 12, "
                          "\"w\": 32, \"h\": 24, \"frames\": " +
                          frames.dump() + "}");
}

}  // namespace nerfpipe::nerf
