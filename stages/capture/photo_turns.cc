#include "stages/capture/photo_turns.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <utility>

namespace nerfpipe {

std::vector<int> TurnsToOneShape(const std::vector<PhotoShape>& shapes) {
  std::map<std::pair<int, int>, std::array<int, 2>> counts;
  const auto sides = [](const PhotoShape& shape) {
    return std::minmax(shape.width, shape.height);
  };
  for (const PhotoShape& shape : shapes) {
    const auto [shorter, longer] = sides(shape);
    if (shorter < longer) ++counts[{shorter, longer}][shape.IsPortrait()];
  }
  std::vector<int> turns(shapes.size(), 1);
  for (size_t i = 0; i < shapes.size(); ++i) {
    const auto [shorter, longer] = sides(shapes[i]);
    if (shorter >= longer) continue;
    const auto [landscapes, portraits] = counts[{shorter, longer}];
    if (shapes[i].IsPortrait() == (portraits > landscapes)) continue;
    // Back to how it was stored, if EXIF turned it; else either way will do.
    switch (shapes[i].orientation) {
      case 5:
      case 7:
        turns[i] = shapes[i].orientation;
        break;
      case 8:
        turns[i] = 6;
        break;
      default:
        turns[i] = 8;
    }
  }
  return turns;
}

}  // namespace nerfpipe
