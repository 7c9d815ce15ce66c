#include "stages/nerf/free_space.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>

#include <ATen/Parallel.h>

namespace nerfpipe::nerf {
namespace {

using Point = std::array<double, 3>;

// Where a line of sight ends, as a share of the way to its point, whose depth
// is not exact.
constexpr double kEnd = 0.96;
// Of filling gaps between lines.
constexpr int kPasses = 2;
// Steps along a line per cell.
constexpr double kStepsPerCell = 3;

class Cells {
 public:
  Cells(const SceneFrame& frame, int64_t resolution, double half)
      : m_(frame.normalised_from_world),
        resolution_(resolution),
        half_(half),
        contracted_(half > 1) {}

  double size() const { return 2 * half_ / static_cast<double>(resolution_); }

  Point InFrame(const double* world) const {
    Point x;
    for (int i = 0; i < 3; ++i) {
      x[i] = m_[4 * i + 3];
      for (int j = 0; j < 3; ++j) x[i] += m_[4 * i + j] * world[j];
    }
    return x;
  }

  static double Norm(const Point& x) {
    return std::max({std::abs(x[0]), std::abs(x[1]), std::abs(x[2])});
  }

  // -1 outside of the cube.
  int64_t Of(const Point& x) const {
    const double norm = Norm(x);
    const double factor = contracted_ && norm > 1 ? (2 - 1 / norm) / norm : 1;
    int64_t index = 0;
    for (int i = 2; i >= 0; --i) {
      const double at = std::floor((x[i] * factor + half_) / size());
      if (!(at >= 0 && at < static_cast<double>(resolution_))) return -1;
      index = index * resolution_ + static_cast<int64_t>(at);
    }
    return index;
  }

  // Marks the cells from `from` to shortly before `to`.
  void Mark(const Point& from, const Point& to, uint8_t* passed) const {
    Point way;
    for (int i = 0; i < 3; ++i) way[i] = to[i] - from[i];
    const double length = std::hypot(way[0], way[1], way[2]);
    if (!(length > 0) || !std::isfinite(length)) return;
    int64_t last = -1;
    for (double t = 0; t < kEnd;) {
      Point x;
      for (int i = 0; i < 3; ++i) x[i] = from[i] + t * way[i];
      const int64_t cell = Of(x);
      if (cell >= 0 && cell != last) {
        std::atomic_ref<uint8_t>(passed[cell])
            .store(1, std::memory_order_relaxed);
        last = cell;
      }
      // A contracted cell is this much longer across, and longer still away.
      const double norm = contracted_ ? std::max(1.0, Norm(x)) : 1;
      const double stretch = norm / (2 - 1 / norm);
      t += size() / kStepsPerCell * stretch / length;
    }
  }

 private:
  const std::array<double, 12>& m_;
  int64_t resolution_;
  double half_;
  bool contracted_;
};

// Cells with more than half of their neighbours free are so, too: room between
// lines is, and the edge of free space before a flat surface stays.
torch::Tensor WithGapsFilled(const torch::Tensor& free, int64_t resolution) {
  const torch::Tensor share = torch::avg_pool3d(
      free.to(torch::kFloat32).view({1, resolution, resolution, resolution}),
      /*kernel_size=*/3,
      /*stride=*/1,
      /*padding=*/1);
  return free.logical_or(share.flatten() > 0.5).to(torch::kUInt8);
}

}  // namespace

torch::Tensor FreeCells(const torch::Tensor& sights,
                        const SceneFrame& frame,
                        int64_t resolution,
                        double half) {
  NERFPIPE_CHECK(sights.dim() == 3 && sights.size(1) == 2 &&
                 sights.size(2) == 3 && sights.scalar_type() == torch::kDouble);
  const Cells cells(frame, resolution, half);
  const torch::Tensor lines = sights.contiguous();
  const double* line = lines.data_ptr<double>();
  torch::Tensor passed =
      torch::zeros({resolution * resolution * resolution}, torch::kUInt8);
  uint8_t* out = passed.data_ptr<uint8_t>();
  at::parallel_for(0, lines.size(0), 1024, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      cells.Mark(
          cells.InFrame(line + 6 * i), cells.InFrame(line + 6 * i + 3), out);
    }
  });
  for (int pass = 0; pass < kPasses; ++pass) {
    passed = WithGapsFilled(passed, resolution);
  }
  out = passed.data_ptr<uint8_t>();
  for (int64_t i = 0; i < lines.size(0); ++i) {
    const int64_t cell = cells.Of(cells.InFrame(line + 6 * i + 3));
    if (cell >= 0) out[cell] = 0;
  }
  return passed.to(torch::kBool);
}

}  // namespace nerfpipe::nerf
