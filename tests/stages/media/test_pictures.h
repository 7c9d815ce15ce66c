#pragma once

// Pictures and figures that the tests of media and capture share.

#include "stages/common/image.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace nerfpipe {

// A smooth pattern without symmetries, moved by (dx, dy) pixels.
inline Image TestPicture(int width, int height, double dx = 0, double dy = 0) {
  Image image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double u = x + dx;
      const double v = y + dy;
      const double waves[3] = {
          std::sin(u / 7) * std::cos(v / 11) + 0.4 * std::sin(u * v / 900),
          std::sin(u / 5 + v / 13) + 0.4 * std::cos(u / 3),
          std::cos(u / 17 - v / 6) + 0.4 * std::sin(v / 4)};
      for (int c = 0; c < 3; ++c) {
        image.At(x, y)[c] = static_cast<uint8_t>(128 + 70 * waves[c]);
      }
    }
  }
  return image;
}

// Decibels; infinite for equal pictures, 0 when the sizes differ.
inline double Psnr(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height || a.channels != b.channels) {
    return 0;
  }
  double sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) {
    const double difference = double{1} * a.pixels[i] - b.pixels[i];
    sum += difference * difference;
  }
  if (sum == 0) return std::numeric_limits<double>::infinity();
  return 10 *
         std::log10(255.0 * 255.0 * static_cast<double>(a.pixels.size()) / sum);
}

// An empty folder that goes away with the object. Its name has a space and
// Chinese characters, as users' folders do.
class TestFolder {
 public:
  TestFolder() {
    const ::testing::TestInfo* test =
        ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::temp_directory_path() /
            (std::string("nerfpipe 测试 ") + test->test_suite_name() + "." +
             test->name());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The folder of real data, or empty when the environment does not name one.
inline std::filesystem::path RealData() {
  const char* folder = std::getenv("NERFPIPE_TEST_DATA");
  return folder ? folder : "";
}

}  // namespace nerfpipe

#define NERFPIPE_NEEDS_REAL_DATA()                                     \
  if (::nerfpipe::RealData().empty()) {                                \
    GTEST_SKIP() << "NERFPIPE_TEST_DATA names no folder of real data"; \
  }
