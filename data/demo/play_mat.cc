#include "data/demo/play_mat.h"

#include "data/demo/stroke_font.h"

#include <string_view>

namespace nerfpipe::demo {
namespace {

constexpr Vec3 kCream = {0.80, 0.74, 0.60};
constexpr Vec3 kPalette[7] = {{0.62, 0.20, 0.13},
                              {0.75, 0.47, 0.10},
                              {0.13, 0.30, 0.48},
                              {0.70, 0.62, 0.45},
                              {0.22, 0.38, 0.35},
                              {0.52, 0.30, 0.38},
                              {0.38, 0.24, 0.15}};
constexpr std::string_view kSigns = "ABCDEFGHJKLMNPRSTUVXYZ23456789";

// Distance from p to the middle line of the nearest road, and to its edge
// (negative on the road).
struct Road {
  double middle = 1e9;
  double edge = 1e9;
};

void AddRoad(double middle, double half_width, Road* road) {
  if (middle - half_width < road->edge) {
    *road = {middle, middle - half_width};
  }
}

Road RoadAt(Vec2 p) {
  Road road;
  AddRoad(std::abs(p.y + 0.25 * std::sin(0.5 * p.x)), 1.2, &road);
  AddRoad(std::abs(BoxDistance(p, {5.2, 4.2}, 1.5)), 0.5, &road);
  AddRoad(SegmentDistance(p, {2.3, 0.6}, {3.1, 4.1}), 0.42, &road);
  AddRoad(SegmentDistance(p, {-3.3, -0.6}, {-2.4, -4.1}), 0.42, &road);
  AddRoad(std::abs(Length(p - Vec2{-3.0, 2.6}) - 0.8), 0.3, &road);
  return road;
}

void Paint(Vec3 paint, double cover, Vec3* color) {
  *color = Mix(*color, paint, cover);
}

// Grass with tufts, each cell's different.
Vec3 GrassColor(Vec2 p) {
  const double shade = Fractal(p * 0.8, 4, 11);
  Vec3 color = Mix({0.17, 0.29, 0.11}, {0.38, 0.45, 0.17}, shade);
  const int x = static_cast<int>(std::floor(p.x / 0.17));
  const int y = static_cast<int>(std::floor(p.y / 0.17));
  const Vec2 middle{(x + 0.3 + 0.4 * UnitHash(x, y, 0, 21)) * 0.17,
                    (y + 0.3 + 0.4 * UnitHash(x, y, 1, 21)) * 0.17};
  const Vec2 q = Rotate(p - middle, 6.3 * UnitHash(x, y, 2, 21));
  const double kind = UnitHash(x, y, 3, 21);
  if (kind < 0.6) {
    const double blade = BoxDistance(q, {0.045, 0.012}, 0.01);
    const Vec3 tuft =
        kind < 0.3 ? Vec3{0.10, 0.20, 0.07} : Vec3{0.52, 0.58, 0.25};
    Paint(tuft, Cover(blade, 0.008), &color);
  } else if (kind < 0.72) {
    const Vec3 petal = kPalette[HashOf(x, y, 4, 21) % 6];
    Paint(Mix(petal, kCream, 0.35), Cover(Length(q) - 0.032, 0.008), &color);
    Paint({0.85, 0.70, 0.25}, Cover(Length(q) - 0.012, 0.008), &color);
  }
  return color;
}

// A house seen from above: a roof of two slopes with tiles and a chimney.
void PaintHouse(Vec2 q, Vec3 roof, double size, Vec3* color) {
  const double wall = BoxDistance(q, {size, 0.75 * size}, 0.03);
  Paint(*color * 0.55, Cover(wall - 0.05, 0.08), color);
  const double slope = q.y > 0 ? 1.15 : 0.75;
  const double rows = 0.9 + 0.2 * Noise(Vec2{q.x * 25, q.y * 60}, 31);
  Paint(roof * (slope * rows), Cover(wall, 0.01), color);
  Paint(kCream, Cover(std::abs(q.y) - 0.012, 0.008) * Cover(wall, 0.01), color);
  const Vec2 chimney = q - Vec2{0.5 * size, 0.3 * size};
  Paint({0.25, 0.12, 0.10},
        Cover(BoxDistance(chimney, {0.05, 0.05}, 0.01), 0.01),
        color);
}

void PaintTree(Vec2 q, double size, uint32_t seed, Vec3* color) {
  const double angle = std::atan2(q.y, q.x);
  const double rim = size * (0.88 + 0.10 * std::sin(7 * angle + seed % 6));
  const double crown = Length(q) - rim;
  Paint(*color * 0.5, Cover(Length(q - Vec2{0.06, -0.06}) - rim, 0.08), color);
  const double leaf = Fractal(q * 16, 3, seed);
  Paint(Mix({0.05, 0.15, 0.06}, {0.30, 0.42, 0.14}, leaf),
        Cover(crown, 0.012),
        color);
}

void PaintTile(Vec2 q, double size, uint32_t pick, Vec3* color) {
  const Vec3 tint = kPalette[pick % 7];
  const double tile = BoxDistance(q, {size, size}, 0.08);
  Paint(kCream, Cover(tile, 0.012), color);
  Paint(tint, Cover(tile + 0.05, 0.012), color);
  const std::string_view sign = kSigns.substr(pick / 7 % kSigns.size(), 1);
  const double pen = TextDistance(sign, 1.15 * size, q) - 0.11 * size;
  Paint(kCream, Cover(pen, 0.012), color);
}

// One thing in every cell of a coarse grid, where the roads leave space.
void PaintThings(Vec2 p, Vec3* color) {
  constexpr double kCell = 0.95;
  const int x = static_cast<int>(std::floor(p.x / kCell));
  const int y = static_cast<int>(std::floor(p.y / kCell));
  const Vec2 middle{(x + 0.44 + 0.12 * UnitHash(x, y, 0, 41)) * kCell,
                    (y + 0.44 + 0.12 * UnitHash(x, y, 1, 41)) * kCell};
  const double size = std::min(0.36, RoadAt(middle).edge - 0.12);
  if (size < 0.14 || std::abs(middle.x) > kMatHalf.x - 0.5 ||
      std::abs(middle.y) > kMatHalf.y - 0.5) {
    return;
  }
  const uint32_t pick = HashOf(x, y, 2, 41);
  const Vec2 q = Rotate(p - middle, 6.283 * UnitHash(x, y, 3, 41));
  switch (pick % 5) {
    case 0:
    case 1:
      return PaintTile(q, 0.8 * size, pick / 5, color);
    case 2:
    case 3:
      return PaintHouse(q, kPalette[pick / 5 % 7], 0.9 * size, color);
    default:
      return PaintTree(q, 0.9 * size, pick, color);
  }
}

// Asphalt with grit, patches and cracks.
Vec3 AsphaltColor(Vec2 p) {
  const double patch = Fractal(p * 1.1, 3, 51);
  const double grit = Noise(p * 28, 52);
  Vec3 color = Vec3{0.115, 0.125, 0.15} * (0.65 + 0.7 * patch);
  color = color * (0.75 + 0.5 * grit);
  const double crack = std::abs(Fractal(p * 1.6, 4, 53) - 0.5);
  Paint(color * 0.4, Cover(crack - 0.004, 0.008) * 0.8, &color);
  const double speck = Noise(p * 17, 54);
  Paint({0.42, 0.42, 0.40}, SmoothStep(0.80, 0.86, speck), &color);
  return color;
}

void PaintRoad(Vec2 p, const Road& road, Vec3* color) {
  if (road.edge > 0.1) return;
  Paint(kCream * 0.8, Cover(road.edge - 0.07, 0.012), color);
  Paint(AsphaltColor(p), Cover(road.edge, 0.012), color);
  Paint(kCream, Cover(std::abs(road.edge + 0.1) - 0.018, 0.01), color);
  // Dashes that change with the place, so that no two stretches look alike.
  const double dash = std::sin(5.5 * p.x + 1.3 * std::sin(1.7 * p.y)) +
                      std::sin(4.3 * p.y + 0.7 * std::sin(2.1 * p.x));
  if (road.edge < -0.2) {
    Paint({0.78, 0.60, 0.16},
          Cover(road.middle - 0.028, 0.01) * SmoothStep(0.25, 0.35, dash),
          color);
  }
}

void PaintWords(Vec2 p, Vec3* color) {
  struct Word {
    std::string_view text;
    Vec2 at;
    double angle;
    double height;
    Vec3 paint;
  };
  static constexpr Word kWords[] = {
      {"START", {-4.35, 0.55}, -1.571, 0.32, kCream},
      {"SLOW", {4.25, -0.25}, 1.571, 0.36, {0.78, 0.60, 0.16}},
      {"PIT 7", {0.2, 0.72}, 0.0, 0.22, kCream},
      {"BUS 42", {-1.1, -1.12}, 0.02, 0.2, {0.78, 0.60, 0.16}},
      {"NORTH ST", {0.0, 4.2}, 0.0, 0.26, kCream},
      {"HARBOUR RD", {0.4, -4.2}, 3.1416, 0.26, kCream},
      {"EXIT 9", {5.2, 1.8}, 1.571, 0.24, kCream},
      {"TAXI", {-5.2, -1.7}, -1.571, 0.26, {0.78, 0.60, 0.16}},
      {"PLAYTOWN", {4.0, 5.1}, 0.0, 0.34, {0.62, 0.20, 0.13}},
      {"1 2 3 GO", {-4.0, -5.1}, 3.1416, 0.34, {0.13, 0.30, 0.48}},
      {"ZOO 85", {-2.9, 5.1}, 0.0, 0.30, {0.52, 0.30, 0.38}},
      {"MARKET", {3.6, -5.1}, 3.1416, 0.30, {0.38, 0.24, 0.15}}};
  for (const Word& word : kWords) {
    const double reach = (0.55 * word.text.size() + 0.6) * word.height;
    if (Length(p - word.at) > reach) continue;
    const Vec2 q = Rotate(p - word.at, -word.angle);
    const double pen = TextDistance(word.text, word.height, q);
    Paint(word.paint, Cover(pen - 0.085 * word.height, 0.01), color);
  }
}

// The chequered line and a zebra crossing.
void PaintMarks(Vec2 p, const Road& road, Vec3* color) {
  const Vec2 line = p - Vec2{3.45, 0};
  if (std::abs(line.x) < 0.2 && road.edge < -0.12) {
    const bool dark = (static_cast<int>(std::floor(line.x / 0.2)) +
                       static_cast<int>(std::floor(line.y / 0.2))) &
                      1;
    *color = (dark ? Vec3{0.03, 0.03, 0.04} : kCream) *
             (0.8 + 0.3 * Noise(p * 12, 61));
  }
  const Vec2 zebra = p - Vec2{-2.95, -0.35};
  if (std::abs(zebra.x) < 0.3 && road.edge < -0.12) {
    const double stripe = std::abs(std::fmod(zebra.y + 9, 0.3) - 0.15) - 0.08;
    Paint(kCream * (0.75 + 0.35 * Noise(p * 14, 62)),
          Cover(stripe, 0.012),
          color);
  }
}

void PaintPond(Vec2 p, Vec3* color) {
  if (Length(p - Vec2{0.9, -2.7}) > 1.2) return;
  const double pond = Length(p - Vec2{0.9, -2.7}) - 0.75 -
                      0.22 * std::sin(3 * std::atan2(p.y + 2.7, p.x - 0.9));
  Paint({0.62, 0.52, 0.33}, Cover(pond - 0.08, 0.02), color);
  const double ripple = Fractal(Vec2{p.x * 2.2, p.y * 6}, 4, 63);
  Paint(Mix({0.06, 0.20, 0.34}, {0.35, 0.56, 0.66}, ripple),
        Cover(pond, 0.015),
        color);
}

Vec3 WoodColor(Vec2 p) {
  const double grain =
      Fractal(Vec2{p.x * 0.7 + 3 * Noise(p * 0.35, 71), p.y * 9}, 4, 72);
  const double pores = Noise(Vec2{p.x * 5, p.y * 55}, 73);
  return Mix({0.22, 0.11, 0.05}, {0.52, 0.32, 0.16}, grain) *
         (0.82 + 0.3 * pores);
}

}  // namespace

Vec3 TableColor(Vec2 p) {
  const double mat = BoxDistance(p, kMatHalf, 0.35);
  if (mat > 0.03)
    return WoodColor(p) * (0.55 + 0.45 * SmoothStep(0, 0.15, mat));
  const Road road = RoadAt(p);
  Vec3 color;
  if (road.edge > -0.05) {
    color = GrassColor(p);
    PaintThings(p, &color);
    PaintPond(p, &color);
  }
  PaintRoad(p, road, &color);
  if (road.edge < 0) PaintMarks(p, road, &color);
  PaintWords(p, &color);
  Paint(kCream, Cover(std::abs(mat + 0.12) - 0.05, 0.012), &color);
  Paint({0.10, 0.16, 0.24}, Cover(-mat - 0.07, 0.012), &color);
  const double fibre = Noise(p * 42, 81) - 0.5;
  const double wear = Fractal(p * 2.3, 4, 82) - 0.5;
  return color * (1 + 0.26 * fibre + 0.35 * wear);
}

}  // namespace nerfpipe::demo
