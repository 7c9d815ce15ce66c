#pragma once

// Pictures painted once and looked up many times, without aliasing.

#include "data/demo/vec.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace nerfpipe::demo {

class Texture {
 public:
  Texture() = default;
  // Covers [low, high] with square texels of about `texel` units, painted
  // at their middle with `paint` (linear RGB in [0, 1]), which should draw
  // edges softer than a texel.
  Texture(Vec2 low,
          Vec2 high,
          double texel,
          int threads,
          const std::function<Vec3(Vec2)>& paint);

  // Mean over an ellipse around p: `minor` and `major` are its full widths
  // (minor <= major), `direction` (of length 1) is that of the major one.
  // Outside the covered area the nearest texel counts.
  Vec3 Sample(Vec2 p, double minor, double major, Vec2 direction) const;

 private:
  // Square roots of linear light in 8 bits, four bytes a texel.
  struct Level {
    int width = 0;
    int height = 0;
    std::vector<uint8_t> texels;
  };
  static Level HalfOf(const Level& level);
  // In the level's encoding, 0 to 255; (x, y) in texels of this level.
  static Vec3 Bilinear(const Level& level, double x, double y);

  Vec2 low_;
  double texels_per_unit_ = 1;
  std::vector<Level> levels_;
};

}  // namespace nerfpipe::demo
