#include "data/demo/stroke_font.h"
#include "data/demo/toy_paint.h"

#include <string_view>

namespace nerfpipe::demo {
namespace {

// Small stars and dots scattered over a painted face, no two alike.
void PaintConfetti(Vec2 q, uint32_t seed, double edge, Vec3* color) {
  constexpr double kCell = 0.17;
  const int x = static_cast<int>(std::floor(q.x / kCell));
  const int y = static_cast<int>(std::floor(q.y / kCell));
  if (UnitHash(x, y, 0, seed) < 0.35) return;
  const Vec2 r = Rotate(q - Vec2{(x + 0.3 + 0.4 * UnitHash(x, y, 1, seed)),
                                 (y + 0.3 + 0.4 * UnitHash(x, y, 2, seed))} *
                                kCell,
                        6.3 * UnitHash(x, y, 3, seed));
  const double size = 0.016 + 0.022 * UnitHash(x, y, 4, seed);
  const Vec3 paints[4] = {kWhite, kYellow, kRed * 0.35, {0.75, 0.20, 0.12}};
  const uint32_t pick = HashOf(x, y, 5, seed);
  const double star = size * (0.75 + 0.4 * std::cos(5 * std::atan2(r.y, r.x)));
  const double mark =
      pick / 4 % 2 ? Length(r) - star : BoxDistance(r, {size, 0.4 * size}, 0);
  Paint(paints[pick % 4], 0.9 * Cover(mark, edge), color);
}

// The side of the body; q is (towards the right of who looks at it, up), and
// `ahead` grows towards the car's nose.
void PaintSide(Vec2 q, double ahead, bool left, double edge, Vec3* color) {
  PaintConfetti(q, left ? 301 : 302, edge, color);
  // Flames from the front wheel backwards.
  const double reach = ahead - 0.15;
  const double tongue = 0.13 + 0.10 * std::sin(11 * ahead + (left ? 0 : 2)) +
                        0.05 * std::sin(23 * ahead);
  const double flame =
      std::abs(q.y - 0.70) - Clamp01(reach * 0.8) * (0.08 + 0.5 * tongue);
  const double height = Clamp01((q.y - 0.5) / 0.45);
  Paint(Mix(kYellow, {0.75, 0.16, 0.03}, height),
        Cover(flame, 2 * edge) * SmoothStep(0.15, 0.3, ahead),
        color);
  // Chequers on the rear quarter.
  if (ahead < -1.0) {
    const int check = static_cast<int>(std::floor(q.x / 0.09)) +
                      static_cast<int>(std::floor(q.y / 0.09));
    const double fade =
        Cover(0.16 * (ahead + 1.15) + std::abs(q.y - 0.84) - 0.13, 2 * edge);
    Paint(check & 1 ? kBlack : kWhite, fade, color);
  }
  // A blue sill with the maker's name.
  Paint(kBlue, Cover(q.y - 0.42, edge), color);
  Paint(kWhite, Cover(std::abs(q.y - 0.435) - 0.012, edge), color);
  const double name =
      TextDistance(left ? "ZIPPY" : "TURBO 3", 0.085, {q.x, q.y - 0.35});
  Paint(kWhite, Cover(name - 0.009, edge), color);
  // Door lines and handle.
  const double door =
      std::abs(BoxDistance(Vec2{ahead - 0.0, q.y - 0.78}, {0.60, 0.40}, 0.08));
  Paint(kRed * 0.12, 0.9 * Cover(door - 0.009, edge), color);
  const double handle =
      BoxDistance(Vec2{ahead + 0.42, q.y - 0.88}, {0.07, 0.018}, 0.01);
  Paint(kMetal, Cover(handle, edge), color);
  // The start number on a white disc.
  const Vec2 disc{q.x, q.y - 0.70};
  Paint(kBlack, Cover(Length(disc) - 0.235, edge), color);
  Paint(kWhite, Cover(Length(disc) - 0.215, edge), color);
  const double number = TextDistance(left ? "27" : "72", 0.19, disc);
  Paint(kBlack, Cover(number - 0.022, edge), color);
}

// Bonnet, roof and boot from above: x to the nose.
void PaintTop(Vec3 p, double edge, Vec3* color) {
  const Vec2 q{-p.y, p.x};
  PaintConfetti(q, 303, edge, color);
  const double stripe = std::abs(std::abs(p.y) - 0.17) - 0.095;
  Paint(kBlack, Cover(stripe - 0.018, edge), color);
  Paint(kWhite, Cover(stripe, edge), color);
  // Bonnet: its outline, a vent and a badge; roof: the number.
  if (p.x > 0.85) {
    const double lid =
        std::abs(BoxDistance(Vec2{p.x - 1.35, p.y}, {0.48, 0.66}, 0.12));
    Paint(kRed * 0.12, 0.9 * Cover(lid - 0.008, edge), color);
    for (int i = 0; i < 4; ++i) {
      const double vent =
          BoxDistance(Vec2{p.x - 1.12 - 0.06 * i, std::abs(p.y) - 0.45},
                      {0.015, 0.1},
                      0.01);
      Paint(kBlack, Cover(vent, edge), color);
    }
    const Vec2 badge = q - Vec2{0, 1.6};
    Paint(kBlue, Cover(Length(badge) - 0.15, edge), color);
    Paint(kYellow, Cover(std::abs(Length(badge) - 0.13) - 0.012, edge), color);
    Paint(kYellow, Cover(TextDistance("Z", 0.12, badge) - 0.018, edge), color);
  } else if (p.z > 1.3 && p.x > -1.2) {
    const Vec2 disc = q - Vec2{0, -0.38};
    Paint(kBlack, Cover(Length(disc) - 0.335, edge), color);
    Paint(kWhite, Cover(Length(disc) - 0.31, edge), color);
    Paint(kBlack, Cover(TextDistance("27", 0.28, disc) - 0.034, edge), color);
  } else if (p.x < -1.4) {
    const double lid =
        std::abs(BoxDistance(Vec2{p.x + 1.75, p.y}, {0.2, 0.62}, 0.08));
    Paint(kRed * 0.12, 0.9 * Cover(lid - 0.008, edge), color);
  }
}

void PaintNose(Vec3 p, double edge, Vec3* color) {
  const Vec2 q{p.y, p.z - 0.70};
  const double grille = BoxDistance(q, {0.31, 0.10}, 0.05);
  Paint(kMetal, Cover(grille - 0.03, edge), color);
  const double slat = std::abs(std::fmod(q.y + 1, 0.05) - 0.025) - 0.012;
  Paint(
      Mix(kBlack, kMetal * 0.5, Cover(slat, edge)), Cover(grille, edge), color);
}

// Paint as sprayed: clouds, flakes and a few scuffs.
Vec3 Weathered(Vec3 color, Vec3 p) {
  const double cloud = Fractal(p * 3.1, 4, 311) - 0.5;
  const double flake = Noise(p * 34, 312) - 0.5;
  color = color * (1 + 0.55 * cloud + 0.28 * flake);
  const double scuff = std::abs(Fractal(p * 2.7, 4, 313) - 0.5);
  return Mix(color, Vec3{0.45, 0.36, 0.33}, 0.35 * Cover(scuff - 0.004, 0.01));
}

Vec3 BodyColor(Vec3 p, Vec3 n, double edge) {
  Vec3 color = kRed;
  if (std::abs(n.y) > 0.62) {
    const bool left = p.y > 0;
    PaintSide({left ? -p.x : p.x, p.z}, p.x, left, edge, &color);
  } else if (n.z > 0.5) {
    PaintTop(p, edge, &color);
  } else if (n.x > 0.5) {
    PaintNose(p, edge, &color);
  } else if (n.x < -0.5) {
    PaintConfetti({-p.y, p.z}, 304, edge, &color);
  }
  return Weathered(color, p);
}

Coat CabinCoat(Vec3 p, Vec3 n, double edge) {
  const Window window = WindowAt(p);
  Coat coat{kRed, 0.25};
  if (window.face == Window::Face::kRoof || n.z > 0.8) {
    PaintTop(p, edge, &coat.color);
  } else {
    PaintConfetti({p.x, p.z + p.y}, 305, edge, &coat.color);
  }
  coat.color = Weathered(coat.color, p);
  // Printed glass: a sky that fades downwards, slanted gleams, a seal.
  const double up = SmoothStep(1.0, 1.5, p.z);
  Vec3 glass = Mix(kGlass, {0.20, 0.32, 0.42}, up * up);
  const double across = window.face == Window::Face::kSide ? p.x : p.y;
  const double slant = across + 0.55 * p.z + (p.y > 0 ? 0.1 : 0.0);
  const double gleam = std::abs(slant - 0.62) - 0.07;
  const double gleam2 = std::abs(slant - 0.82) - 0.025;
  Paint({0.42, 0.52, 0.58}, 0.7 * Cover(std::min(gleam, gleam2), edge), &glass);
  glass = glass * (0.8 + 0.4 * Fractal(p * 9, 3, 321));
  Paint(kBlack, Cover(-window.inside - 0.03, edge), &coat.color);
  Paint(glass, Cover(-window.inside, edge), &coat.color);
  if (window.inside > 0) coat.gloss = 0.45;
  return coat;
}

Coat TireCoat(Vec3 p, Vec3 n, double edge) {
  const Vec3 q = InWheel(p);
  const double radius = std::sqrt(q.x * q.x + q.z * q.z);
  const double angle = std::atan2(q.z, q.x);
  Vec3 color = Vec3{0.035, 0.035, 0.038} * (0.6 + 0.8 * Noise(p * 26, 331));
  if (std::abs(n.y) > 0.6) {
    Paint(kWhite * 0.8, Cover(std::abs(radius - 0.275) - 0.014, edge), &color);
    const double marks = std::sin(9 * angle + 2 * std::sin(3 * angle));
    Paint(kYellow * 0.7,
          Cover(std::abs(radius - 0.318) - 0.011, edge) *
              SmoothStep(0.5, 0.7, marks),
          &color);
  } else {
    const double tread = std::sin(36 * angle + (q.y > 0 ? 8 : -8) * q.y * 4);
    Paint(kBlack * 0.4, 0.8 * SmoothStep(0.1, 0.5, tread), &color);
  }
  return {color, 0.06};
}

Coat RimCoat(Vec3 p, double edge) {
  const Vec3 q = InWheel(p);
  const double radius = std::sqrt(q.x * q.x + q.z * q.z);
  const double turn = (std::atan2(q.z, q.x) + 0.3 * (p.x > 0)) * 5 / 6.283185;
  const double off = std::abs(turn - std::floor(turn) - 0.5) * 6.283185 / 5;
  const double spoke = radius * std::sin(off) - 0.038;
  Vec3 color = kBlack * 0.8;
  Paint(kYellow, Cover(spoke, edge), &color);
  Paint(kYellow, Cover(std::abs(radius - 0.207) - 0.024, edge), &color);
  Paint(kMetal, Cover(radius - 0.075, edge), &color);
  Paint(kRed, Cover(radius - 0.045, edge), &color);
  return {color * (0.8 + 0.4 * Noise(p * 22, 341)), 0.25};
}

Coat PlateCoat(Vec3 p, double edge) {
  const bool front = p.x > 0;
  const Vec2 q{front ? p.y : -p.y, p.z - (front ? 0.42 : 0.70)};
  Vec3 color = front ? kWhite : kYellow;
  Paint(kBlack, Cover(-BoxDistance(q, {0.275, 0.08}, 0.02), edge), &color);
  const double text = TextDistance("NRF 360", 0.078, q);
  Paint(kBlack, Cover(text - 0.0095, edge), &color);
  return {color, 0.1};
}

Coat LightCoat(Part part, Vec3 p, double edge) {
  if (part == Part::kTailLight) {
    const double y = std::abs(p.y) - 0.53;
    Vec3 color{0.45, 0.02, 0.02};
    Paint({0.75, 0.35, 0.04}, Cover(0.06 - y, edge), &color);
    const double rib = std::abs(std::fmod(p.z + 1, 0.04) - 0.02) - 0.008;
    return {color * (1 - 0.35 * Cover(rib, edge)), 0.3};
  }
  const double y = p.y - (p.y < 0 ? -0.55 : 0.55);
  const double radius = Length(Vec2{y, p.z - 0.74});
  Vec3 color{0.72, 0.70, 0.60};
  const double rib = std::abs(std::fmod(y + 1, 0.05) - 0.025) - 0.01;
  Paint({0.48, 0.50, 0.50}, 0.7 * Cover(rib, edge), &color);
  Paint({0.82, 0.76, 0.50}, Cover(radius - 0.05, edge), &color);
  Paint(kMetal, Cover(std::abs(radius - 0.165) - 0.025, edge), &color);
  return {color, 0.35};
}

}  // namespace

Coat CarCoat(Part part, Vec3 p, Vec3 normal, double edge) {
  switch (part) {
    case Part::kBody:
      return {BodyColor(p, normal, edge), 0.25};
    case Part::kCabin:
      return CabinCoat(p, normal, edge);
    case Part::kTire:
      return TireCoat(p, normal, edge);
    case Part::kRim:
      return RimCoat(p, edge);
    case Part::kPlate:
      return PlateCoat(p, edge);
    case Part::kHeadlight:
    case Part::kTailLight:
      return LightCoat(part, p, edge);
    case Part::kMirror:
      return {Weathered(kRed, p), 0.25};
    case Part::kSpoiler: {
      Vec3 color = kBlue;
      const double word = TextDistance("FAST 27", 0.15, {-p.y, p.x + 1.78});
      Paint(kYellow, Cover(word - 0.018, edge) * (normal.z > 0.7), &color);
      return {Weathered(color, p), 0.2};
    }
    case Part::kPipe:
      return {kMetal * 0.3, 0.2};
    case Part::kBumper:
      return {kMetal * (0.65 + 0.5 * Fractal(p * 12, 4, 381)), 0.3};
    default:
      return {};
  }
}

}  // namespace nerfpipe::demo
