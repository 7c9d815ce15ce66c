#include "stages/capture/frame_layout.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <numeric>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace nerfpipe {
namespace {

using Half = FrameLayout::Half;

cv::Mat View(const Image& gray) {
  NERFPIPE_CHECK(gray.channels == 1);
  return cv::Mat(
      gray.height, gray.width, CV_8U, const_cast<uint8_t*>(gray.pixels.data()));
}

// --- two views ---

// Of the corners of one view, the shares that the other shows nearly at the
// same place, and there at the height of most; 0 where there are too few to go
// by.
struct SharedCorners {
  double alike = 0;
  double level = 0;
};

SharedCorners CompareHalves(const cv::Mat& one, const cv::Mat& other) {
  constexpr int kMostCorners = 80;
  constexpr size_t kFewest = 15;
  constexpr int kReach = 10;         // of a patch round its corner
  constexpr double kAcross = 0.08;   // disparity, as a share of the width
  constexpr double kUpright = 0.03;  // cameras that are not quite level
  constexpr double kAlike = 0.7;
  constexpr int kSameHeight = 2;
  const int across = static_cast<int>(std::ceil(kAcross * one.cols));
  const int upright = static_cast<int>(std::ceil(kUpright * one.rows));
  std::vector<cv::Point> corners;
  cv::goodFeaturesToTrack(one, corners, kMostCorners, 0.02, 10);
  const cv::Rect whole(0, 0, one.cols, one.rows);
  size_t seen = 0;
  std::vector<int> heights;
  for (const cv::Point& corner : corners) {
    const cv::Rect patch(
        corner.x - kReach, corner.y - kReach, 2 * kReach + 1, 2 * kReach + 1);
    if ((patch & whole) != patch) continue;
    const cv::Rect place = cv::Rect(patch.x - across,
                                    patch.y - upright,
                                    patch.width + 2 * across,
                                    patch.height + 2 * upright) &
                           whole;
    cv::Mat likeness;
    cv::matchTemplate(other(place), one(patch), likeness, cv::TM_CCOEFF_NORMED);
    double best = 0;
    cv::Point at;
    cv::minMaxLoc(likeness, nullptr, &best, nullptr, &at);
    ++seen;
    if (best >= kAlike) heights.push_back(place.y + at.y - patch.y);
  }
  if (seen < kFewest || heights.empty()) return {};
  const auto middle =
      heights.begin() + static_cast<std::ptrdiff_t>(heights.size() / 2);
  std::nth_element(heights.begin(), middle, heights.end());
  const int usual = *middle;
  const auto level =
      std::count_if(heights.begin(), heights.end(), [&](int height) {
        return std::abs(height - usual) <= kSameHeight;
      });
  const auto all = static_cast<double>(seen);
  return {static_cast<double>(heights.size()) / all,
          static_cast<double>(level) / all};
}

double MeanDifference(const cv::Mat& a, const cv::Mat& b) {
  return cv::norm(a, b, cv::NORM_L1) / static_cast<double>(a.total());
}

// Does the picture break off in its middle column, as where two views meet?
// What repeats itself in one picture goes on there.
bool HasSeam(const cv::Mat& picture) {
  if (picture.cols < 16) return false;
  std::vector<double> steps;
  for (int x = 1; x < picture.cols; ++x) {
    steps.push_back(MeanDifference(picture.col(x), picture.col(x - 1)));
  }
  // An odd size moves it by a pixel.
  const auto middle =
      steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  const double seam = *std::max_element(middle - 1, middle + 2);
  std::nth_element(steps.begin(), middle, steps.end());
  return seam > 2 * *middle + 1;
}

// Of the halves.
SharedCorners CornersOf(const Image& gray, Half half) {
  if (gray.width < 64 || gray.height < 64) return {};
  const cv::Mat picture = View(gray);
  if (half == Half::kLeft) {
    const int middle = gray.width / 2;
    return CompareHalves(picture.colRange(0, middle),
                         picture.colRange(gray.width - middle, gray.width));
  }
  const int middle = gray.height / 2;
  return CompareHalves(picture.rowRange(0, middle),
                       picture.rowRange(gray.height - middle, gray.height));
}

bool LooksLikeTwoViews(const Image& gray, Half half) {
  // Plain captures come to 0.5 and 0.15, blurred ones most of all.
  constexpr double kAlike = 0.55;
  constexpr double kLevel = 0.25;
  cv::Mat across;
  if (half == Half::kUpper) cv::transpose(View(gray), across);
  if (!HasSeam(half == Half::kUpper ? across : View(gray))) return false;
  const SharedCorners corners = CornersOf(gray, half);
  return corners.alike >= kAlike && corners.level >= kLevel;
}

// A usual shape tells that both views had to fit into it.
bool IsSqueezed(const ImageSize& size) {
  const double aspect = static_cast<double>(size.width) / size.height;
  return std::abs(aspect / (16.0 / 9) - 1) < 0.02;
}

// --- panoramas ---

bool HasShapeOfPanorama(const ImageSize& size) {
  return std::abs(0.5 * size.width / size.height - 1) < 0.01;
}

// What is finer than a sixteenth of the line.
cv::Mat Detail(const cv::Mat& line) {
  cv::Mat values;
  line.convertTo(values, CV_32F);
  cv::Mat smooth;
  cv::blur(values, smooth, cv::Size(1, std::max(3, values.rows / 16)));
  return values - smooth;
}

bool LooksLikePanorama(const Image& gray) {
  // Rows at the poles see one direction.
  constexpr double kSteady = 8;
  constexpr double kTexture = 2;
  constexpr double kAlike = 0.8;
  if (gray.width < 64 || gray.height < 32) return false;
  const cv::Mat picture = View(gray);
  for (const int pole : {0, picture.rows - 1}) {
    cv::Scalar mean;
    cv::Scalar deviation;
    cv::meanStdDev(picture.row(pole), mean, deviation);
    if (deviation[0] > kSteady) return false;
  }
  const cv::Mat left = Detail(picture.col(0));
  const cv::Mat right = Detail(picture.col(picture.cols - 1));
  const double left_size = cv::norm(left);
  const double right_size = cv::norm(right);
  // Nothing joins borders of one colour, or of one gradient.
  const double least = kTexture * std::sqrt(picture.rows);
  return left_size > least && right_size > least &&
         left.dot(right) > kAlike * left_size * right_size;
}

// --- both ---

bool MostAre(const std::vector<Image>& samples,
             const std::function<bool(const Image&)>& is) {
  constexpr int64_t kFewest = 3;
  constexpr double kMost = 0.75;
  const auto count = std::count_if(samples.begin(), samples.end(), is);
  return count >= kFewest && static_cast<double>(count) >=
                                 kMost * static_cast<double>(samples.size());
}

Half FindHalf(const std::vector<Image>& samples) {
  for (const Half half : {Half::kLeft, Half::kUpper}) {
    if (MostAre(samples, [&](const Image& gray) {
          return LooksLikeTwoViews(gray, half);
        })) {
      return half;
    }
  }
  return Half::kNone;
}

// That which looks more like it.
Half LikelierHalf(const std::vector<Image>& samples) {
  const auto look = [&](Half half) {
    return std::accumulate(samples.begin(),
                           samples.end(),
                           0.0,
                           [&](double sum, const Image& gray) {
                             return sum + CornersOf(gray, half).level;
                           });
  };
  return look(Half::kUpper) > look(Half::kLeft) ? Half::kUpper : Half::kLeft;
}

Image HalfOf(const Image& gray, Half half) {
  Image part(half == Half::kLeft ? gray.width / 2 : gray.width,
             half == Half::kUpper ? gray.height / 2 : gray.height,
             1);
  for (int y = 0; y < part.height; ++y) {
    std::copy_n(gray.At(0, y), part.width, part.At(0, y));
  }
  return part;
}

}  // namespace

