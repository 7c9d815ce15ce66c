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

cv::Mat View(const Image& gray) {
  return cv::Mat(
      gray.height, gray.width, CV_8U, const_cast<uint8_t*>(gray.pixels.data()));
}

cv::Mat Shrink(const cv::Mat& image, double factor) {
  if (factor >= 1) return image;
  cv::Mat small;
  cv::resize(image, small, cv::Size(), factor, factor, cv::INTER_AREA);
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

double MeanLight(const cv::Mat& gray) {
  int histogram[256] = {};
  for (int y = 0; y < gray.rows; ++y) {
    const uint8_t* row = gray.ptr<uint8_t>(y);
    for (int x = 0; x < gray.cols; ++x) ++histogram[row[x]];
  }
  double sum = 0;
  for (int value = 0; value < 256; ++value) {
    sum += histogram[value] * std::pow(value / 255.0, 2.2);
  }
  return sum / (static_cast<double>(gray.rows) * gray.cols);
}

}  // namespace

FrameMeasures MeasureFrame(const std::filesystem::path& path) {
  const ImageSize size = ReadImageSize(path);
  FrameMeasures measures = MeasureGray(ReadGrayPreview(path, kWorkingSide));
  measures.width = size.width;
  measures.height = size.height;
  return measures;
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
  const int height = std::max(
      1,
      static_cast<int>(std::lround(static_cast<double>(kThumbnailWidth) *
                                   image.height / image.width)));
  measures.thumbnail = Image(kThumbnailWidth, height, 1);
  cv::Mat thumbnail = View(measures.thumbnail);
  cv::resize(working, thumbnail, thumbnail.size(), 0, 0, cv::INTER_AREA);
  NERFPIPE_CHECK(thumbnail.data == measures.thumbnail.pixels.data());
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
