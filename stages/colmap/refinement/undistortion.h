#pragma once

// From the solved camera with its lens distortion to a plain pinhole camera:
// its size and focal length, the model, and the pixels.

#include "stages/common/camera.h"
#include "stages/common/colmap_model.h"
#include "stages/common/image.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace nerfpipe::sfm {

// A pinhole with the principal point exactly in the middle, fx = fy (the mean
// of the distorted ones) and sides that are multiples of 8, as large as it can
// be with every pixel inside the distorted image. Nothing when the distortion
// is so strong that no such image of a quarter of the area exists.
std::optional<Pinhole> PlanPinhole(const ColmapCamera& distorted);

// The same model seen by `pinhole`: one PINHOLE camera under the old
// identifier, all observations moved, errors computed anew, names with the
// suffix .jpg. `model` has one camera.
ColmapModel UndistortModel(const ColmapModel& model, const Pinhole& pinhole);

// Resamples images of one camera (Catmull-Rom over 4 x 4 pixels).
class Warp {
 public:
  Warp(const ColmapCamera& distorted, const Pinhole& pinhole);

  // `image` has the size of the distorted camera, and 3 channels.
  Image Apply(const Image& image) const;

 private:
  // Position of an output pixel's sample in the source, in 1/256 pixels from
  // the centre of the top left pixel.
  struct Sample {
    int32_t x;
    int32_t y;
  };

  int source_width_;
  int source_height_;
  int width_;
  int height_;
  std::vector<Sample> samples_;
};

}  // namespace nerfpipe::sfm
