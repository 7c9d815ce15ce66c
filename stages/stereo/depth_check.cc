#include "stages/stereo/depth_check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace nerfpipe::stereo {
namespace {

// Does `map` of `view` have about this point where the point would be seen?
bool Agrees(const View& view,
            const DepthMap& map,
            const std::array<float, 3>& p,
            float tolerance) {
  const std::array<float, 9>& r = view.rotation;
  const std::array<float, 3>& t = view.translation;
  const float z = r[6] * p[0] + r[7] * p[1] + r[8] * p[2] + t[2];
  if (!(z > 0) || map.size() == 0) return false;
  const float x =
      view.fx * (r[0] * p[0] + r[1] * p[1] + r[2] * p[2] + t[0]) / z + view.cx;
  const float y =
      view.fy * (r[3] * p[0] + r[4] * p[1] + r[5] * p[2] + t[1]) / z + view.cy;
  const float column = x / static_cast<float>(map.step);
  const float row = y / static_cast<float>(map.step);
  if (!(column >= 0 && row >= 0 && column < static_cast<float>(map.width) &&
        row < static_cast<float>(map.height))) {
    return false;
  }
  const float inverse = map.inverse_depth[static_cast<size_t>(row) * map.width +
                                          static_cast<size_t>(column)];
  return inverse > 0 && std::abs(inverse * z - 1) < tolerance;
}

// Sums of values and of their weights.
struct Layer {
  int width, height;
  std::vector<float> sum, weight;

  Layer(int w, int h)
      : width(w),
        height(h),
        sum(static_cast<size_t>(w) * h),
        weight(static_cast<size_t>(w) * h) {}
  size_t at(int x, int y) const { return static_cast<size_t>(y) * width + x; }
};

Layer Halved(const Layer& fine) {
  Layer coarse((fine.width + 1) / 2, (fine.height + 1) / 2);
  for (int y = 0; y < fine.height; ++y) {
    for (int x = 0; x < fine.width; ++x) {
      const size_t to = coarse.at(x / 2, y / 2);
      coarse.sum[to] += fine.sum[fine.at(x, y)];
      coarse.weight[to] += fine.weight[fine.at(x, y)];
    }
  }
  return coarse;
}

// `coarse` values of a layer of half the size, at (x, y) of the finer one.
float Between(const Layer& layer,
              const std::vector<float>& coarse,
              int x,
              int y) {
  const auto along = [](int at, int size, int* low, int* high, float* part) {
    const float place = 0.5f * (static_cast<float>(at) - 0.5f);
    const float floor = std::floor(place);
    *low = std::max(0, static_cast<int>(floor));
    *high = std::min(size - 1, *low + 1);
    *part = std::clamp(place - static_cast<float>(*low), 0.0f, 1.0f);
  };
  int x0, x1, y0, y1;
  float px, py;
  along(x, layer.width, &x0, &x1, &px);
  along(y, layer.height, &y0, &y1, &py);
  const float top =
      (1 - px) * coarse[layer.at(x0, y0)] + px * coarse[layer.at(x1, y0)];
  const float bottom =
      (1 - px) * coarse[layer.at(x0, y1)] + px * coarse[layer.at(x1, y1)];
  return (1 - py) * top + py * bottom;
}

}  // namespace

void CheckDepths(const std::vector<View>& views,
                 const std::vector<std::vector<int>>& neighbours,
                 const CheckRules& rules,
                 int threads,
                 std::vector<DepthMap>* maps) {
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (size_t i = 0; i < views.size(); ++i) {
    DepthMap& map = (*maps)[i];
    for (size_t cell = 0; cell < map.size(); ++cell) {
      map.agreeing[cell] = 0;
      if (map.score[cell] < rules.least_score ||
          !(map.inverse_depth[cell] > 0)) {
        continue;
      }
      const auto point = views[i].PointAt(
          map.x(cell), map.y(cell), 1 / map.inverse_depth[cell]);
      for (const int j : neighbours[i]) {
        if (Agrees(views[j], (*maps)[j], point, rules.tolerance)) {
          ++map.agreeing[cell];
        }
      }
    }
  }
}

std::vector<float> FillDepths(const View& view, const DepthMap& map) {
  if (map.size() == 0) return {};
  Layer known(map.width, map.height);
  for (size_t cell = 0; cell < map.size(); ++cell) {
    if (map.agreeing[cell] == 0) continue;
    known.sum[cell] = map.inverse_depth[cell];
    known.weight[cell] = 1;
  }
  for (const SparseDepth& point : view.sparse) {
    const int x = static_cast<int>(point.x) / map.step;
    const int y = static_cast<int>(point.y) / map.step;
    if (x < 0 || y < 0 || x >= map.width || y >= map.height) continue;
    const size_t cell = known.at(x, y);
    if (map.agreeing[cell] > 0) continue;
    known.sum[cell] += 1 / point.depth;
    known.weight[cell] += 1;
  }
  std::vector<Layer> layers = {std::move(known)};
  while (layers.back().width > 1 || layers.back().height > 1) {
    layers.push_back(Halved(layers.back()));
  }
  // What a coarser layer says counts a fifth of one known cell.
  constexpr float kCoarse = 0.2f;
  std::vector<float> filled;
  for (size_t l = layers.size(); l-- > 0;) {
    const Layer& layer = layers[l];
    std::vector<float> finer(layer.sum.size());
    for (int y = 0; y < layer.height; ++y) {
      for (int x = 0; x < layer.width; ++x) {
        const size_t at = layer.at(x, y);
        float sum = layer.sum[at];
        float weight = layer.weight[at];
        if (!filled.empty()) {
          sum += kCoarse * Between(layers[l + 1], filled, x, y);
          weight += kCoarse;
        }
        finer[at] = weight > 0 ? sum / weight : view.least_inverse_depth;
      }
    }
    filled = std::move(finer);
  }
  return filled;
}

}  // namespace nerfpipe::stereo
