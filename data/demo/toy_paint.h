#pragma once

// Colours of the toys.

#include "data/demo/toys.h"

namespace nerfpipe::demo {

struct Coat {
  Vec3 color;        // reflectance, linear RGB
  double gloss = 0;  // strength of the soft highlight
};

// The coat of a part at p. `edge` is the width over which drawn edges are
// softened, about the size of a pixel there.
Coat CarCoat(Part part, Vec3 p, Vec3 normal, double edge);
Coat PropCoat(Part part, Vec3 p, double edge);
inline Coat CoatOf(Part part, Vec3 p, Vec3 normal, double edge) {
  return part < Part::kCone ? CarCoat(part, p, normal, edge)
                            : PropCoat(part, p, edge);
}

// The paint box.
inline constexpr Vec3 kRed = {0.56, 0.045, 0.035};
inline constexpr Vec3 kWhite = {0.78, 0.75, 0.68};
inline constexpr Vec3 kBlack = {0.025, 0.026, 0.03};
inline constexpr Vec3 kYellow = {0.80, 0.50, 0.05};
inline constexpr Vec3 kBlue = {0.05, 0.14, 0.36};
inline constexpr Vec3 kGlass = {0.055, 0.085, 0.12};
inline constexpr Vec3 kMetal = {0.50, 0.51, 0.52};

inline void Paint(Vec3 paint, double cover, Vec3* color) {
  *color = Mix(*color, paint, cover);
}

}  // namespace nerfpipe::demo
