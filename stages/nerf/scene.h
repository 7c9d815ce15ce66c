#pragma once

// What a NeRF is trained on: images and cameras in memory. LibTorch only.

#include "stages/nerf/tensors.h"

#include <array>
#include <string>
#include <vector>

namespace nerfpipe::nerf {

// Pinhole camera. Pixel centres are at half-integers. The pose has OpenGL
// axes: x right, y up, z backward.
struct Camera {
  int width = 0;
  int height = 0;
  double fx = 0;
  double fy = 0;
  double cx = 0;
  double cy = 0;
  // Row-major 3 x 4 [rotation | centre].
  std::array<double, 12> world_from_camera = {
      1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
};

struct View {
  std::string name;
  Camera camera;
  double near = 0;      // depth bounds along the optical axis, in world units;
  double far = 0;       // 0, 0 when unknown
  torch::Tensor image;  // uint8, height x width x 3 (RGB) or 4 (RGBA)
  // uint8, height x width: 0 where the image says nothing, neither of what is
  // there nor that there is nothing; undefined: nowhere.
  torch::Tensor mask;
  // Which rows of Dataset::points it saw, int64; undefined or empty: not known.
  torch::Tensor seen;
};

struct Dataset {
  std::vector<View> train;
  std::vector<View> test;
  // World coordinates of sparse points (double, N x 3), may be empty.
  torch::Tensor points;
  // Which of those points the training views see: camera centre and point
  // (double, M x 2 x 3, world coordinates). May be empty or undefined.
  torch::Tensor sights;
  // Known extent (synthetic scenes): {min x, y, z, max x, y, z} when has_box.
  bool has_box = false;
  std::array<double, 6> box = {};
  // Colour behind transparent pixels of RGBA images, and of rays that meet
  // nothing.
  std::array<double, 3> background = {1, 1, 1};
};

}  // namespace nerfpipe::nerf
