#include "stages/llff/depth_bounds.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <unordered_map>

namespace nerfpipe {
namespace {

constexpr double kNearPercent = 0.1;
constexpr double kFarPercent = 99.9;
constexpr size_t kReliableViews = 3;
constexpr double kReliableError = 2;  // px
// Reliable tracks alone are used when they are this many and half of all.
constexpr size_t kEnoughReliable = 20;
// A row with fewer depths says too little about its scene.
constexpr size_t kMinDepths = 8;
// Up to this share of the depths, but at least one, may be set apart at either
// end, when the next depth is more than kGap times off. Lists shorter than
// kMinForGaps are left alone.
constexpr double kIsolatedShare = 0.01;
constexpr double kGap = 2;
constexpr size_t kMinForGaps = 20;
constexpr double kMinShareOfMedianNear = 0.2;

struct Depth {
  double z = 0;
  bool reliable = false;
};

// Depths by row; every point once per image, however often its track names it.
std::vector<std::vector<Depth>> DepthsByRow(const ColmapModel& model) {
  const std::vector<uint32_t> ids = ImageIdsByName(model);
  std::unordered_map<uint32_t, size_t> row_of_id;
  for (size_t row = 0; row < ids.size(); ++row) row_of_id[ids[row]] = row;

  std::vector<std::vector<Depth>> depths(ids.size());
  for (const auto& [point_id, point] : model.points) {
    std::set<uint32_t> viewers;
    for (const auto& element : point.track) viewers.insert(element.image_id);
    const bool reliable =
        viewers.size() >= kReliableViews && point.error <= kReliableError;
    for (const uint32_t id : viewers) {
      const Rigid3& camera_from_world = model.images.at(id).camera_from_world;
      depths[row_of_id.at(id)].push_back(
          {(camera_from_world * point.xyz).z(), reliable});
    }
  }
  return depths;
}

DepthBounds PercentilesOf(const std::vector<double>& depths) {
  return {Percentile(depths, kNearPercent), Percentile(depths, kFarPercent)};
}

// Removes what a gap sets apart at both ends; returns how many.
int64_t RemoveIsolated(std::vector<double>* depths) {
  std::sort(depths->begin(), depths->end());
  const size_t size = depths->size();
  if (size < kMinForGaps) return 0;
  const size_t limit =
      std::max<size_t>(1, static_cast<size_t>(size * kIsolatedShare));
  size_t low = 0, high = 0;
  for (size_t k = 1; k <= limit; ++k) {
    if ((*depths)[k] > kGap * (*depths)[k - 1]) low = k;
    if ((*depths)[size - k] > kGap * (*depths)[size - k - 1]) high = k;
  }
  depths->resize(size - high);
  depths->erase(depths->begin(), depths->begin() + low);
  return static_cast<int64_t>(low + high);
}

// The depths of one row that can be relied on, counted in `bounds`.
std::vector<double> UsableDepths(const std::vector<Depth>& row,
                                 RobustBounds* bounds) {
  std::vector<double> all, reliable;
  for (const Depth& depth : row) {
    if (depth.z <= 0) {
      ++bounds->behind;
      continue;
    }
    all.push_back(depth.z);
    if (depth.reliable) reliable.push_back(depth.z);
  }
  if (reliable.size() >= kEnoughReliable && 2 * reliable.size() >= all.size()) {
    bounds->unreliable += static_cast<int64_t>(all.size() - reliable.size());
    all = std::move(reliable);
  }
  bounds->isolated += RemoveIsolated(&all);
  return all;
}

}  // namespace

std::vector<uint32_t> ImageIdsByName(const ColmapModel& model) {
  std::vector<uint32_t> ids;
  for (const auto& [id, image] : model.images) ids.push_back(id);
  std::sort(ids.begin(), ids.end(), [&](uint32_t a, uint32_t b) {
    return model.images.at(a).name < model.images.at(b).name;
  });
  return ids;
}

double Percentile(std::vector<double> values, double percent) {
  NERFPIPE_CHECK(!values.empty() && percent >= 0 && percent <= 100);
  std::sort(values.begin(), values.end());
  const double position =
      percent / 100 * static_cast<double>(values.size() - 1);
  const size_t below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, values.size() - 1);
  const double share = position - static_cast<double>(below);
  return values[below] + share * (values[above] - values[below]);
}

std::vector<DepthBounds> RawLlffBounds(const ColmapModel& model) {
  std::vector<DepthBounds> rows;
  for (const std::vector<Depth>& row : DepthsByRow(model)) {
    std::vector<double> depths;
    for (const Depth& depth : row) depths.push_back(depth.z);
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    rows.push_back(depths.empty() ? DepthBounds{kNone, kNone}
                                  : PercentilesOf(depths));
  }
  return rows;
}

RobustBounds RobustLlffBounds(const ColmapModel& model) {
  RobustBounds bounds;
  std::vector<double> nears, fars;
  std::vector<bool> known;
  for (const std::vector<Depth>& row : DepthsByRow(model)) {
    const std::vector<double> depths = UsableDepths(row, &bounds);
    known.push_back(depths.size() >= kMinDepths);
    bounds.rows.push_back(known.back() ? PercentilesOf(depths) : DepthBounds{});
    if (known.back()) {
      nears.push_back(bounds.rows.back().near);
      fars.push_back(bounds.rows.back().far);
    }
  }
  if (nears.empty()) {
    throw UserError("no image of the model sees " + std::to_string(kMinDepths) +
                        " points in front of its camera",
                    "the reconstruction failed, so capture more texture and "
                    "more overlap and run the colmap stage again");
  }

  const double median_near = Percentile(nears, 50);
  const double median_far = Percentile(fars, 50);
  const double smallest_near = kMinShareOfMedianNear * median_near;
  for (size_t i = 0; i < bounds.rows.size(); ++i) {
    DepthBounds& row = bounds.rows[i];
    if (!known[i]) {
      row = {median_near, median_far};
      ++bounds.borrowed_rows;
    } else if (row.near < smallest_near) {
      row.near = smallest_near;
      row.far = std::max(row.far, smallest_near);
      ++bounds.clamped_rows;
    }
  }
  return bounds;
}

DepthStatistics DepthStatisticsOf(const ColmapModel& model) {
  DepthStatistics statistics;
  double sum = 0;
  for (const std::vector<Depth>& row : DepthsByRow(model)) {
    for (const Depth& depth : row) {
      const bool first = statistics.count++ == 0;
      statistics.min = first ? depth.z : std::min(statistics.min, depth.z);
      statistics.max = first ? depth.z : std::max(statistics.max, depth.z);
      sum += depth.z;
    }
  }
  if (statistics.count > 0) {
    statistics.mean = sum / static_cast<double>(statistics.count);
  }
  return statistics;
}

}  // namespace nerfpipe
