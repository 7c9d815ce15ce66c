#pragma once

// How far a picture is from the photo, by L1 and by structural dissimilarity,
// and the derivative by each pixel (Kerbl et al. 2023, equation 7; Wang et al.
// 2004 with a Gaussian window of 11 x 11, deviation 1.5, zeros beyond the
// border).

#include "stages/nerf/kernels/buffer.h"
#include "stages/nerf/splat/kernels/raster_gradient.h"
#include "stages/nerf/splat/kernels/rasteriser.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace nerfpipe::nerf::splat {

struct LossRules {
  float l1 = 0.7f;
  float dssim = 0.3f;  // of 1 - SSIM
};

// The part of a photo that a picture is compared to: bytes, `channels` a pixel,
// from its first one. With four channels what is transparent shows
// `background`.
struct PhotoPart {
  const uint8_t* pixels = nullptr;
  size_t row_bytes = 0;
  int channels = 3;
  std::array<float, 3> background = {0, 0, 0};
  // Null, or a byte per pixel: where it is 0 nothing is compared.
  const uint8_t* mask = nullptr;
  size_t mask_row_bytes = 0;
};

// Planes of the same size as a picture's; grows as needed.
class LossPlanes {
 public:
  void Reserve(const Planes& picture);

  float* truth(int c) { return Plane(c); }
  float* gradient(int c) { return Plane(3 + c); }
  float* error() { return Plane(6); }
  // Derivatives by the window's sums, of one channel at a time.
  float* by_sum(int k) { return Plane(7 + k); }
  PixelGradients gradients() {
    return {{gradient(0), gradient(1), gradient(2)}, error()};
  }

 private:
  float* Plane(int k) { return memory_.data() + k * size_; }

  size_t size_ = 0;
  kernels::Buffer<float> memory_;
};

struct LossSums {
  double loss = 0;           // mean over pixels and channels
  double squared_error = 0;  // likewise
};

// Derivatives are those of the sum over pixels and channels. error() is the sum
// of |difference| over the channels. Beyond the picture all are 0. The same for
// any number of threads.
LossSums ComputeLoss(const LossRules& rules,
                     const Planes& picture,
                     const PhotoPart& photo,
                     int threads,
                     LossPlanes* planes);

}  // namespace nerfpipe::nerf::splat
