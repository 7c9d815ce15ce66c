#include "stages/stereo/neighbours.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>
#include <utility>

namespace nerfpipe::stereo {
namespace {

using Point = std::array<float, 3>;

constexpr double kDegrees = 57.29577951308232;

double Dot(const Point& a, const Point& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

Point Difference(const Point& a, const Point& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}

// How well an angle between two lines of sight tells depth without changing
// what is seen.
double WorthOf(double degrees) {
  if (degrees < 1) return 0.3 * degrees;
  if (degrees < 4) return 0.3 + 0.7 / 3 * (degrees - 1);
  if (degrees < 16) return 1;
  return std::max(0.0, 1 - (degrees - 16) / 20);
}

// Of one look at a point from two places.
double WorthOf(const Point& point, const Point& a, const Point& b) {
  const Point to_a = Difference(point, a);
  const Point to_b = Difference(point, b);
  const double aa = Dot(to_a, to_a), bb = Dot(to_b, to_b);
  if (!(aa > 0 && bb > 0)) return 0;
  const double cosine = Dot(to_a, to_b) / std::sqrt(aa * bb);
  const double degrees = kDegrees * std::acos(std::clamp(cosine, -1.0, 1.0));
  const double nearer = std::sqrt(std::min(aa, bb) / std::max(aa, bb));
  return WorthOf(degrees) * nearer;
}

// The points that a view is judged by: those it saw, or where there are too few
// some on a grid, halfway between nearest and farthest disparity.
std::unordered_map<int, Point> LandmarksOf(const View& view) {
  std::unordered_map<int, Point> landmarks;
  for (const SparseDepth& seen : view.sparse) {
    landmarks[seen.point] = view.PointAt(seen.x, seen.y, seen.depth);
  }
  return landmarks;
}

std::vector<Point> MadeUpLandmarks(const View& view) {
  std::vector<Point> points;
  const float middle = 2 / (view.least_inverse_depth + view.most_inverse_depth);
  for (int row = 0; row < 4; ++row) {
    for (int column = 0; column < 4; ++column) {
      points.push_back(view.PointAt((column + 0.5f) / 4 * view.width,
                                    (row + 0.5f) / 4 * view.height,
                                    middle));
    }
  }
  return points;
}

bool Sees(const View& view, const Point& p) {
  const std::array<float, 9>& r = view.rotation;
  const std::array<float, 3>& t = view.translation;
  const float z = r[6] * p[0] + r[7] * p[1] + r[8] * p[2] + t[2];
  if (!(z > 0)) return false;
  const float x =
      view.fx * (r[0] * p[0] + r[1] * p[1] + r[2] * p[2] + t[0]) / z + view.cx;
  const float y =
      view.fy * (r[3] * p[0] + r[4] * p[1] + r[5] * p[2] + t[1]) / z + view.cy;
  return x >= 0 && y >= 0 && x < view.width && y < view.height;
}

constexpr size_t kFewPoints = 16;

}  // namespace

std::vector<std::vector<int>> ChooseNeighbours(const std::vector<View>& views,
                                               int most,
                                               int threads) {
  const int count = static_cast<int>(views.size());
  std::vector<Point> centres;
  for (const View& view : views) centres.push_back(view.Centre());
  std::vector<std::vector<int>> chosen(count);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (int i = 0; i < count; ++i) {
    const std::unordered_map<int, Point> landmarks = LandmarksOf(views[i]);
    std::vector<Point> made_up;
    if (landmarks.size() < kFewPoints) made_up = MadeUpLandmarks(views[i]);
    std::vector<std::pair<double, int>> worth;
    for (int j = 0; j < count; ++j) {
      if (j == i) continue;
      double sum = 0;
      if (made_up.empty()) {
        for (const SparseDepth& seen : views[j].sparse) {
          const auto shared = landmarks.find(seen.point);
          if (shared == landmarks.end()) continue;
          sum += WorthOf(shared->second, centres[i], centres[j]);
        }
      }
      for (const Point& point : made_up) {
        if (!Sees(views[j], point)) continue;
        sum += WorthOf(point, centres[i], centres[j]);
      }
      if (sum > 0) worth.emplace_back(-sum, j);
    }
    std::sort(worth.begin(), worth.end());
    for (const auto& [negative, j] : worth) {
      if (std::ssize(chosen[i]) == most) break;
      chosen[i].push_back(j);
    }
  }
  return chosen;
}

}  // namespace nerfpipe::stereo
