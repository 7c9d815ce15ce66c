#include "data/demo/stroke_font.h"
#include "data/demo/toy_paint.h"

namespace nerfpipe::demo {
namespace {

Coat BlockCoat(int index, Vec3 p, double edge) {
  static constexpr Vec3 kTints[4] = {{0.10, 0.25, 0.50},
                                     {0.60, 0.12, 0.10},
                                     {0.12, 0.36, 0.18},
                                     {0.70, 0.42, 0.06}};
  const Block& block = kBlocks[index];
  const Vec3 q = InBlock(block, p);
  const Vec3 a{std::abs(q.x), std::abs(q.y), std::abs(q.z)};
  Vec2 face;
  char letter;
  if (a.z > a.x && a.z > a.y) {
    face = {q.x, q.y};
    letter = block.letters[2];
  } else if (a.x > a.y) {
    face = {q.x > 0 ? q.y : -q.y, q.z};
    letter = block.letters[q.x > 0 ? 0 : 2];
  } else {
    face = {q.y > 0 ? -q.x : q.x, q.z};
    letter = block.letters[q.y > 0 ? 1 : 0];
  }
  const double grain =
      Fractal(Vec3{q.x * 14, q.y * 14, q.z * 3}, 4, 351 + index);
  Vec3 color = Mix({0.46, 0.30, 0.16}, {0.74, 0.57, 0.36}, grain);
  const double border = BoxDistance(face, {block.half, block.half}, 0.05);
  Paint(kTints[index] * (0.7 + 0.6 * grain),
        Cover(std::abs(border + 0.09) - 0.035, edge),
        &color);
  const double pen = TextDistance({&letter, 1}, 0.95 * block.half, face);
  Paint(kTints[(index + 1) % 4] * (0.7 + 0.6 * grain),
        Cover(pen - 0.12 * block.half, edge),
        &color);
  return {color, 0.06};
}

Coat BallCoat(Vec3 p, double edge) {
  static constexpr Vec3 kTints[6] = {{0.62, 0.08, 0.06},
                                     {0.80, 0.74, 0.62},
                                     {0.08, 0.22, 0.50},
                                     {0.78, 0.50, 0.08},
                                     {0.80, 0.74, 0.62},
                                     {0.10, 0.38, 0.16}};
  const Vec3 q = (p - kBall) * (1 / kBallRadius);
  // The poles lean over, as a ball lies.
  const Vec3 pole = Normalize({0.4, -0.3, 0.87});
  const Vec3 side = Normalize(Cross(pole, {0, 1, 0}));
  const double turn =
      (std::atan2(Dot(q, Cross(pole, side)), Dot(q, side)) / 6.283185 + 0.5) *
      6;
  const int panel = std::clamp(static_cast<int>(turn), 0, 5);
  Vec3 color = kTints[panel];
  const double seam = std::min(turn - panel, panel + 1 - turn) *
                      std::sqrt(std::max(0.0, 1 - Dot(q, pole) * Dot(q, pole)));
  Paint(kBlack, 0.5 * Cover(seam * 0.44 - 0.006, edge), &color);
  Paint(kTints[1], Cover(0.93 - std::abs(Dot(q, pole)), 0.02), &color);
  return {color * (0.72 + 0.5 * Fractal(p * 8, 4, 361)), 0.15};
}

Coat SmallPropCoat(Part part, Vec3 p, double edge) {
  const double wear = 0.75 + 0.5 * Fractal(p * 11, 4, 371);
  if (part == Part::kCone) {
    Vec3 color{0.72, 0.20, 0.03};
    Paint(kWhite, Cover(std::abs(p.z - 0.33) - 0.075, edge), &color);
    Paint(kBlack * 1.5, Cover(p.z - 0.065, edge), &color);
    return {color * wear, 0.08};
  }
  const Vec3 axis = kPencilHead - kPencilTail;
  const double length = Length(axis);
  const double along = Dot(p - kPencilTail, axis) / length;
  Vec3 color = kYellow;
  Paint(kBlue, Cover(std::abs(p.z - 0.15) - 0.012, edge), &color);
  Paint({0.70, 0.48, 0.28}, Cover(length - 0.28 - along, edge), &color);
  Paint(kBlack, Cover(length - 0.09 - along, edge), &color);
  Paint(kMetal, Cover(along - 0.28, edge), &color);
  Paint({0.68, 0.25, 0.24}, Cover(along - 0.16, edge), &color);
  return {color * wear, 0.1};
}

}  // namespace

Coat PropCoat(Part part, Vec3 p, double edge) {
  switch (part) {
    case Part::kCone:
    case Part::kPencil:
      return SmallPropCoat(part, p, edge);
    case Part::kBall:
      return BallCoat(p, edge);
    default:
      return BlockCoat(
          static_cast<int>(part) - static_cast<int>(Part::kBlock), p, edge);
  }
}

}  // namespace nerfpipe::demo
