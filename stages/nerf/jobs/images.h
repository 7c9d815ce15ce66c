#pragma once

// Tensors to pictures: colours, depth under a colour map, pairs side by side.

#include "stages/common/image.h"
#include "stages/nerf/tensors.h"

#include <array>

namespace nerfpipe {

// height x width x 3, floats in [0, 1].
Image ToImage(const torch::Tensor& rgb);

// Floats in [0, 1] of an 8-bit image tensor; transparent pixels over
// `background`.
torch::Tensor OverBackground(const torch::Tensor& image,
                             const std::array<double, 3>& background);

// Two images of one size, left and right.
Image SideBySide(const Image& left, const Image& right);

// Depths that the ends of the colour map stand for, world units.
struct DepthScale {
  double near = 1;
  double far = 2;
};

// Depth in colours that grow evenly lighter with disparity: near is light, far
// is dark. Where opacity is low it is black. depth, opacity: height x width.
Image DepthImage(const torch::Tensor& depth,
                 const torch::Tensor& opacity,
                 const DepthScale& scale);

}  // namespace nerfpipe
