#include "stages/capture/view_pairs.h"

#include "pipeline/base/median.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <opencv2/calib3d.hpp>
#include <opencv2/core.hpp>
#include <opencv2/features2d.hpp>
#include <opencv2/imgproc.hpp>

namespace nerfpipe {
namespace {

constexpr int kSearchedSide = 640;
constexpr int kMostPoints = 1000;
constexpr int kDescriptorBytes = 32;
constexpr double kTolerance = 1.5;  // pixels of the searched image
constexpr int kFewestForGeometry = 12;
constexpr int kPatch = 31;  // of a descriptor, at the finest level

cv::Mat Descriptors(const ViewPoints& view, int most) {
  return cv::Mat(std::min(most, static_cast<int>(view.places.size())),
                 kDescriptorBytes,
                 CV_8U,
                 const_cast<uint8_t*>(view.descriptors.data()));
}

// Nearest each other, and clearly nearer than the second; of the strongest
// `most` points of both.
std::vector<cv::DMatch> Matches(const ViewPoints& a,
                                const ViewPoints& b,
                                int most) {
  constexpr double kRatio = 0.85;
  constexpr int kFarthest = 70;  // of 256 bits
  const cv::Mat from = Descriptors(a, most);
  const cv::Mat to = Descriptors(b, most);
  if (from.rows < 2 || to.rows < 2) return {};
  cv::Mat distances;
  cv::batchDistance(
      from, to, distances, CV_32S, cv::noArray(), cv::NORM_HAMMING);
  std::vector<int> back(static_cast<size_t>(to.rows), 0);  // nearest in a
  for (int i = 1; i < from.rows; ++i) {
    const int* row = distances.ptr<int>(i);
    for (int j = 0; j < to.rows; ++j) {
      int& nearest = back[static_cast<size_t>(j)];
      if (row[j] < distances.at<int>(nearest, j)) nearest = i;
    }
  }
  std::vector<cv::DMatch> matches;
  for (int i = 0; i < from.rows; ++i) {
    const int* row = distances.ptr<int>(i);
    int first = 0;
    int second = 1;
    if (row[second] < row[first]) std::swap(first, second);
    for (int j = 2; j < to.rows; ++j) {
      if (row[j] < row[first]) {
        second = std::exchange(first, j);
      } else if (row[j] < row[second]) {
        second = j;
      }
    }
    if (row[first] < kFarthest && row[first] < kRatio * row[second] &&
        back[static_cast<size_t>(first)] == i) {
      matches.emplace_back(i, first, static_cast<float>(row[first]));
    }
  }
  return matches;
}

// Light summed from the top left corner, so that the mean over a rectangle
// costs nothing.
class LightSums {
 public:
  // `image` and `mask` as of FindViewPoints, of the searched size.
  LightSums(const cv::Mat& image, const cv::Mat& mask) {
    constexpr uint8_t kBurnt = 250;
    constexpr uint8_t kBlack = 2;
    std::vector<cv::Mat> planes;
    cv::split(image, planes);
    cv::Mat burnt = cv::Mat::zeros(image.size(), CV_8U);
    cv::Mat black = planes[0] <= kBlack;
    for (const cv::Mat& plane : planes) {
      cv::Mat light;
      cv::LUT(plane, LinearOfByte(), light);
      cv::integral(light, sums_.emplace_back(), CV_64F);
      burnt |= plane >= kBurnt;
      black &= plane <= kBlack;
    }
    if (!mask.empty()) black |= mask < 255;
    cv::integral(burnt, burnt_, CV_32S);
    cv::integral(black, black_, CV_32S);
  }

  // Of the square of 2 * radius + 1 pixels about a place, as ViewPoints has it.
  std::array<float, 3> Around(const cv::Point2f& place, int radius) const {
    constexpr double kDark = 0.002;  // six of 255
    const int left = static_cast<int>(std::lround(place.x)) - radius;
    const int top = static_cast<int>(std::lround(place.y)) - radius;
    const cv::Rect square(left, top, 2 * radius + 1, 2 * radius + 1);
    const cv::Rect whole(0, 0, black_.cols - 1, black_.rows - 1);
    if ((square & whole) != square || Sum<int>(black_, square) > 0) return {};
    const double sign = Sum<int>(burnt_, square) > 0 ? -1 : 1;
    std::array<float, 3> light = {};
    for (size_t c = 0; c < light.size(); ++c) {
      const double mean =
          Sum<double>(sums_[c % sums_.size()], square) / square.area();
      if (mean < kDark) return {};
      light[c] = static_cast<float>(sign * mean);
    }
    return light;
  }

 private:
  // Of the sRGB curve, which cameras follow more or less.
  static cv::Mat LinearOfByte() {
    cv::Mat table(1, 256, CV_32F);
    for (int i = 0; i < 256; ++i) {
      const double value = i / 255.0;
      table.at<float>(i) = static_cast<float>(
          value <= 0.04045 ? value / 12.92
                           : std::pow((value + 0.055) / 1.055, 2.4));
    }
    return table;
  }

