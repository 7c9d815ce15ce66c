#include "tests/stages/nerf/data/tiny_scene.h"

#include "pipeline/base/atomic_file.h"
#include "stages/common/area_average.h"
#include "stages/common/axes.h"
#include "stages/common/colmap_model.h"
#include "stages/common/npy.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <numeric>

namespace nerfpipe::nerf {

namespace fs = std::filesystem;

Image WithoutAlpha(const Image& image) {
  if (image.channels == 3) return image;
  Image rgb(image.width, image.height, 3);
  for (size_t i = 0; i < rgb.pixels.size(); ++i) {
    rgb.pixels[i] = image.pixels[i / 3 * 4 + i % 3];
  }
  return rgb;
}

TinyScene::TinyScene() : cameras(IrregularCameras()), order(kCount) {
  for (int i = 0; i < kCount; ++i) {
    names.push_back(SceneImageName(i));
    const auto& m = cameras[i].world_from_camera;
    Rigid3 pose;
    for (int row = 0; row < 3; ++row) {
      for (int column = 0; column < 3; ++column) {
        pose.rotation(row, column) = m[4 * row + column];
      }
      pose.translation(row) = m[4 * row + 3];
    }
    world_from_camera.push_back(pose);
    const bool transparent = i == kTransparentView;
    Image picture(cameras[i].width, cameras[i].height, 4);
    picture.pixels = ScenePicture(cameras[i], transparent);
    pictures.push_back(transparent ? picture : WithoutAlpha(picture));
  }
  for (const SceneVector& point : ScenePoints()) {
    points.emplace_back(point[0], point[1], point[2]);
  }
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [this](int a, int b) {
    return names[a] < names[b];
  });
}

bool TinyScene::Sees(int camera, size_t point) const {
  // Some were found in two images only.
  if (point % 7 == 3 && camera >= 2) return false;
  const Eigen::Vector3d& x = points[point];
  const SceneCamera& by = cameras[camera];
  const SceneVector at = by.Project({x.x(), x.y(), x.z()});
  return at[2] > 0 && at[0] >= 0 && at[0] < by.width && at[1] >= 0 &&
         at[1] < by.height;
}

namespace {

// Of every sixth point it is too large.
double ErrorOf(size_t point) { return point % 6 == 5 ? 2.3 : 0.4; }

}  // namespace

bool TinyScene::IsSteady(size_t point) const {
  int views = 0;
  for (int i = 0; i < kCount; ++i) views += Sees(i, point);
  return views >= 3 && ErrorOf(point) <= 2;
}

void TinyScene::WriteImages(const fs::path& folder, int factor) const {
  fs::create_directories(folder);
  for (int i = 0; i < kCount; ++i) {
    WriteImage(Reduced(pictures[i], factor), folder / names[i]);
  }
}

void TinyScene::WriteLlff(const fs::path& folder) const {
  fs::create_directories(folder);
  NpyArray array;
  array.shape = {kCount, 17};
  for (const int i : order) {
    const Rigid3 llff = LlffFromColmapAxes(world_from_camera[i]);
    const double hwf[3] = {static_cast<double>(cameras[i].height),
                           static_cast<double>(cameras[i].width),
                           cameras[i].fx};
    for (int row = 0; row < 3; ++row) {
      for (int column = 0; column < 3; ++column) {
        array.values.push_back(llff.rotation(row, column));
      }
      array.values.push_back(llff.translation(row));
      array.values.push_back(hwf[row]);
    }
    array.values.push_back(1.25 + 0.1 * i);
    array.values.push_back(7.5 + 0.3 * i);
  }
  WriteNpy(array, folder / "poses_bounds.npy");
}

void TinyScene::WriteColmap(const fs::path& folder) const {
  ColmapModel model;
  const auto camera_id = [](int i) {
    return static_cast<uint32_t>(3 + 7 * i % 11);
  };
  for (int i = 0; i < kCount; ++i) {
    const SceneCamera& c = cameras[i];
    ColmapCamera& camera = model.cameras[camera_id(i)];
    camera = {1, c.width, c.height, {c.fx, c.fy, c.cx, c.cy}};
    if (i == 1) {
      camera.model_id = 4;
      camera.params.resize(8, 0.0);
    }
  }
  for (size_t p = 0; p < points.size(); ++p) {
    model.points[100 + p].xyz = points[p];
    model.points[100 + p].error = ErrorOf(p);
  }
  for (int i = 0; i < kCount; ++i) {
    const uint32_t id = 50 - 4 * i;
    ColmapImage& image = model.images[id];
    image.name = names[i];
    image.camera_id = camera_id(i);
    image.camera_from_world = world_from_camera[i].Inverse();
    for (size_t p = 0; p < points.size(); ++p) {
      if (!Sees(i, p)) continue;
      const SceneVector at =
          cameras[i].Project({points[p].x(), points[p].y(), points[p].z()});
      model.points[100 + p].track.push_back(
          {id, static_cast<uint32_t>(image.observations.size())});
      image.observations.push_back(
          {{at[0], at[1]}, static_cast<int64_t>(100 + p)});
    }
    // One that belongs to no point.
    image.observations.push_back({{1.5, 2.5}, -1});
  }
  fs::create_directories(folder);
  WriteColmapModel(model, folder);
}

nlohmann::json TinyScene::Transforms() const {
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
    const SceneCamera& camera = cameras[i];
    frames.push_back({{"file_path", "images/" + names[i]},
                      {"w", camera.width},
                      {"h", camera.height},
                      {"fl_x", camera.fx},
                      {"fl_y", camera.fy},
                      {"cx", camera.cx},
                      {"cy", camera.cy},
                      {"transform_matrix", matrix}});
  }
  return {{"w", 50},
          {"h", 49},
          {"fl_x", 48},
          {"fl_y", 47},
          {"cx", 11},
          {"cy", 12},
          {"frames", frames}};
}

void TinyScene::WriteTransforms(const fs::path& folder) const {
  fs::create_directories(folder);
  WriteFileAtomically(folder / "transforms.json", Transforms().dump());
}

}  // namespace nerfpipe::nerf
