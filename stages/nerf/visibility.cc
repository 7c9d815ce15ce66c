#include "stages/nerf/visibility.h"

#include <algorithm>
#include <cmath>

#include <ATen/Parallel.h>

namespace nerfpipe::nerf {
namespace {

// A camera, ready to ask whether it sees a ball.
struct Viewer {
  double rotation[9];  // normalised from camera, columns right, up, back
  double centre[3];
  double fx, fy, cx, cy, width, height;

  bool Sees(const double* x, double radius) const {
    double d[3], c[3];
    for (int i = 0; i < 3; ++i) {
      d[i] = x[i] - centre[i];
    }
    for (int i = 0; i < 3; ++i) {
      c[i] =
          rotation[i] * d[0] + rotation[3 + i] * d[1] + rotation[6 + i] * d[2];
    }
    const double depth = -c[2];
    if (depth <= radius) {
      // Round the camera itself every ball counts as seen.
      return depth > -radius &&
             d[0] * d[0] + d[1] * d[1] + d[2] * d[2] < 4 * radius * radius;
    }
    const double u = cx + fx * c[0] / depth;
    const double v = cy - fy * c[1] / depth;
    const double margin = std::max(fx, fy) * radius / (depth - radius);
    return u > -margin && u < width + margin && v > -margin &&
           v < height + margin;
  }
};

std::vector<Viewer> ViewersOf(const std::vector<Camera>& cameras,
                              const SceneFrame& frame) {
  std::vector<Viewer> viewers;
  const auto& m = frame.normalised_from_world;
  for (const Camera& camera : cameras) {
    const auto& p = camera.world_from_camera;
    Viewer viewer;
    for (int i = 0; i < 3; ++i) {
      viewer.centre[i] = m[4 * i + 3];
      for (int j = 0; j < 3; ++j) {
        viewer.centre[i] += m[4 * i + j] * p[4 * j + 3];
        double sum = 0;
        for (int k = 0; k < 3; ++k) {
          sum += m[4 * i + k] / frame.scale * p[4 * k + j];
        }
        viewer.rotation[3 * i + j] = sum;
      }
    }
    viewer.fx = camera.fx;
    viewer.fy = camera.fy;
    viewer.cx = camera.cx;
    viewer.cy = camera.cy;
    viewer.width = camera.width;
    viewer.height = camera.height;
    viewers.push_back(viewer);
  }
  return viewers;
}

// A cell as a ball in the frame, the contraction undone.
struct Ball {
  double centre[3];
  double radius;
};

Ball BallOfCell(const double (&cell_centre)[3], double size) {
  Ball ball;
  ball.radius = size * std::sqrt(3.0) / 2;
  const double norm = std::max({std::abs(cell_centre[0]),
                                std::abs(cell_centre[1]),
                                std::abs(cell_centre[2])});
  // Outwards space is stretched by the square of the distance.
  const double distance = norm > 1 ? 1 / (2 - norm) : norm;
  const double stretch = norm > 1 ? distance / norm : 1;
  for (int i = 0; i < 3; ++i) {
    ball.centre[i] = cell_centre[i] * stretch;
  }
  if (norm > 1) {
    ball.radius *= distance * distance;
  }
  return ball;
}

}  // namespace

torch::Tensor VisibleCells(const std::vector<Camera>& cameras,
                           const SceneFrame& frame,
                           int64_t resolution,
                           double half) {
  const std::vector<Viewer> viewers = ViewersOf(cameras, frame);
  const int64_t r = resolution;
  const double size = 2 * half / static_cast<double>(r);
  torch::Tensor visible = torch::zeros({r * r * r}, torch::kBool);
  bool* out = visible.data_ptr<bool>();
  at::parallel_for(0, r * r, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      size_t last = 0;  // neighbours are mostly seen by the same camera
      for (int64_t i = 0; i < r; ++i) {
        const double centre[3] = {(i + 0.5) * size - half,
                                  (row % r + 0.5) * size - half,
                                  (row / r + 0.5) * size - half};
        const Ball ball = BallOfCell(centre, size);
        for (size_t v = 0; v < viewers.size() && !out[row * r + i]; ++v) {
          const size_t at = (last + v) % viewers.size();
          if (viewers[at].Sees(ball.centre, ball.radius)) {
            out[row * r + i] = true;
            last = at;
          }
        }
      }
    }
  });
  return visible;
}

}  // namespace nerfpipe::nerf
