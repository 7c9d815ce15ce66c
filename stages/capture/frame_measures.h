#pragma once

// What is measured of single frames and of pairs.

#include "stages/capture/view_pairs.h"
#include "stages/common/image.h"

#include <filesystem>

namespace nerfpipe {

struct FrameMeasures {
  int width = 0;
  int height = 0;
  // Variance of the Laplacian of the gray image (0 to 255), scaled to
  // 960 pixels on the longer side (or as it is when smaller).
  double sharpness = 0;
  double luma = 0;   // mean, 0 to 1
  double light = 0;  // mean of linear light (gamma 2.2), 0 to 1
  Image thumbnail;   // gray, 160 pixels wide, for MotionBetween
};

// What the report card wants to know beside that.
struct FrameLook {
  FrameMeasures measures;
  ViewPoints points;
  Image thumbnail;  // RGB, 160 pixels wide
  // Mean linear light in stops against green.
  double red = 0;
  double blue = 0;
};

// Throws UserError when the file cannot be read.
FrameLook LookAtFrame(const std::filesystem::path& path);

// Of a gray image; width and height are its own.
FrameMeasures MeasureGray(const Image& gray);

// Image motion from one thumbnail to the next, as a share of the width: the
// root mean square of dense optical flow (Farneback 2003), so that a small
// object that moves before a still background counts. 1 when the sizes
// differ.
double MotionBetween(const Image& from, const Image& to);

}  // namespace nerfpipe
