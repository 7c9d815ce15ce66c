#include "stages/stereo/stereo_view.h"

namespace nerfpipe::stereo {
namespace {

// The rotation backwards, of a vector in camera coordinates.
std::array<float, 3> ToWorld(const View& view, const float (&v)[3]) {
  std::array<float, 3> world;
  for (int k = 0; k < 3; ++k) {
    world[k] = view.rotation[k] * v[0] + view.rotation[3 + k] * v[1] +
               view.rotation[6 + k] * v[2];
  }
  return world;
}

}  // namespace

std::array<float, 3> View::Centre() const {
  return ToWorld(*this, {-translation[0], -translation[1], -translation[2]});
}

std::array<float, 3> View::PointAt(float x, float y, float depth) const {
  return ToWorld(*this,
                 {(x - cx) / fx * depth - translation[0],
                  (y - cy) / fy * depth - translation[1],
                  depth - translation[2]});
}

}  // namespace nerfpipe::stereo
