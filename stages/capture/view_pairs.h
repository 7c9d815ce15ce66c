#pragma once

// What two views have in common, from a few hundred corners: quick, and enough
// to foretell whether their cameras will be found.

#include "stages/common/image.h"

#include <array>
#include <cstdint>
#include <vector>

namespace nerfpipe {

// Corners of one view (ORB: Rublee et al., ICCV 2011), found at 640 pixels.
struct ViewPoints {
  int width = 0;  // of the searched image
  int height = 0;
  // Pixels of it, the strongest first.
  std::vector<std::array<float, 2>> places;
  std::vector<uint8_t> descriptors;  // 32 bytes each
};

ViewPoints FindViewPoints(const Image& gray);

struct ViewPair {
  int matches = 0;   // that fit one epipolar geometry
  double shift = 0;  // their median motion, as a share of the width
  // Matches that do not move, though others do, as a share of all.
  double still = 0;
  // Share of the matches that one homography explains: nearly 1 where the
  // camera only turned, or looked at a plane.
  double planar = 0;
  // That homography, row by row, of pixels of the searched image.
  std::array<double, 9> homography = {};
};

// How many corners resemble each other; costs a fraction of CompareViews.
int CountAlike(const ViewPoints& a, const ViewPoints& b);

ViewPair CompareViews(const ViewPoints& a, const ViewPoints& b);

// Are these homographies, between views of this size, what a camera sees that
// only turns? That is so when they are rotations for one focal length.
bool AreRotations(const std::vector<std::array<double, 9>>& homographies,
                  int width,
                  int height);

}  // namespace nerfpipe
