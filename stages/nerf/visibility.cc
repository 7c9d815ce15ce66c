#include "stages/nerf/visibility.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <ATen/Parallel.h>

namespace nerfpipe::nerf {
namespace {

// A camera, ready to ask whether it sees a ball.
struct Viewer {
  double rotation[9];  // normalised from camera, columns right, up, back
  double centre[3];
  double fx, fy, cx, cy, width, height;

  // From the camera to x, along right, up, back.
  std::array<double, 3> ToCamera(const double* x) const {
    std::array<double, 3> c = {};
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        c[j] += rotation[3 * i + j] * (x[i] - centre[i]);
      }
    }
    return c;
  }

  // The square of pixels that a ball before the camera stays within.
  struct Square {
    double u, v, reach;
  };
  Square Project(const std::array<double, 3>& c, double radius) const {
    const double depth = -c[2];
    return {cx + fx * c[0] / depth,
            cy - fy * c[1] / depth,
            std::max(fx, fy) * radius / (depth - radius)};
  }

  bool Sees(const double* x, double radius) const {
    const std::array<double, 3> c = ToCamera(x);
    if (-c[2] <= radius) {
      // Round the camera itself every ball counts as seen.
      return -c[2] > -radius &&
             c[0] * c[0] + c[1] * c[1] + c[2] * c[2] < 4 * radius * radius;
    }
    const Square at = Project(c, radius);
    return at.u > -at.reach && at.u < width + at.reach && at.v > -at.reach &&
           at.v < height + at.reach;
  }

  // False only where Sees() is false for every ball inside this one.
  bool MaySeeInside(const double* x, double radius) const {
    const std::array<double, 3> c = ToCamera(x);
    const double first = -c[2] - radius;
    const double last = -c[2] + radius;
    if (last <= 0) return false;
    if (first <= 0) return true;
    const double reach = std::max(fx, fy) * radius / first;
    const auto least = [&](double from) {
      return from / (from > 0 ? last : first);
    };
    const auto most = [&](double to) { return to / (to > 0 ? first : last); };
    return cx + fx * most(c[0] + radius) > -reach &&
           cx + fx * least(c[0] - radius) < width + reach &&
           cy + fy * most(radius - c[1]) > -reach &&
           cy + fy * least(-radius - c[1]) < height + reach;
  }
};

// How many blocks of pixels with something in them any rectangle holds.
class MaskSums {
 public:
  // rgba: H x W x 4 bytes.
  explicit MaskSums(const torch::Tensor& rgba) {
    const int64_t height = rgba.size(0);
    const int64_t width = rgba.size(1);
    width_ = static_cast<double>(width);
    height_ = static_cast<double>(height);
    block_ = std::max<int64_t>(1, std::max(height, width) / 512);
    columns_ = (width + block_ - 1) / block_;
    rows_ = (height + block_ - 1) / block_;
    sums_.assign((columns_ + 1) * (rows_ + 1), 0);
    const uint8_t* bytes = rgba.data_ptr<uint8_t>();
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        if (bytes[4 * (y * width + x) + 3] != 0) {
          sums_[At(x / block_ + 1, y / block_ + 1)] = 1;
        }
      }
    }
    for (int64_t y = 1; y <= rows_; ++y) {
      for (int64_t x = 1; x <= columns_; ++x) {
        sums_[At(x, y)] +=
            sums_[At(x - 1, y)] + sums_[At(x, y - 1)] - sums_[At(x - 1, y - 1)];
      }
    }
  }

  // Whether all pixels of a square are in the image and transparent.
  bool Empty(const Viewer::Square& square) const {
    const double reach = square.reach + 1;  // poses are not exact
    const double left = square.u - reach;
    const double right = square.u + reach;
    const double top = square.v - reach;
    const double bottom = square.v + reach;
    if (!(left >= 0 && top >= 0 && right < width_ && bottom < height_)) {
      return false;
    }
    const int64_t x0 = static_cast<int64_t>(left) / block_;
    const int64_t y0 = static_cast<int64_t>(top) / block_;
    const int64_t x1 = static_cast<int64_t>(right) / block_ + 1;
    const int64_t y1 = static_cast<int64_t>(bottom) / block_ + 1;
    return sums_[At(x1, y1)] + sums_[At(x0, y0)] ==
           sums_[At(x0, y1)] + sums_[At(x1, y0)];
  }

 private:
  size_t At(int64_t x, int64_t y) const {
    return static_cast<size_t>(y * (columns_ + 1) + x);
  }

  double width_ = 0, height_ = 0;  // pixels
  int64_t block_ = 1, columns_ = 0, rows_ = 0;
  std::vector<int32_t> sums_;  // of everything above and to the left
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

struct Cell {
  Ball ball;
  int64_t index;
};

