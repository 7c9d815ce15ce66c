#include "data/demo/play_mat.h"
#include "data/demo/stroke_font.h"

#include <string_view>

namespace nerfpipe::demo {
namespace {

constexpr Vec3 kShades[8] = {{0.45, 0.16, 0.12},
                             {0.58, 0.40, 0.14},
                             {0.14, 0.26, 0.38},
                             {0.60, 0.54, 0.42},
                             {0.18, 0.32, 0.28},
                             {0.40, 0.25, 0.32},
                             {0.33, 0.22, 0.14},
                             {0.66, 0.60, 0.52}};
constexpr double kSoft = 0.05;  // edges in the room, as seen from afar

void Paint(Vec3 paint, double cover, Vec3* color) {
  *color = Mix(*color, paint, cover);
}

// Upright spines of books between two shelves, `height` apart.
Vec3 BooksColor(Vec2 p, double height, int shelf, uint32_t seed) {
  const double pitch = 0.42;
  const int book = static_cast<int>(std::floor(p.x / pitch));
  const double x = p.x - (book + 0.5) * pitch;
  const double top = height * (0.62 + 0.28 * UnitHash(book, shelf, 0, seed));
  Vec3 color = Vec3{0.06, 0.045, 0.035};
  const Vec3 cover = kShades[HashOf(book, shelf, 1, seed) % 8] *
                     (0.7 + 0.5 * UnitHash(book, shelf, 2, seed));
  const double round = 1 - 0.5 * std::pow(std::abs(x) / (0.5 * pitch), 3);
  Paint(cover * round,
        Cover(std::abs(x) - 0.19, kSoft) * Cover(p.y - top, kSoft),
        &color);
  const double band =
      std::abs(p.y - top * (0.2 + 0.6 * UnitHash(book, shelf, 3, seed))) - 0.09;
  Paint(kShades[HashOf(book, shelf, 4, seed) % 8],
        Cover(band, kSoft) * Cover(std::abs(x) - 0.17, kSoft),
        &color);
  return color;
}

// A bookcase whose lower left corner is the origin.
void PaintBookcase(Vec2 p, Vec2 size, uint32_t seed, Vec3* color) {
  const double frame = BoxDistance(p - size * 0.5, size * 0.5, 0.05);
  Paint(*color * 0.6, Cover(frame - 0.2, 0.5), color);
  const double pitch = 1.75;
  const int shelf = static_cast<int>(std::floor((p.y - 0.15) / pitch));
  const double y = p.y - 0.15 - shelf * pitch;
  Vec3 inside = BooksColor({p.x, y}, pitch, shelf, seed);
  const double wood = 0.8 + 0.4 * Fractal(Vec2{p.x * 0.6, p.y * 5}, 3, seed);
  Paint(Vec3{0.42, 0.27, 0.15} * wood,
        Cover(std::min(y - 0.05, 0.1), kSoft),
        &inside);
  Paint(inside, Cover(frame + 0.15, kSoft), color);
  Paint(Vec3{0.42, 0.27, 0.15} * wood,
        Cover(std::abs(frame + 0.08) - 0.1, kSoft),
        color);
}

// A framed picture: hills, a sun and a word, different for every seed.
void PaintPicture(Vec2 q, Vec2 half, uint32_t seed, Vec3* color) {
  const double frame = BoxDistance(q, half, 0.02);
  Paint(*color * 0.7, Cover(frame - 0.12, 0.3), color);
  Paint(kShades[seed % 8] * 0.6, Cover(frame, kSoft), color);
  Paint({0.72, 0.69, 0.62}, Cover(frame + 0.14, kSoft), color);
  Vec3 art = Mix({0.60, 0.50, 0.38}, {0.25, 0.42, 0.55}, Clamp01(q.y + 0.5));
  Paint({0.80, 0.50, 0.18},
        Cover(Length(q - Vec2{half.x * 0.35, half.y * 0.35}) - 0.32, kSoft),
        &art);
  for (int i = 0; i < 3; ++i) {
    const double hill = q.y + 0.25 * half.y * (i + 0.3) -
                        1.3 * (Noise(Vec2{q.x * (1 + i), 0.5 * i}, seed) - 0.5);
    Paint(kShades[(seed + 2 * i + 1) % 8] * 0.8, Cover(hill, kSoft), &art);
  }
  art = art * (0.75 + 0.5 * Fractal(q * 2.5, 3, seed));
  Paint(art, Cover(frame + 0.32, kSoft), color);
}

// Wallpaper above a panelled lower part.
Vec3 PaperColor(int wall, Vec2 p) {
  static constexpr Vec3 kPaper[4] = {{0.42, 0.46, 0.42},
                                     {0.50, 0.43, 0.34},
                                     {0.36, 0.43, 0.50},
                                     {0.49, 0.41, 0.39}};
  const double blotch = Fractal(p * 0.55, 4, 101 + wall);
  Vec3 color = kPaper[wall] * (0.72 + 0.55 * blotch);
  const int x = static_cast<int>(std::floor(p.x / 0.9));
  const int y = static_cast<int>(std::floor(p.y / 0.9));
  const Vec2 q = p - Vec2{(x + 0.3 + 0.4 * UnitHash(x, y, wall, 5)) * 0.9,
                          (y + 0.3 + 0.4 * UnitHash(x, y, wall, 6)) * 0.9};
  const double petals = 0.16 + 0.05 * std::sin(5 * std::atan2(q.y, q.x) +
                                               6.3 * UnitHash(x, y, wall, 7));
  Paint(kShades[HashOf(x, y, wall, 8) % 8],
        0.6 * Cover(Length(q) - petals, kSoft),
        &color);
  return color;
}

}  // namespace

Vec3 FloorColor(Vec2 p) {
  const double plank_width = 1.1;
  const int row = static_cast<int>(std::floor(p.y / plank_width));
  const double shift = 7 * UnitHash(row, 0, 0, 111);
  const int piece = static_cast<int>(std::floor((p.x + shift) / 5));
  const Vec2 q{p.x + 13 * piece, p.y + 7 * row};
  const double grain = Fractal(Vec2{q.x * 0.5, q.y * 4}, 4, 112);
  Vec3 color = Mix({0.20, 0.12, 0.07}, {0.44, 0.29, 0.17}, grain) *
               (0.75 + 0.5 * UnitHash(row, piece, 1, 111));
  const double seam =
      std::min(plank_width / 2 - std::abs(p.y - (row + 0.5) * plank_width),
               2.5 - std::abs(p.x + shift - (piece + 0.5) * 5));
  Paint(color * 0.35, Cover(seam - 0.025, kSoft), &color);
  // A round rug of woven rings under the table, and the table's shadow.
  const double radius = Length(p);
  const double rim = 11.5 + 0.15 * Noise(p * 1.5, 113);
  const double ring = radius + 0.35 * (Noise(p * 0.6, 114) - 0.5);
  const int band = static_cast<int>(std::floor(ring / 0.85));
  Vec3 rug = kShades[HashOf(band, 0, 0, 115) % 8] *
             (0.6 + 0.7 * Fractal(p * 2.2, 4, 116));
  const double motif =
      std::sin(ring * 7.4) *
      std::sin(std::atan2(p.y, p.x) * (9 + 2 * band) + 5 * Noise(p * 0.3, 117));
  Paint({0.62, 0.56, 0.44}, 0.7 * SmoothStep(0.55, 0.7, motif), &rug);
  Paint(rug, Cover(radius - rim, kSoft), &color);
  const double shadow = BoxDistance(p, kTableHalf + Vec2{0.6, 0.6}, 1);
  color = color * (0.42 + 0.58 * SmoothStep(-2.0, 2.2, shadow));
  const double wall = kRoomHalf - std::max(std::abs(p.x), std::abs(p.y));
  return color * (0.55 + 0.35 * SmoothStep(0, 5, wall));
}

Vec3 WallColor(int wall, Vec2 p) {
  Vec3 color = PaperColor(wall, p);
  const double panel = -1.9;  // top of the panelling
  if (p.y < panel + 0.2) {
    const double lath = 1.3 + 0.2 * wall;
    const int board = static_cast<int>(std::floor(p.x / lath));
    const double seam = 0.5 * lath - std::abs(p.x - (board + 0.5) * lath);
    const double tint = 0.85 + 0.3 * UnitHash(board, wall, 0, 121);
    Vec3 wood = Vec3{0.50, 0.44, 0.36} * tint *
                (0.75 + 0.5 * Fractal(Vec2{p.x * 4, p.y * 0.7}, 4, 122 + wall));
    Paint(wood * 0.5, Cover(seam - 0.04, kSoft), &wood);
    Paint(
        {0.55, 0.50, 0.42}, Cover(std::abs(p.y - panel) - 0.14, kSoft), &wood);
    Paint(wood, Cover(p.y - panel - 0.14, kSoft), &color);
  }
  Paint({0.55, 0.50, 0.42}, Cover(p.y - kFloorZ - 0.5, kSoft), &color);
  // Furniture: a bookcase on each wall at its own place, and pictures.
  static constexpr double kCase[4] = {-11, 2, -4, 6};
  static constexpr double kWidth[4] = {8, 6, 9, 7};
  for (int i = 0; i < 4; ++i) {
    const double x = -13.2 + 8.6 * i + 1.5 * UnitHash(i, wall, 0, 131);
    const double y = 1.3 + 0.8 * UnitHash(i, wall, 1, 131);
    const Vec2 half{1.3 + 0.8 * UnitHash(i, wall, 2, 131),
                    1.1 + 0.5 * UnitHash(i, wall, 3, 131)};
    PaintPicture(p - Vec2{x, y}, half, 11 * wall + 3 * i + 1, &color);
  }
  PaintBookcase(
      p - Vec2{kCase[wall], kFloorZ}, {kWidth[wall], 5.6}, 141 + wall, &color);
  const double corner = kRoomHalf - std::abs(p.x);
  const double low = p.y - kFloorZ;
  return color * ((0.62 + 0.25 * SmoothStep(0, 5, corner)) *
                  (0.75 + 0.25 * SmoothStep(0, 3, low)));
}

}  // namespace nerfpipe::demo
