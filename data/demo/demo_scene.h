#pragma once

// The demo capture's world: cameras, the two scenes and the renderer. The
// world has z up and its own units (the toy car is 4 long). Standard library
// only. Equal arguments give equal bytes, whatever the number of threads.

#include "data/demo/vec.h"
#include "stages/common/image.h"

#include <array>
#include <memory>
#include <span>
#include <vector>

namespace nerfpipe::demo {

// Pinhole without distortion. Pixel centres are at half-integers. The pose has
// COLMAP axes: x right, y down, z forward.
struct DemoCamera {
  int width = 0;
  int height = 0;
  double fx = 0;
  double fy = 0;
  double cx = 0;
  double cy = 0;
  // Row-major 3 x 4 [rotation | centre].
  std::array<double, 12> world_from_camera = {
      1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};

  Vec3 Centre() const;
  // A camera at `centre` that looks at `target`, with world z up, a square
  // pixel and the principal point in the middle.
  static DemoCamera LookAt(
      Vec3 centre, Vec3 target, int width, int height, double focal);
  // The same camera turned about its own axes (radians): first right about
  // the vertical axis, then down, then clockwise.
  DemoCamera Turned(double right, double down, double clockwise) const;
};

// point(depth) = origin + direction * depth, where `direction` has length 1
// along the optical axis, so that `depth` is the z-depth.
struct Ray {
  Vec3 origin;
  Vec3 direction;
};
Ray PixelRay(const DemoCamera& camera, Vec2 pixel);

struct Projection {
  Vec2 pixel;
  double depth = 0;  // z-depth; pixel is meaningless when not positive
};
Projection Project(const DemoCamera& camera, Vec3 point);

// A world that can be looked at. Every ray hits something.
class DemoScene {
 public:
  virtual ~DemoScene() = default;

  struct Hit {
    double distance = 0;  // in lengths of the ray's direction
    int part = 0;         // changes where one thing ends and another begins
  };
  // The first surface along the ray, exact to 1e-6 of a unit or better.
  virtual Hit Trace(const Ray& ray) const = 0;
  // Linear RGB that leaves the hit point towards the ray's origin. `spread` is
  // the angle in radians that the sample stands for: finer texture is blurred.
  virtual Vec3 Shade(const Ray& ray, const Hit& hit, double spread) const = 0;
};

// The toy car on its play mat. `detail` scales the resolution of the baked
// textures: 1 is for 960x540 (about 20 CPU seconds to make), 1/8 is enough for
// pictures of 160x90 (a fraction of a second).
std::unique_ptr<DemoScene> MakeCarScene(double detail = 1, int threads = 0);

// A textured box and spheres in a textured room, unlit: nothing to prepare and
// quick to trace. The room is |x|, |y| <= 4, 0 <= z <= 4.
std::unique_ptr<DemoScene> MakeTestScene();
// `count` cameras in a ring round the middle of the test scene.
std::vector<DemoCamera> TestOrbit(int count, int width, int height);

struct RenderOptions {
  int samples_per_pixel = 4;  // a power of 2; twice as many where things end
  double exposure_gain = 1;   // on linear light
  bool depth = false;
  int threads = 0;  // 0: one per core
};

struct RenderedView {
  Image image;  // RGB
  // z-depth of the first hit through each pixel's centre, row by row; empty
  // unless asked for.
  std::vector<double> depth;
};

RenderedView RenderView(const DemoScene& scene,
                        const DemoCamera& camera,
                        const RenderOptions& options = {});

// The same with the samples spread over `shutter`, cameras in the order of
// time that share size and lens: motion blur. Depth is of the middle one.
RenderedView RenderMoving(const DemoScene& scene,
                          std::span<const DemoCamera> shutter,
                          const RenderOptions& options = {});

// Linear light to the 0..255 of the image: linear to 0.5, a soft shoulder
// above, then the sRGB curve.
uint8_t ToneMap(double linear);

}  // namespace nerfpipe::demo