FrameLayout FindLayout(const std::vector<Image>& samples,
                       const ImageSize& size,
                       const std::string& wanted) {
  FrameLayout layout;
  if (wanted == "plain") return layout;
  if (wanted == "equirectangular") {
    if (!HasShapeOfPanorama(size)) {
      throw UserError(
          "extract.layout is equirectangular, but the pictures of " +
              std::to_string(size.width) + "x" + std::to_string(size.height) +
              " are not twice as wide as high",
          "use --set extract.layout=plain");
    }
    layout.panorama = true;
    return layout;
  }
  layout.half = wanted == "stereo" ? LikelierHalf(samples) : FindHalf(samples);
  ImageSize shown = size;
  std::vector<Image> halves;
  if (layout.half != Half::kNone) {
    layout.squeezed = IsSqueezed(size);
    (layout.half == Half::kLeft ? shown.width : shown.height) /=
        layout.squeezed ? 1 : 2;
    for (const Image& gray : samples) {
      halves.push_back(HalfOf(gray, layout.half));
    }
  }
  layout.panorama =
      HasShapeOfPanorama(shown) &&
      MostAre(halves.empty() ? samples : halves, LooksLikePanorama);
  return layout;
}

std::string WordsFor(const FrameLayout& layout) {
  std::string words;
  if (layout.half == Half::kLeft) {
    words = "two views side by side (stereo): the left one is used";
  } else if (layout.half == Half::kUpper) {
    words = "two views one above the other (stereo): the upper one is used";
  }
  if (layout.squeezed) words += ", stretched to its shape";
  if (layout.panorama) {
    words += words.empty() ? "" : "; it is ";
    words +=
        "a 360-degree panorama: four views of 90 degrees are cut out of each";
  }
  if (!words.empty()) {
    words += " (--set extract.layout=plain takes the pictures as they are)";
  }
  return words;
}

}  // namespace nerfpipe
