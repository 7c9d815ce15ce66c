#include "data/demo/distance_grid.h"

#include "data/demo/threads.h"
#include "data/demo/toys.h"

namespace nerfpipe::demo {

DistanceGrid::DistanceGrid(Vec3 low, Vec3 high, double cell, int threads)
    : low_(low),
      cell_(cell),
      nx_(static_cast<int>((high.x - low.x) / cell) + 2),
      ny_(static_cast<int>((high.y - low.y) / cell) + 2),
      nz_(static_cast<int>((high.z - low.z) / cell) + 2),
      values_(static_cast<size_t>(nx_) * ny_ * nz_),
      solids_(values_.size()) {
  // From a lattice point to any point of its cell and a little beyond, two
  // distances cannot come closer to each other than twice this.
  const double reach = 1.2 * std::sqrt(3.0) * cell;
  ForEachRow(nz_, threads, [&](int z) {
    size_t i = static_cast<size_t>(z) * nx_ * ny_;
    for (int y = 0; y < ny_; ++y) {
      for (int x = 0; x < nx_; ++x, ++i) {
        const Vec3 p = low + Vec3{x * cell, y * cell, z * cell};
        double distance[kSolids];
        double nearest = 1e9;
        for (int k = 0; k < kSolids; ++k) {
          distance[k] = SolidAt(k, p).distance;
          nearest = std::min(nearest, distance[k]);
        }
        values_[i] = static_cast<float>(nearest);
        for (int k = 0; k < kSolids; ++k) {
          if (distance[k] <= nearest + 2 * reach) solids_[i] |= 1u << k;
        }
      }
    }
  });
}

uint32_t DistanceGrid::SolidsAt(Vec3 p) const {
  const Vec3 q = (p - low_) * (1 / cell_);
  const int x = static_cast<int>(std::clamp(q.x, 0.0, nx_ - 1.0));
  const int y = static_cast<int>(std::clamp(q.y, 0.0, ny_ - 1.0));
  const int z = static_cast<int>(std::clamp(q.z, 0.0, nz_ - 1.0));
  return solids_[(static_cast<size_t>(z) * ny_ + y) * nx_ + x];
}

double DistanceGrid::At(Vec3 p) const {
  const Vec3 q = (p - low_) * (1 / cell_);
  const Vec3 inside{std::clamp(q.x, 0.0, nx_ - 1.001),
                    std::clamp(q.y, 0.0, ny_ - 1.001),
                    std::clamp(q.z, 0.0, nz_ - 1.001)};
  const int x = static_cast<int>(inside.x);
  const int y = static_cast<int>(inside.y);
  const int z = static_cast<int>(inside.z);
  const double u = inside.x - x;
  const double v = inside.y - y;
  const double w = inside.z - z;
  const float* a = &values_[(static_cast<size_t>(z) * ny_ + y) * nx_ + x];
  const float* b = a + static_cast<size_t>(nx_) * ny_;
  const double near = Mix(Mix(a[0], a[1], u), Mix(a[nx_], a[nx_ + 1], u), v);
  const double far = Mix(Mix(b[0], b[1], u), Mix(b[nx_], b[nx_ + 1], u), v);
  const double d = Mix(near, far, w);
  const Vec3 out = q - inside;
  const double gap = cell_ * Length(out);
  return gap > 0 ? std::max(d - gap, gap) : d;
}

}  // namespace nerfpipe::demo