  template <typename T>
  static T Sum(const cv::Mat& sums, const cv::Rect& area) {
    const cv::Point end = area.br();
    return sums.at<T>(end.y, end.x) - sums.at<T>(area.y, end.x) -
           sums.at<T>(end.y, area.x) + sums.at<T>(area.y, area.x);
  }

  std::vector<cv::Mat> sums_;  // of each channel
  cv::Mat burnt_;
  cv::Mat black_;  // or beside the mask
};

// Gray; of a dark picture so much lighter that corners stand out as in others.
cv::Mat Brightened(const cv::Mat& image, const cv::Mat& mask) {
  constexpr double kDark =
      80;  // of 255, that all but one in a hundred are below
  constexpr double kMostGain = 10;
  cv::Mat gray = image;
  if (image.channels() == 3) cv::cvtColor(image, gray, cv::COLOR_RGB2GRAY);
  cv::Mat histogram;
  cv::calcHist(
      std::vector<cv::Mat>{gray}, {0}, mask, histogram, {256}, {0, 256});
  const double all = cv::sum(histogram)[0];
  double above = all;
  int brightest = 0;
  for (; brightest < 255; ++brightest) {
    above -= histogram.at<float>(brightest);
    if (above <= 0.01 * all) break;
  }
  if (brightest >= kDark) return gray;
  cv::Mat brighter;
  gray.convertTo(
      brighter, -1, std::min(kMostGain, 200.0 / std::max(1, brightest)));
  return brighter;
}

cv::Mat Pixels(const Image& image) {
  return cv::Mat(image.height,
                 image.width,
                 CV_8UC(image.channels),
                 const_cast<uint8_t*>(image.pixels.data()));
}

// Of the matches (place by place of `a` and `b`) whose light can be compared;
// of what is burnt out only where there is hardly anything else.
void CompareLight(const std::vector<std::array<size_t, 2>>& matches,
                  const ViewPoints& a,
                  const ViewPoints& b,
                  ViewPair* pair) {
  std::vector<double> exposure;
  std::vector<double> red;
  std::vector<double> blue;
  const auto compare = [&](bool burnt) {
    for (const auto& [i, j] : matches) {
      const std::array<float, 3>& from = a.light[i];
      const std::array<float, 3>& to = b.light[j];
      if (from[0] == 0 || to[0] == 0) continue;
      if ((from[0] < 0 || to[0] < 0) != burnt) continue;
      const auto stops = [&](size_t c) {
        return std::log2(std::abs(static_cast<double>(to[c]) / from[c]));
      };
      exposure.push_back(stops(1));
      red.push_back(stops(0) - stops(1));
      blue.push_back(stops(2) - stops(1));
    }
  };
  compare(/*burnt=*/false);
  if (static_cast<int>(exposure.size()) < kFewestForGeometry) {
    compare(/*burnt=*/true);
  }
  pair->lit = static_cast<int>(exposure.size());
  if (exposure.empty()) return;
  pair->light = {UpperMedian(std::move(exposure)),
                 UpperMedian(std::move(red)),
                 UpperMedian(std::move(blue))};
}

// Pixels of a view from places as ViewPair's homography has them.
cv::Matx33d PixelsFromPlaces(const ViewPoints& view) {
  const double side = std::max(view.width, view.height);
  return {side, 0, view.width / 2.0, 0, side, view.height / 2.0, 0, 0, 1};
}

}  // namespace

ViewPoints FindViewPoints(const Image& image, const Image& mask) {
  constexpr int kSmallestSide = 64;  // at the eighth level a fourth is left
  const double factor = std::min(
      1.0,
      static_cast<double>(kSearchedSide) / std::max(image.width, image.height));
  ViewPoints view;
  view.width = static_cast<int>(std::lround(factor * image.width));
  view.height = static_cast<int>(std::lround(factor * image.height));
  if (std::min(view.width, view.height) < kSmallestSide) return view;
  const auto searched = [&](const Image& full) {
    cv::Mat small = Pixels(full);
    if (factor < 1 && !small.empty()) {
      cv::resize(small,
                 small,
                 cv::Size(view.width, view.height),
                 0,
                 0,
                 cv::INTER_AREA);
    }
    return small;
  };
  const cv::Mat small = searched(image);
  const cv::Mat wanted = searched(mask);
  const cv::Mat gray = Brightened(small, wanted);
  constexpr int kThreshold = 8;  // of 255; dim rooms have no stronger corners
  const cv::Ptr<cv::ORB> orb = cv::ORB::create(kMostPoints,
                                               1.2f,
                                               8,
                                               kPatch,
                                               0,
                                               2,
                                               cv::ORB::HARRIS_SCORE,
                                               kPatch,
                                               kThreshold);
  std::vector<cv::KeyPoint> keys;
  cv::Mat descriptors;
  orb->detectAndCompute(gray, wanted, keys, descriptors);
  std::vector<int> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return keys[static_cast<size_t>(a)].response >
           keys[static_cast<size_t>(b)].response;
  });
  constexpr double kRadius = 4;  // pixels, at the finest level
  const LightSums light(small, wanted);
  for (const int i : order) {
    const cv::KeyPoint& key = keys[static_cast<size_t>(i)];
    view.places.push_back({key.pt.x, key.pt.y});
    const uint8_t* row = descriptors.ptr<uint8_t>(i);
    view.descriptors.insert(
        view.descriptors.end(), row, row + kDescriptorBytes);
    view.light.push_back(light.Around(
        key.pt, static_cast<int>(std::lround(kRadius * key.size / kPatch))));
  }
  return view;
}

