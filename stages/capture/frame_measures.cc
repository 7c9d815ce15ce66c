#include "stages/capture/frame_measures.h"

#include "pipeline/base/error.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>

namespace nerfpipe {
namespace {

constexpr int kWorkingSide = 960;
constexpr int kThumbnailWidth = 160;

cv::Mat View(const Image& image) {
  return cv::Mat(image.height,
                 image.width,
                 CV_8UC(image.channels),
                 const_cast<uint8_t*>(image.pixels.data()));
}

cv::Mat Shrink(const cv::Mat& image, double factor) {
  if (factor >= 1) return image;
  cv::Mat small;
  const auto side = [&](int length) {
    return std::max(1, static_cast<int>(std::lround(factor * length)));
  };
  cv::resize(image,
             small,
             cv::Size(side(image.cols), side(image.rows)),
             0,
             0,
             cv::INTER_AREA);
  return small;
}

double VarianceOfLaplacian(const cv::Mat& gray, const cv::Mat& mask) {
  cv::Mat laplacian;
  cv::Laplacian(gray, laplacian, CV_16S);
  cv::Mat inside;  // the edge of a mask is none of the picture
  if (!mask.empty()) cv::erode(mask, inside, cv::Mat());
  if (!inside.empty() && cv::countNonZero(inside) == 0) inside = cv::Mat();
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(laplacian, mean, deviation, inside);
  return deviation[0] * deviation[0];
}

// How many pixels have each value; of those that `mask` (or none) marks.
using Histogram = std::array<int64_t, 256>;

Histogram HistogramOf(const cv::Mat& gray, const cv::Mat& mask) {
  Histogram histogram = {};
  for (int y = 0; y < gray.rows; ++y) {
    const uint8_t* row = gray.ptr<uint8_t>(y);
    const uint8_t* wanted = mask.empty() ? nullptr : mask.ptr<uint8_t>(y);
    for (int x = 0; x < gray.cols; ++x) {
      if (wanted == nullptr || wanted[x] != 0) ++histogram[row[x]];
    }
  }
  return histogram;
}

// Of the values from `first` to `last`.
int64_t Count(const Histogram& histogram, int first, int last) {
  return std::accumulate(
      histogram.begin() + first, histogram.begin() + last + 1, int64_t{0});
}

constexpr int kBlack = 2;    // as good as black, and all below
constexpr int kWhite = 253;  // as good as white, and all above

// The value that `share` of the pixels of the values from `first` to `last` do
// not exceed, 0 to 1; `none` where there are none.
double Quantile(const Histogram& histogram,
                int first,
                int last,
                double share,
                double none) {
  const auto wanted =
      share * static_cast<double>(Count(histogram, first, last));
  if (wanted == 0) return none;
  int64_t below = 0;
  int value = first;
  for (; value < last; ++value) {
    below += histogram[static_cast<size_t>(value)];
    if (static_cast<double>(below) >= wanted) break;
  }
  return value / 255.0;
}

// Without a mask: of the outermost pixels.
Histogram HistogramOfEdge(const cv::Mat& gray) {
  cv::Mat edge(gray.size(), CV_8U, cv::Scalar(255));
  if (gray.cols > 2 && gray.rows > 2) {
    edge(cv::Rect(1, 1, gray.cols - 2, gray.rows - 2)).setTo(0);
  }
  return HistogramOf(gray, edge);
}

Tones TonesOf(const cv::Mat& gray, const cv::Mat& mask) {
  constexpr double kGround = 0.8;  // of the edge
  constexpr double kNearlyAll = 0.9;
  const Histogram whole = HistogramOf(gray, mask);
  Histogram histogram = whole;
  if (mask.empty()) {
    const Histogram edge = HistogramOfEdge(gray);
    const auto around = kGround * static_cast<double>(Count(edge, 0, 255));
    if (static_cast<double>(Count(edge, 0, kBlack)) >= around) {
      std::fill_n(histogram.begin(), kBlack + 1, 0);
    }
    if (static_cast<double>(Count(edge, kWhite, 255)) >= around) {
      std::fill(histogram.begin() + kWhite, histogram.end(), 0);
    }
  }
  if (Count(histogram, 0, 255) == 0) histogram = whole;
  const auto all = static_cast<double>(Count(histogram, 0, 255));
  Tones tones;
  tones.bright = Quantile(histogram, kBlack + 1, 255, kNearlyAll, 0);
  tones.dark = Quantile(histogram, 0, kWhite - 1, 1 - kNearlyAll, 1);
  tones.black = static_cast<double>(Count(histogram, 0, kBlack)) / all;
  tones.white = static_cast<double>(Count(histogram, kWhite, 255)) / all;
  return tones;
}

Image Thumbnail(const Image& image) {
  constexpr double kHighest = 4;  // against the width
  const int height = static_cast<int>(
      std::lround(kThumbnailWidth *
                  std::clamp(static_cast<double>(image.height) / image.width,
                             1.0 / kThumbnailWidth,
                             kHighest)));
  Image thumbnail(kThumbnailWidth, height, image.channels);
  cv::Mat view = View(thumbnail);
  cv::resize(View(image), view, view.size(), 0, 0, cv::INTER_AREA);
  NERFPIPE_CHECK(view.data == thumbnail.pixels.data());
  return thumbnail;
}

// Brought to the size of the picture that it belongs to; 0 or 255.
Image ReadMask(const std::filesystem::path& path, int width, int height) {
  const Image colour = ReadPreview(path, kWorkingSide);
  cv::Mat gray;
  cv::cvtColor(View(colour), gray, cv::COLOR_RGB2GRAY);
  Image mask(width, height, 1);
  cv::Mat view = View(mask);
  cv::resize(gray, view, view.size(), 0, 0, cv::INTER_NEAREST);
  cv::threshold(view, view, 127, 255, cv::THRESH_BINARY);
  NERFPIPE_CHECK(view.data == mask.pixels.data());
  return mask;
}

}  // namespace

FrameLook LookAtFrame(const std::filesystem::path& path,
                      const std::filesystem::path& mask) {
  const ImageSize size = ReadImageSize(path);
  const Image colour = ReadPreview(path, kWorkingSide);
  Image gray(colour.width, colour.height, 1);
  cv::Mat view = View(gray);
  cv::cvtColor(View(colour), view, cv::COLOR_RGB2GRAY);
  NERFPIPE_CHECK(view.data == gray.pixels.data());
  const Image wanted =
      mask.empty() ? Image() : ReadMask(mask, colour.width, colour.height);
  FrameLook look;
  look.measures = MeasureGray(gray, wanted);
  look.measures.width = size.width;
  look.measures.height = size.height;
  look.points = FindViewPoints(colour, wanted);
  look.thumbnail = Thumbnail(colour);
  return look;
}

FrameMeasures MeasureGray(const Image& image, const Image& mask) {
  const cv::Mat gray = View(image);
  const double factor =
      static_cast<double>(kWorkingSide) / std::max(gray.cols, gray.rows);
  const cv::Mat working = Shrink(gray, factor);
  cv::Mat wanted;
  if (!mask.pixels.empty()) wanted = Shrink(View(mask), factor) == 255;
  if (!wanted.empty() && cv::countNonZero(wanted) == 0) wanted = cv::Mat();
  FrameMeasures measures;
  measures.width = image.width;
  measures.height = image.height;
  measures.sharpness = VarianceOfLaplacian(working, wanted);
  measures.luma = cv::mean(working, wanted)[0] / 255;
  measures.tones = TonesOf(working, wanted);
  measures.thumbnail = Thumbnail(image);
  return measures;
}

double MotionBetween(const Image& from, const Image& to) {
  if (from.width != to.width || from.height != to.height) return 1;
  cv::Mat flow;
  cv::calcOpticalFlowFarneback(
      View(from), View(to), flow, 0.5, 4, 15, 2, 5, 1.1, 0);
  const double sum = flow.dot(flow);
  return std::sqrt(sum / (static_cast<double>(flow.rows) * flow.cols)) /
         from.width;
}

}  // namespace nerfpipe
