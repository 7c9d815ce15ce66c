#pragma once

// The two costly steps of SIFT (Lowe, IJCV 2004), with the definitions of
// VLFeat: gradients of a level of the scale space, and descriptors from them.

namespace nerfpipe::sfm {

// Length and direction (0 to 2 pi) of the gradient at every pixel, one after
// the other: 2 * width * height numbers. One-sided at the borders.
void FillGradient(const float* level, int width, int height, float* gradient);

// Where a descriptor is computed, in pixels of the level, and the direction
// that counts as 0.
struct DescriptorPlace {
  float x = 0;
  float y = 0;
  float sigma = 0;
  float angle = 0;
};

// 4 x 4 histograms of 8 directions over a square of 12 sigma, of length 1 and
// no larger than 0.2; all 0 where the level is flat. `gradient` is of
// FillGradient.
void ComputeDescriptor(const float* gradient,
                       int width,
                       int height,
                       const DescriptorPlace& place,
                       float (&descriptor)[128]);

}  // namespace nerfpipe::sfm
