#include "stages/nerf/data/area_average.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::nerf {
namespace {

// Source pixels under one target pixel along one side.
struct Span {
  int first = 0;
  std::vector<float> weights;  // sum 1
};

std::vector<Span> SpansOf(int source, int target) {
  std::vector<Span> spans(target);
  const double step = static_cast<double>(source) / target;
  for (int i = 0; i < target; ++i) {
    const double begin = i * step;
    const double end = std::min<double>(source, (i + 1) * step);
    spans[i].first = static_cast<int>(begin);
    for (int k = spans[i].first; k < end; ++k) {
      const double covered =
          std::min<double>(k + 1, end) - std::max<double>(k, begin);
      spans[i].weights.push_back(static_cast<float>(covered / step));
    }
  }
  return spans;
}

// Adds one source row, averaged along x, with `weight` to `sums`. RGBA colours
// go in times alpha.
void AddRow(const Image& image,
            int y,
            const std::vector<Span>& columns,
            float weight,
            std::vector<float>* sums) {
  const int channels = image.channels;
  const bool alpha = channels == 4;
  for (size_t i = 0; i < columns.size(); ++i) {
    float* out = sums->data() + i * channels;
    const uint8_t* pixel = image.At(columns[i].first, y);
    for (const float along : columns[i].weights) {
      const float share = along * weight;
      const float colour = alpha ? share * pixel[3] / 255.0f : share;
      for (int c = 0; c < channels; ++c) {
        out[c] += (alpha && c == 3 ? share : colour) * pixel[c];
      }
      pixel += channels;
    }
  }
}

uint8_t ToByte(float value) {
  return static_cast<uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f));
}

}  // namespace

Image AreaAverage(const Image& image, int width, int height) {
  NERFPIPE_CHECK(width >= 1 && width <= image.width);
  NERFPIPE_CHECK(height >= 1 && height <= image.height);
  const std::vector<Span> columns = SpansOf(image.width, width);
  const std::vector<Span> rows = SpansOf(image.height, height);
  const int channels = image.channels;
  Image result(width, height, channels);
  std::vector<float> sums(static_cast<size_t>(width) * channels);
  for (int y = 0; y < height; ++y) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (size_t k = 0; k < rows[y].weights.size(); ++k) {
      AddRow(image,
             rows[y].first + static_cast<int>(k),
             columns,
             rows[y].weights[k],
             &sums);
    }
    for (int x = 0; x < width; ++x) {
      float* sum = sums.data() + static_cast<size_t>(x) * channels;
      const float scale =
          channels != 4 ? 1.0f : (sum[3] > 0 ? 255.0f / sum[3] : 0.0f);
      uint8_t* out = result.At(x, y);
      for (int c = 0; c < channels; ++c) {
        out[c] = ToByte(channels == 4 && c == 3 ? sum[c] : sum[c] * scale);
      }
    }
  }
  return result;
}

Image ShrinkBy(const Image& image, int factor) {
  const auto side = [factor](int length) {
    return std::max(1, (2 * length + factor) / (2 * factor));
  };
  return factor == 1
             ? image
             : AreaAverage(image, side(image.width), side(image.height));
}

}  // namespace nerfpipe::nerf
