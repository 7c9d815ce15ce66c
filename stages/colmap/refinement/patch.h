#pragma once

// Where a small piece of one picture lies in another, to a fraction of a pixel:
// least squares matching with an affine warp (Gruen, Adaptive Least Squares
// Correlation, 1985), inverse compositional (Baker and Matthews, Lucas-Kanade
// 20 Years On, IJCV 2004).

#include "stages/common/image.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <Eigen/Core>

namespace nerfpipe::sfm {

inline constexpr int kPatchSide = 27;

// Gray, of a picture halved `level` times.
struct Patch {
  std::array<uint8_t, kPatchSide * kPatchSide> pixels;  // rows from the top
  Eigen::Vector2f point;  // in pixels of the patch, its corner at (0, 0)
};

// Around `point` (pixels of `image`, which is RGB). Nothing too near the
// border.
std::optional<Patch> CutPatch(const Image& image,
                              const Eigen::Vector2d& point,
                              int level);

// A patch to find in others.
class PatchTemplate {
 public:
  explicit PatchTemplate(const Patch& patch);

  // Is there enough in it to say where it lies?
  bool HasTexture() const { return has_texture_; }

  // How far from target.point, in pixels of the patch, the template's point
  // lies. `warp` takes offsets in the template to offsets in the target, to
  // begin with. Brightness and contrast may differ. Nothing where the two do
  // not agree or the place is not the expected one.
  std::optional<Eigen::Vector2f> Find(const Patch& target,
                                      const Eigen::Matrix2f& warp) const;

 private:
  // Shift (2), linear part by rows (4), contrast.
  using Basis = Eigen::Matrix<float, 7, Eigen::Dynamic>;

  Eigen::VectorXf values_;  // kTemplatePixels, mean 0
  Basis solver_;            // pixels of the target to coefficients
  bool has_texture_ = false;
};

}  // namespace nerfpipe::sfm