Ball BallAround(const std::vector<Cell>& cells) {
  Ball around = {};
  for (int i = 0; i < 3; ++i) {
    const auto [least, most] = std::minmax_element(
        cells.begin(), cells.end(), [i](const Cell& a, const Cell& b) {
          return a.ball.centre[i] < b.ball.centre[i];
        });
    around.centre[i] = 0.5 * (least->ball.centre[i] + most->ball.centre[i]);
  }
  for (const auto& [ball, _] : cells) {
    const double apart = std::hypot(ball.centre[0] - around.centre[0],
                                    ball.centre[1] - around.centre[1],
                                    ball.centre[2] - around.centre[2]);
    around.radius = std::max(around.radius, apart + ball.radius);
  }
  return around;
}

// Calls body(cell, near) for all cells, in parallel; `near` are the viewers
// that may see it. They are found for blocks of cells: most are far from most.
template <typename Body>
void ForCells(const std::vector<Viewer>& viewers,
              int64_t r,
              double half,
              const Body& body) {
  constexpr int64_t kSide = 8;
  const double size = 2 * half / static_cast<double>(r);
  const int64_t blocks = (r + kSide - 1) / kSide;
  const auto work = [&](int64_t begin, int64_t end) {
    std::vector<Cell> cells;
    std::vector<size_t> near;
    for (int64_t block = begin; block < end; ++block) {
      const int64_t x0 = block % blocks * kSide;
      const int64_t y0 = block / blocks % blocks * kSide;
      const int64_t z0 = block / (blocks * blocks) * kSide;
      cells.clear();
      for (int64_t z = z0; z < std::min(z0 + kSide, r); ++z) {
        for (int64_t y = y0; y < std::min(y0 + kSide, r); ++y) {
          for (int64_t x = x0; x < std::min(x0 + kSide, r); ++x) {
            const double centre[3] = {(x + 0.5) * size - half,
                                      (y + 0.5) * size - half,
                                      (z + 0.5) * size - half};
            cells.push_back({BallOfCell(centre, size), x + r * (y + r * z)});
          }
        }
      }
      const Ball all = BallAround(cells);
      near.clear();
      for (size_t v = 0; v < viewers.size(); ++v) {
        if (viewers[v].MaySeeInside(all.centre, all.radius)) near.push_back(v);
      }
      for (const Cell& cell : cells) body(cell, near);
    }
  };
  at::parallel_for(0, blocks * blocks * blocks, 4, work);
}

}  // namespace

torch::Tensor VisibleCells(const std::vector<Camera>& cameras,
                           const SceneFrame& frame,
                           int64_t resolution,
                           double half) {
  const std::vector<Viewer> viewers = ViewersOf(cameras, frame);
  torch::Tensor visible =
      torch::zeros({resolution * resolution * resolution}, torch::kBool);
  bool* out = visible.data_ptr<bool>();
  const auto look = [&](const Cell& cell, const std::vector<size_t>& near) {
    const Ball& ball = cell.ball;
    // Neighbours are mostly seen by the same camera.
    thread_local size_t last = 0;
    for (size_t v = 0; v < near.size() && !out[cell.index]; ++v) {
      const size_t at = (last + v) % near.size();
      if (viewers[near[at]].Sees(ball.centre, ball.radius)) {
        out[cell.index] = true;
        last = at;
      }
    }
  };
  ForCells(viewers, resolution, half, look);
  return visible;
}

torch::Tensor EmptyCells(const std::vector<Camera>& cameras,
                         const std::vector<torch::Tensor>& images,
                         const SceneFrame& frame,
                         int64_t resolution,
                         double half) {
  NERFPIPE_CHECK(cameras.size() == images.size());
  const std::vector<Viewer> all = ViewersOf(cameras, frame);
  std::vector<Viewer> viewers;
  std::vector<MaskSums> masks;
  for (size_t i = 0; i < all.size(); ++i) {
    if (images[i].size(2) != 4) continue;
    viewers.push_back(all[i]);
    masks.emplace_back(images[i].contiguous());
  }
  torch::Tensor empty =
      torch::zeros({resolution * resolution * resolution}, torch::kBool);
  if (masks.empty()) return empty;
  bool* out = empty.data_ptr<bool>();
  const size_t needed = 1 + viewers.size() / 20;
  const auto look = [&](const Cell& cell, const std::vector<size_t>& near) {
    const Ball& ball = cell.ball;
    size_t votes = 0;
    for (size_t i = 0; i < near.size() && votes < needed; ++i) {
      const Viewer& viewer = viewers[near[i]];
      const std::array<double, 3> c = viewer.ToCamera(ball.centre);
      if (-c[2] <= ball.radius) continue;
      votes += masks[near[i]].Empty(viewer.Project(c, ball.radius));
    }
    out[cell.index] = votes >= needed;
  };
  ForCells(viewers, resolution, half, look);
  return empty;
}

}  // namespace nerfpipe::nerf
