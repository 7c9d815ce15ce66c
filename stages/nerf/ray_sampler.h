#pragma once

// Batches of random pixels of the training images with the rays through them.

#include "stages/nerf/options.h"
#include "stages/nerf/rays.h"
#include "stages/nerf/scene.h"
#include "stages/nerf/tensors.h"
#include "stages/nerf/used_pixels.h"
#include "stages/nerf/void_pixels.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace nerfpipe::nerf {

struct RayBatch {
  Rays rays;
  torch::Tensor rgba;  // N x 4, 0 to 1; alpha 1 for opaque images
};

// The image of a view, contiguous. Throws UserError when it is none of bytes
// with three or four channels, or does not fit the camera.
torch::Tensor CheckedImage(const View& view);
// Its mask, likewise; undefined when it has none.
torch::Tensor CheckedMask(const View& view);

// Which pixels a batch is drawn from.
struct SamplerOptions {
  uint64_t seed = 1;
  bool one_image = false;  // all rays of a batch from one view
  // First steps: only the middle of the images, but for those with a mask.
  int64_t precrop_steps = 0;
  double precrop_fraction = 0.5;
  // Draw again, within reason, where VoidPixels come up.
  bool skip_void = false;
};

class RaySampler {
 public:
  // Keeps the images as bytes: on the CPU the data set's own memory, elsewhere
  // a copy on the device.
  RaySampler(const Dataset& dataset,
             const SceneFrame& frame,
             SamplerOptions options,
             torch::Device device);

  // `count` pixels, each equally likely but for void ones, and those that a
  // mask leaves out, which never come up; a function of seed and step alone.
  RayBatch Draw(int64_t count, int64_t step, const RayRules& rules) const;

 private:
  struct Pixels {
    torch::Tensor view, x, y;  // N, int64, on the CPU
  };
  Pixels Choose(int64_t count, int64_t step) const;
  // The first channel of one of them.
  const uint8_t* PixelAt(int64_t view, int64_t x, int64_t y) const;
  // Their colours, N x 4, 0 to 1.
  torch::Tensor ColoursOnCpu(const Pixels& pixels) const;
  torch::Tensor ColoursOnDevice(const Pixels& pixels) const;

  SamplerOptions options_;
  torch::Device device_;
  CameraTable cameras_;
  std::vector<torch::Tensor> images_;  // on the CPU: H x W x 3 or 4, uint8
  std::vector<VoidPixels> void_;       // with skip_void
  std::vector<std::optional<UsedPixels>> used_;  // of images with a mask
  std::vector<int64_t> first_pixel_;  // V + 1: in all images in a row
  std::vector<int64_t> first_used_;   // the same of the pixels that are used
  torch::Tensor pixels_;              // elsewhere: P x 4 uint8
};

}  // namespace nerfpipe::nerf
