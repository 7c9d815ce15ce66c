#pragma once

// One scene for the tests of all folders, in which nothing is tidy: a mistake
// that confuses two axes, sides, lenses or frames changes what comes out.
//
// Every camera has a lens and a size of its own; fx differs from fy, no
// principal point lies in the middle, and no side divides by 2. The cameras
// stand unevenly round the objects, at different heights and turned about their
// axes; one is far away. One picture has transparent parts. One point is a
// stray far behind everything.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace nerfpipe {

using SceneVector = std::array<double, 3>;

struct SceneCamera {
  int width = 0;
  int height = 0;
  double fx = 0;
  double fy = 0;
  double cx = 0;
  double cy = 0;
  // 3x4 by rows. Columns: right, down, forward (COLMAP's axes), centre.
  std::array<double, 12> world_from_camera = {};

  // Where the camera sees a point of the world, in pixels (the middle of the
  // first pixel is 0.5, 0.5), and its depth along the optical axis.
  SceneVector Project(const SceneVector& point) const;
};

inline constexpr int kSceneCameras = 11;
inline constexpr int kTransparentView = 4;  // its picture has void parts
inline constexpr int kFarAwayView = 6;      // 8 times as far as the others

// In the order of SceneImageName.
std::vector<SceneCamera> IrregularCameras();

// The same places behind one lens, for what knows only one.
std::vector<SceneCamera> OneLensCameras();

// "IMG 9.png", "IMG 10.png", ...: sorted as text or by number, the order
// differs.
std::string SceneImageName(int index);

// Points on the objects and the ground; the last is the stray one.
std::vector<SceneVector> ScenePoints();

// Colour (0 to 1) and coverage that the ray origin + t * direction meets. The
// ground is part of the scene unless `objects_alone`.
std::array<double, 4> TraceScene(const SceneVector& origin,
                                 const SceneVector& direction,
                                 bool objects_alone = false);

// What a camera sees: RGBA by rows, not premultiplied. Without the ground, void
// pixels have an alpha of 0, and edges something between.
std::vector<uint8_t> ScenePicture(const SceneCamera& camera,
                                  bool objects_alone = false);

}  // namespace nerfpipe
