#include "data/demo/stroke_font.h"

#include <string>

namespace nerfpipe::demo {
namespace {

// Strokes on a grid 4 wide and 6 high: pairs of digits are points of a
// polyline, a blank starts the next one.
constexpr std::string_view kLetters[26] = {"002640 1232",
                                           "00063645443303 3342413000",
                                           "4536160501103041",
                                           "00062644422000",
                                           "40000646 0333",
                                           "000646 0333",
                                           "45361605011030414323",
                                           "0006 4046 0343",
                                           "2026",
                                           "4641301001",
                                           "0006 460340",
                                           "060040",
                                           "0006234640",
                                           "00064046",
                                           "103041453616050110",
                                           "00063645443303",
                                           "103041453616050110 2240",
                                           "00063645443303 2340",
                                           "453616050413334241301001",
                                           "0646 2026",
                                           "060110304146",
                                           "062046",
                                           "0610233046",
                                           "0046 0640",
                                           "062346 2320",
                                           "06460040"};
constexpr std::string_view kDigits[10] = {"103041453616050110",
                                          "152620 1030",
                                          "05163645440040",
                                          "051636454433 13334241301001",
                                          "30360242",
                                          "460604344341301001",
                                          "45361605011030414233 3303",
                                          "064610",
                                          "130405163645443313020110304142 3342",
                                          "0110304145361605041343"};
// From one character to the next, in grid steps.
constexpr double kAdvance = 5.8;

std::string_view Strokes(char c) {
  if (c >= 'A' && c <= 'Z') return kLetters[c - 'A'];
  if (c >= '0' && c <= '9') return kDigits[c - '0'];
  return {};
}

double GlyphDistance(std::string_view strokes, Vec2 p) {
  double best = 1e9;
  bool pen_down = false;
  Vec2 last;
  for (size_t i = 0; i < strokes.size(); ++i) {
    if (strokes[i] == ' ') {
      pen_down = false;
      continue;
    }
    const Vec2 point{static_cast<double>(strokes[i] - '0'),
                     static_cast<double>(strokes[i + 1] - '0')};
    if (pen_down) best = std::min(best, SegmentDistance(p, last, point));
    last = point;
    pen_down = true;
    ++i;
  }
  return best;
}

}  // namespace

double TextDistance(std::string_view text, double height, Vec2 p) {
  const double scale = height / 6;
  const double width = text.size() * kAdvance;
  const Vec2 q{p.x / scale + width / 2, p.y / scale + 3};
  // Only the character whose cell holds the point is looked at: strokes stay
  // well inside their cell.
  const double cell = std::floor(q.x / kAdvance);
  if (cell < 0 || cell >= static_cast<double>(text.size())) return 1e9;
  const Vec2 local{q.x - cell * kAdvance - (kAdvance - 4) / 2, q.y};
  return scale * GlyphDistance(Strokes(text[static_cast<size_t>(cell)]), local);
}

}  // namespace nerfpipe::demo
