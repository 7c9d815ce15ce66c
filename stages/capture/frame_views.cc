#include "stages/capture/frame_views.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <utility>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace nerfpipe {
namespace {

cv::Mat View(const Image& image) {
  return cv::Mat(image.height,
                 image.width,
                 CV_8UC(image.channels),
                 const_cast<uint8_t*>(image.pixels.data()));
}

Image FromMat(const cv::Mat& mat) {
  Image image(mat.cols, mat.rows, mat.channels());
  cv::Mat view = View(image);
  mat.copyTo(view);
  NERFPIPE_CHECK(view.data == image.pixels.data());
  return image;
}

Image Crop(const Image& image, int width, int height) {
  return FromMat(View(image)(cv::Rect(0, 0, width, height)));
}

Image HalfOf(const Image& picture,
             const FrameLayout& layout,
             Resampling resampling) {
  const bool left = layout.half == FrameLayout::Half::kLeft;
  const int width = left ? picture.width / 2 : picture.width;
  const int height = left ? picture.height : picture.height / 2;
  Image half = Crop(picture, width, height);
  if (!layout.squeezed) return half;
  return Resized(half, picture.width, picture.height, resampling);
}

// Columns first .. first + count - 1, going round.
cv::Mat ColumnsAround(const cv::Mat& picture, int first, int count) {
  cv::Mat strip(picture.rows, count, picture.type());
  for (int x = 0; x < count; ++x) {
    const int from = ((first + x) % picture.cols + picture.cols) % picture.cols;
    picture.col(from).copyTo(strip.col(x));
  }
  return strip;
}

std::vector<Image> ViewsOfPanorama(const Image& picture,
                                   Resampling resampling) {
  constexpr double kPi = std::numbers::pi;
  constexpr int kMargin = 4;  // more than the filter reaches
  const bool smooth = resampling == Resampling::kSmooth;
  const int side = std::max(2, picture.width / 8 * 2);
  // Each pixel is the mean of four: the middle of a view is coarser than the
  // panorama.
  const int fine = smooth ? 2 * side : side;
  const double focal = 0.5 * fine;
  const double per_radian = picture.width / (2 * kPi);
  const int first = picture.width * 3 / 8 - kMargin;
  const int count = picture.width / 4 + 2 * kMargin + 2;
  cv::Mat places(fine, fine, CV_32FC2);
  for (int y = 0; y < fine; ++y) {
    const double down = y + 0.5 - focal;
    auto* row = places.ptr<cv::Vec2f>(y);
    for (int x = 0; x < fine; ++x) {
      const double right = x + 0.5 - focal;
      const double longitude = std::atan2(right, focal);
      const double latitude = std::atan2(down, std::hypot(right, focal));
      // remap() counts from the centre of the first pixel.
      row[x] = {
          static_cast<float>(picture.width * 0.5 + per_radian * longitude -
                             0.5 - first),
          static_cast<float>(picture.height * (0.5 + latitude / kPi) - 0.5)};
    }
  }
  std::vector<Image> views;
  for (int k = 0; k < kViewsOfPanorama; ++k) {
    // A quarter of the width need not be whole.
    const int turn = k * picture.width / kViewsOfPanorama;
    const double rest =
        static_cast<double>(k) * picture.width / kViewsOfPanorama - turn;
    const cv::Mat strip = ColumnsAround(View(picture), first + turn, count);
    const cv::Mat shifted = places + cv::Scalar(rest, 0);
    cv::Mat view;
    cv::remap(strip,
              view,
              shifted,
              cv::noArray(),
              smooth ? cv::INTER_CUBIC : cv::INTER_NEAREST,
              cv::BORDER_REPLICATE);
    Image cut = FromMat(view);
    views.push_back(smooth ? Resized(cut, side, side, resampling)
                           : std::move(cut));
  }
  return views;
}

}  // namespace

std::string DirectionOf(int view) {
  return " at " + std::to_string(view * 360 / kViewsOfPanorama) + " degrees";
}

std::vector<Image> CutViews(const Image& picture,
                            const FrameLayout& layout,
                            Resampling resampling) {
  const bool halved = layout.half != FrameLayout::Half::kNone;
  Image half = halved ? HalfOf(picture, layout, resampling) : Image();
  const Image& whole = halved ? half : picture;
  if (layout.panorama) return ViewsOfPanorama(whole, resampling);
  std::vector<Image> views;
  views.push_back(halved ? std::move(half) : picture);
  return views;
}

Image Resized(const Image& image,
              int width,
              int height,
              Resampling resampling) {
  if (image.width == width && image.height == height) return image;
  const bool smaller = width <= image.width && height <= image.height;
  cv::Mat resized;
  cv::resize(View(image),
             resized,
             cv::Size(width, height),
             0,
             0,
             resampling == Resampling::kNearest ? cv::INTER_NEAREST_EXACT
             : smaller                          ? cv::INTER_AREA
                                                : cv::INTER_CUBIC);
  return FromMat(resized);
}

}  // namespace nerfpipe
