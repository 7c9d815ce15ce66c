#include "stages/capture/frame_measures.h"

#include "pipeline/base/error.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <cmath>

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

double VarianceOfLaplacian(const cv::Mat& gray) {
  cv::Mat laplacian;
  cv::Laplacian(gray, laplacian, CV_16S);
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(laplacian, mean, deviation);
  return deviation[0] * deviation[0];
}

// Of channel `c`.
double MeanLight(const cv::Mat& image, int c = 0) {
  int histogram[256] = {};
  const int channels = image.channels();
  for (int y = 0; y < image.rows; ++y) {
    const uint8_t* row = image.ptr<uint8_t>(y);
    for (int x = 0; x < image.cols; ++x) ++histogram[row[channels * x + c]];
  }
  double sum = 0;
  for (int value = 0; value < 256; ++value) {
    sum += histogram[value] * std::pow(value / 255.0, 2.2);
  }
  return sum / (static_cast<double>(image.rows) * image.cols);
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

}  // namespace

FrameLook LookAtFrame(const std::filesystem::path& path) {
  constexpr double kDark = 1e-4;
  const ImageSize size = ReadImageSize(path);
  const Image colour = ReadPreview(path, kWorkingSide);
  Image gray(colour.width, colour.height, 1);
  cv::Mat view = View(gray);
  cv::cvtColor(View(colour), view, cv::COLOR_RGB2GRAY);
  NERFPIPE_CHECK(view.data == gray.pixels.data());
  FrameLook look;
  look.measures = MeasureGray(gray);
  look.measures.width = size.width;
  look.measures.height = size.height;
  look.points = FindViewPoints(gray);
  look.thumbnail = Thumbnail(colour);
  const cv::Mat small = View(look.thumbnail);
  const double green = MeanLight(small, 1) + kDark;
  look.red = std::log2((MeanLight(small, 0) + kDark) / green);
  look.blue = std::log2((MeanLight(small, 2) + kDark) / green);
  return look;
}

FrameMeasures MeasureGray(const Image& image) {
  const cv::Mat gray = View(image);
  const cv::Mat working = Shrink(
      gray, static_cast<double>(kWorkingSide) / std::max(gray.cols, gray.rows));
  FrameMeasures measures;
  measures.width = image.width;
  measures.height = image.height;
  measures.sharpness = VarianceOfLaplacian(working);
  measures.luma = cv::mean(working)[0] / 255;
  measures.light = MeanLight(working);
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
