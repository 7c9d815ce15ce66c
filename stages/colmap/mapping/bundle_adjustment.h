#pragma once

// All cameras and points adjusted together: Levenberg-Marquardt on the reduced
// camera system (Triggs et al., Bundle Adjustment - A Modern Synthesis, 1999).
// Made for a lens that many images share, where it takes a tenth of the time of
// the general solver.

#include <colmap/scene/reconstruction.h>

namespace nerfpipe::sfm {

struct AdjustmentOptions {
  // Pixels beyond which an observation counts ever less (Cauchy); 0: all count
  // the same.
  double loss_scale = 0;
  int max_steps = 100;
  // A step that lowers the cost by a smaller share ends it, as does one that
  // turns no camera by more (radians).
  double least_gain = 1e-6;
  double least_turn = 0;
  // fx and fy change as one; where they are unlike both become their mean.
  bool square_pixels = false;
  int threads = 1;  // does not change the result
};

struct AdjustmentResult {
  double cost_before = 0;  // half the sum of squared pixels, or of the loss
  double cost_after = 0;
  int steps = 0;  // that were taken
  // Standard deviation of the ratio fy / fx where an observation's error is one
  // pixel, the largest of all lenses; 0 where none has two focal lengths.
  double aspect_deviation = 0;
};

// Changes the poses of the registered images, the points and the lenses of
// `model` but their principal points. Its cameras have models that Lens knows,
// and all points are before the images that see them. Throws Interrupted.
AdjustmentResult AdjustBundle(const AdjustmentOptions& options,
                              colmap::Reconstruction* model);

}  // namespace nerfpipe::sfm
