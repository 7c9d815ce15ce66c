#pragma once

// What is measured of single frames and of pairs.

#include "stages/capture/view_pairs.h"
#include "stages/common/image.h"

#include <filesystem>

namespace nerfpipe {

// What light there is in a frame. A ground of plain black or white, which
// nearly all of its edge shows, is not counted.
struct Tones {
  // Luma, 0 to 1, that nine in ten of the pixels that are not black do not
  // exceed, and that nine in ten of those that are not white reach.
  double bright = 1;
  double dark = 0;
  // Shares of the pixels that are as good as black and white (the outer three
  // of 256 values), in which nothing is to be seen.
  double black = 0;
  double white = 0;
};

struct FrameMeasures {
  int width = 0;
  int height = 0;
  // Variance of the Laplacian of the gray image (0 to 255), scaled to
  // 960 pixels on the longer side (or as it is when smaller).
  double sharpness = 0;
  double luma = 0;  // mean, 0 to 1
  Tones tones;
  Image thumbnail;  // gray, 160 pixels wide, for MotionBetween
};

// What the report card wants to know beside that.
struct FrameLook {
  FrameMeasures measures;
  ViewPoints points;
  Image thumbnail;  // RGB, 160 pixels wide
};

// `mask` is a file that is white where the frame counts, or empty. Throws
// UserError when a file cannot be read.
FrameLook LookAtFrame(const std::filesystem::path& path,
                      const std::filesystem::path& mask = {});

// Of a gray image; width and height are its own. `mask`, of its size or empty,
// is 255 where it counts; one that is black all over counts as none.
FrameMeasures MeasureGray(const Image& gray, const Image& mask = {});

// Image motion from one thumbnail to the next, as a share of the width: the
// root mean square of dense optical flow (Farneback 2003), so that a small
// object that moves before a still background counts. 1 when the sizes
// differ.
double MotionBetween(const Image& from, const Image& to);

}  // namespace nerfpipe
