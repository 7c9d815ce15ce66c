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
  // Mean linear light round each corner (red, green, blue; 0 to 1); negated
  // where some of it is burnt out, and 0 where it says nothing: of black, or of
  // what is beside the mask.
  std::vector<std::array<float, 3>> light;
};

// Of an RGB or gray image. `mask`, of its size or empty, is 255 where corners
// may be.
ViewPoints FindViewPoints(const Image& image, const Image& mask = {});

// Linear light, in stops.
struct LightStep {
  double exposure = 0;
  double red = 0;  // against green
  double blue = 0;
};

struct ViewPair {
  int matches = 0;   // that fit one epipolar geometry
  double shift = 0;  // their median motion, as a share of the width
  // Matches that do not move, though others do, as a share of all.
  double still = 0;
  // Share of the matches that one homography explains: nearly 1 where the
  // camera only turned, or looked at a plane.
  double planar = 0;
  // That homography, row by row. Places are counted from the middle of the
  // picture, in parts of its longer side.
  std::array<double, 9> homography = {};
  // By how much the second view shows the same places lighter: the median over
  // `lit` matches. Less than that where there are few that are not burnt out.
  LightStep light;
  int lit = 0;
};

// How many corners resemble each other; costs a fraction of CompareViews.
int CountAlike(const ViewPoints& a, const ViewPoints& b);

ViewPair CompareViews(const ViewPoints& a, const ViewPoints& b);

// Are these homographies, as ViewPair has them, what a camera sees that only
// turns? That is so when they are rotations for one focal length.
bool AreRotations(const std::vector<std::array<double, 9>>& homographies);

}  // namespace nerfpipe
