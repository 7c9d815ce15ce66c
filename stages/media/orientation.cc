#include "stages/media/orientation.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

namespace nerfpipe {
namespace {

// x' = a x + c y, y' = b x + d y takes the stored pixel to the upright one.
struct Turn {
  int a, b, c, d;
};
constexpr Turn kTurns[8] = {
    {1, 0, 0, 1},
    {-1, 0, 0, 1},
    {-1, 0, 0, -1},
    {1, 0, 0, -1},
    {0, 1, 1, 0},
    {0, 1, -1, 0},
    {0, -1, -1, 0},
    {0, -1, 1, 0},
};

template <int kChannels>
void Copy(const Image& from, const Turn& turn, Image* to) {
  // The upright position of the stored pixel (0, 0), and steps from it.
  const int64_t x0 = turn.a + turn.c < 0 ? to->width - 1 : 0;
  const int64_t y0 = turn.b + turn.d < 0 ? to->height - 1 : 0;
  const int64_t step_x = (turn.a + turn.b * int64_t{to->width}) * kChannels;
  const int64_t step_y = (turn.c + turn.d * int64_t{to->width}) * kChannels;
  const int64_t start = (y0 * to->width + x0) * kChannels;
  const uint8_t* source = from.pixels.data();
  // Tiles keep the rows that a column crosses in the cache.
  constexpr int kTile = 64;
  for (int top = 0; top < from.height; top += kTile) {
    for (int left = 0; left < from.width; left += kTile) {
      const int bottom = std::min(top + kTile, from.height);
      const int right = std::min(left + kTile, from.width);
      for (int y = top; y < bottom; ++y) {
        const uint8_t* in =
            source + (int64_t{y} * from.width + left) * kChannels;
        uint8_t* out = to->pixels.data() + start + y * step_y + left * step_x;
        for (int x = left; x < right; ++x) {
          std::memcpy(out, in, kChannels);
          in += kChannels;
          out += step_x;
        }
      }
    }
  }
}

}  // namespace

Image ApplyOrientation(Image image, int orientation) {
  NERFPIPE_CHECK(orientation >= 1 && orientation <= 8);
  if (orientation == 1) return image;
  const Turn& turn = kTurns[orientation - 1];
  const bool swap = turn.a == 0;
  Image upright(swap ? image.height : image.width,
                swap ? image.width : image.height,
                image.channels);
  switch (image.channels) {
    case 1:
      Copy<1>(image, turn, &upright);
      break;
    case 3:
      Copy<3>(image, turn, &upright);
      break;
    case 4:
      Copy<4>(image, turn, &upright);
      break;
    default:
      NERFPIPE_CHECK(!"gray, RGB or RGBA");
  }
  return upright;
}

int OrientationOfMatrix(double a, double b, double c, double d) {
  int best = 1;
  double best_score = -1e300;
  for (int i = 0; i < 8; ++i) {
    const Turn& turn = kTurns[i];
    const double score = turn.a * a + turn.b * b + turn.c * c + turn.d * d;
    if (score > best_score) {
      best_score = score;
      best = i + 1;
    }
  }
  return best;
}

}  // namespace nerfpipe
