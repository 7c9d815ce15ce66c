#include "stages/common/area_average.h"

#include "pipeline/base/error.h"

#include <algorithm>

namespace nerfpipe {
namespace {

// The source samples under one result sample. With lengths in units of
// 1 / (new side) of a source sample, every weight is an integer and all weights
// of one result sample add up to the old side.
struct Cover {
  int first = 0;
  std::vector<int> weights;
};

std::vector<Cover> CoversOf(int old_side, int new_side) {
  std::vector<Cover> covers(new_side);
  for (int i = 0; i < new_side; ++i) {
    const int64_t begin = int64_t{i} * old_side;
    const int64_t end = begin + old_side;
    Cover& cover = covers[i];
    cover.first = static_cast<int>(begin / new_side);
    for (int64_t k = cover.first; k * new_side < end; ++k) {
      const int64_t overlap =
          std::min(end, (k + 1) * new_side) - std::max(begin, k * new_side);
      cover.weights.push_back(static_cast<int>(overlap));
    }
  }
  return covers;
}

// Adds weight * (weighted sums along one source row) to `sums`; RGBA colours
// go in times alpha.
void AddRow(const uint8_t* row,
            int channels,
            const std::vector<Cover>& columns,
            int64_t weight,
            int64_t* sums) {
  for (const Cover& cover : columns) {
    const uint8_t* source = row + static_cast<size_t>(cover.first) * channels;
    for (int c = 0; c < channels; ++c) {
      int64_t sum = 0;
      for (size_t k = 0; k < cover.weights.size(); ++k) {
        const uint8_t* pixel = source + k * channels;
        const int alpha = channels == 4 && c < 3 ? pixel[3] : 1;
        sum += int64_t{cover.weights[k]} * alpha * pixel[c];
      }
      *sums++ += weight * sum;
    }
  }
}

// sum / total, halves up; 0 of nothing.
uint8_t Share(int64_t sum, int64_t total) {
  return total == 0 ? 0 : static_cast<uint8_t>((2 * sum + total) / (2 * total));
}

}  // namespace

Image AreaAverage(const Image& image, int width, int height) {
  NERFPIPE_CHECK(width >= 1 && width <= image.width);
  NERFPIPE_CHECK(height >= 1 && height <= image.height);
  const std::vector<Cover> columns = CoversOf(image.width, width);
  const std::vector<Cover> rows = CoversOf(image.height, height);
  const int64_t area = int64_t{image.width} * image.height;

  Image result(width, height, image.channels);
  std::vector<int64_t> sums(static_cast<size_t>(width) * image.channels);
  for (int y = 0; y < height; ++y) {
    std::fill(sums.begin(), sums.end(), 0);
    const Cover& cover = rows[y];
    for (size_t k = 0; k < cover.weights.size(); ++k) {
      AddRow(image.At(0, cover.first + static_cast<int>(k)),
             image.channels,
             columns,
             cover.weights[k],
             sums.data());
    }
    uint8_t* out = result.At(0, y);
    for (size_t i = 0; i < sums.size(); ++i) {
      const bool of_alpha = image.channels == 4 && i % 4 != 3;
      out[i] = Share(sums[i], of_alpha ? sums[i / 4 * 4 + 3] : area);
    }
  }
  return result;
}

Image ReducedMask(const Image& mask, int width, int height) {
  NERFPIPE_CHECK(mask.channels == 1);
  NERFPIPE_CHECK(width >= 1 && width <= mask.width);
  NERFPIPE_CHECK(height >= 1 && height <= mask.height);
  const std::vector<Cover> columns = CoversOf(mask.width, width);
  const std::vector<Cover> rows = CoversOf(mask.height, height);
  Image result(width, height, 1);
  std::fill(result.pixels.begin(), result.pixels.end(), 255);
  for (int y = 0; y < height; ++y) {
    for (size_t k = 0; k < rows[y].weights.size(); ++k) {
      const uint8_t* row = mask.At(0, rows[y].first + static_cast<int>(k));
      for (int x = 0; x < width; ++x) {
        const uint8_t* first = row + columns[x].first;
        const uint8_t least =
            *std::min_element(first, first + columns[x].weights.size());
        *result.At(x, y) = std::min(*result.At(x, y), least);
      }
    }
  }
  return result;
}

int ReducedSide(int side, int factor) {
  return std::max(1, (2 * side + factor) / (2 * factor));
}

Image Reduced(const Image& image, int factor) {
  return factor == 1 ? image
                     : AreaAverage(image,
                                   ReducedSide(image.width, factor),
                                   ReducedSide(image.height, factor));
}

}  // namespace nerfpipe