int CountAlike(const ViewPoints& a, const ViewPoints& b) {
  constexpr int kStrongest = 400;
  return static_cast<int>(Matches(a, b, kStrongest).size());
}

ViewPair CompareViews(const ViewPoints& a, const ViewPoints& b) {
  constexpr double kStill = 0.5;  // pixels
  constexpr double kMoves = 3;
  constexpr double kFewestMoving = 0.1;
  ViewPair pair;
  const std::vector<cv::DMatch> matches = Matches(a, b, kMostPoints);
  if (static_cast<int>(matches.size()) < kFewestForGeometry) return pair;
  std::vector<cv::Point2f> from;
  std::vector<cv::Point2f> to;
  double still = 0;
  double moving = 0;
  for (const cv::DMatch& match : matches) {
    const auto& p = a.places[static_cast<size_t>(match.queryIdx)];
    const auto& q = b.places[static_cast<size_t>(match.trainIdx)];
    from.emplace_back(p[0], p[1]);
    to.emplace_back(q[0], q[1]);
    const double way = std::hypot(q[0] - p[0], q[1] - p[1]);
    still += way < kStill;
    moving += way > kMoves;
  }
  const auto all = static_cast<double>(matches.size());
  // A few move that were only taken for each other.
  if (moving >= std::max<double>(kFewestForGeometry, kFewestMoving * all)) {
    pair.still = still / all;
  }
  std::vector<uchar> fits;
  if (cv::findFundamentalMat(
          from, to, cv::FM_RANSAC, kTolerance, 0.99, 500, fits)
          .empty()) {
    return pair;
  }
  // Photos of other sizes are held against each other middle on middle.
  const cv::Matx33d places_a = PixelsFromPlaces(a);
  const cv::Matx33d places_b = PixelsFromPlaces(b);
  const double sides = places_a(0, 0) / places_b(0, 0);
  std::vector<cv::Point2f> inliers_from;
  std::vector<cv::Point2f> inliers_to;
  std::vector<std::array<size_t, 2>> inliers;
  std::vector<double> ways;
  for (size_t i = 0; i < fits.size(); ++i) {
    if (fits[i] == 0) continue;
    inliers_from.push_back(from[i]);
    inliers_to.push_back(to[i]);
    inliers.push_back({static_cast<size_t>(matches[i].queryIdx),
                       static_cast<size_t>(matches[i].trainIdx)});
    ways.push_back(std::hypot(
        sides * (to[i].x - places_b(0, 2)) - (from[i].x - places_a(0, 2)),
        sides * (to[i].y - places_b(1, 2)) - (from[i].y - places_a(1, 2))));
  }
  if (static_cast<int>(ways.size()) < kFewestForGeometry) return pair;
  pair.matches = static_cast<int>(ways.size());
  pair.shift = UpperMedian(ways) / a.width;
  CompareLight(inliers, a, b, &pair);
  std::vector<uchar> on_plane;
  const cv::Mat homography = cv::findHomography(
      inliers_from, inliers_to, cv::RANSAC, 2 * kTolerance, on_plane, 500);
  if (homography.empty()) return pair;
  pair.planar = static_cast<double>(cv::countNonZero(on_plane)) / pair.matches;
  const cv::Matx33d of_places =
      places_b.inv() * cv::Matx33d(homography.ptr<double>()) * places_a;
  std::copy_n(of_places.val, 9, pair.homography.begin());
  return pair;
}

bool AreRotations(const std::vector<std::array<double, 9>>& homographies) {
  constexpr double kMostStretch = 1.03;  // a rotation has none
  if (homographies.empty()) return false;
  // From a wide lens to a short tele: the longer the lens, the more a shift
  // along a wall looks like a turn.
  for (double focal = 0.5; focal < 1.7; focal *= 1.07) {
    const cv::Matx33d k(focal, 0, 0, 0, focal, 0, 0, 0, 1);
    std::vector<double> stretches;
    for (const std::array<double, 9>& h : homographies) {
      const cv::Matx33d turn = k.inv() * cv::Matx33d(h.data()) * k;
      cv::Vec3d stretch;
      cv::SVD::compute(turn, stretch, cv::SVD::NO_UV);
      stretches.push_back(stretch[2] > 0 ? stretch[0] / stretch[2]
                                         : 2 * kMostStretch);
    }
    if (UpperMedian(stretches) < kMostStretch) return true;
  }
  return false;
}

}  // namespace nerfpipe
