#pragma once

// Near and far depth of every image, from the points seen in it. Two
// definitions: LLFF's own, and one that a few stray points cannot spoil.

#include "stages/common/colmap_model.h"

#include <cstdint>
#include <vector>

namespace nerfpipe {

// Depths along the optical axis, in world units.
struct DepthBounds {
  double near = 0;
  double far = 0;
};

// Identifiers of the model's images in the order of their names, the order of
// rows everywhere in this folder.
std::vector<uint32_t> ImageIdsByName(const ColmapModel& model);

// The `percent`-th percentile (0 to 100) of a non-empty list, interpolated
// linearly as numpy.percentile does.
double Percentile(std::vector<double> values, double percent);

// LLFF's definition: percentiles 0.1 and 99.9 of the depths of all points whose
// track contains the image, whatever their quality or sign. A row is NaN, NaN
// when its image sees no point. Source: LLFF, llff/poses/pose_utils.py,
// save_poses.
std::vector<DepthBounds> RawLlffBounds(const ColmapModel& model);

struct RobustBounds {
  std::vector<DepthBounds> rows;
  // What the rows leave out or change against LLFF's definition.
  int64_t behind = 0;      // points behind a camera that claims to see them
  int64_t unreliable = 0;  // fewer than 3 views, or more than 2 px off
  int64_t isolated = 0;    // far from the next depth of the same image
  int clamped_rows = 0;    // near raised to a share of the median near
  int borrowed_rows = 0;   // too few points: medians of the other rows
};

// The same percentiles, but over points in front of the camera; over reliable
// tracks when enough of them remain; without the nearest or farthest 1 % where
// a gap of a factor 2 sets them apart; and with no near below a fifth of the
// median near, because readers scale the whole scene by the smallest near of
// all rows. Equals RawLlffBounds when none of that applies. Throws UserError
// when no image sees enough points.
RobustBounds RobustLlffBounds(const ColmapModel& model);

// Over all pairs of an image and a point seen in it, as LLFF prints them.
struct DepthStatistics {
  double min = 0;
  double max = 0;
  double mean = 0;
  int64_t count = 0;
};
DepthStatistics DepthStatisticsOf(const ColmapModel& model);

}  // namespace nerfpipe
