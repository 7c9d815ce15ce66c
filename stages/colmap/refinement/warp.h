#pragma once

// Pixels of a distorted image brought to a pinhole.

#include "stages/common/camera.h"
#include "stages/common/colmap_model.h"
#include "stages/common/image.h"

#include <cstdint>
#include <vector>

namespace nerfpipe::sfm {

// Resamples images of one camera (Catmull-Rom over 4 x 4 pixels). Images that
// are much finer than the pinhole are averaged over areas first. What lies
// outside of the image repeats its edge.
class Warp {
 public:
  Warp(const ColmapCamera& distorted, const Pinhole& pinhole);

  // `image` has the size of the distorted camera, and 3 or 4 channels. Colours
  // count by their alpha, so that those of transparent pixels stay behind.
  Image Apply(const Image& image) const;

  // Of one channel, 0 or 255. A pixel is used only where all are that lie round
  // its place in the source, so that no colour of others is in it but for the
  // faint reach of the outer weights.
  Image ApplyToMask(const Image& mask) const;

 private:
  // Position of an output pixel's sample in the source, in 1/256 pixels from
  // the centre of the top left pixel.
  struct Sample {
    int32_t x;
    int32_t y;
  };

  Image ApplyToColour(const Image& source) const;
  Image ApplyToColourWithAlpha(const Image& source) const;

  int image_width_;
  int image_height_;
  int source_width_;  // as sampled
  int source_height_;
  int width_;
  int height_;
  std::vector<Sample> samples_;
};

}  // namespace nerfpipe::sfm
