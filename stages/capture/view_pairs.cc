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

}  // namespace

ViewPoints FindViewPoints(const Image& gray) {
  const cv::Mat image(
      gray.height, gray.width, CV_8U, const_cast<uint8_t*>(gray.pixels.data()));
  constexpr int kSmallestSide = 64;  // at the eighth level a fourth is left
  const double factor = std::min(
      1.0,
      static_cast<double>(kSearchedSide) / std::max(gray.width, gray.height));
  ViewPoints view;
  view.width = static_cast<int>(std::lround(factor * gray.width));
  view.height = static_cast<int>(std::lround(factor * gray.height));
  if (std::min(view.width, view.height) < kSmallestSide) return view;
  cv::Mat small = image;
  if (factor < 1) {
    cv::resize(
        image, small, cv::Size(view.width, view.height), 0, 0, cv::INTER_AREA);
  }
  constexpr int kPatch = 31;
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
  orb->detectAndCompute(small, cv::noArray(), keys, descriptors);
  std::vector<int> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return keys[static_cast<size_t>(a)].response >
           keys[static_cast<size_t>(b)].response;
  });
  for (const int i : order) {
    const cv::KeyPoint& key = keys[static_cast<size_t>(i)];
    view.places.push_back({key.pt.x, key.pt.y});
    const uint8_t* row = descriptors.ptr<uint8_t>(i);
    view.descriptors.insert(
        view.descriptors.end(), row, row + kDescriptorBytes);
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
  if (moving >= kFewestForGeometry) {
    pair.still = still / static_cast<double>(matches.size());
  }
  std::vector<uchar> fits;
  if (cv::findFundamentalMat(
          from, to, cv::FM_RANSAC, kTolerance, 0.99, 500, fits)
          .empty()) {
    return pair;
  }
  std::vector<cv::Point2f> inliers_from;
  std::vector<cv::Point2f> inliers_to;
  std::vector<double> ways;
  for (size_t i = 0; i < fits.size(); ++i) {
    if (fits[i] == 0) continue;
    inliers_from.push_back(from[i]);
    inliers_to.push_back(to[i]);
    ways.push_back(cv::norm(to[i] - from[i]));
  }
  if (static_cast<int>(ways.size()) < kFewestForGeometry) return pair;
  pair.matches = static_cast<int>(ways.size());
  pair.shift = UpperMedian(ways) / a.width;
  std::vector<uchar> on_plane;
  const cv::Mat homography = cv::findHomography(
      inliers_from, inliers_to, cv::RANSAC, 2 * kTolerance, on_plane, 500);
  if (homography.empty()) return pair;
  pair.planar = static_cast<double>(cv::countNonZero(on_plane)) / pair.matches;
  std::copy_n(homography.ptr<double>(), 9, pair.homography.begin());
  return pair;
}

bool AreRotations(const std::vector<std::array<double, 9>>& homographies,
                  int width,
                  int height) {
  constexpr double kMostStretch = 1.03;  // a rotation has none
  if (homographies.empty()) return false;
  // From a wide lens to a short tele: the longer the lens, the more a shift
  // along a wall looks like a turn.
  for (double share = 0.5; share < 1.7; share *= 1.07) {
    const double focal = share * std::max(width, height);
    const cv::Matx33d k(focal, 0, width / 2.0, 0, focal, height / 2.0, 0, 0, 1);
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
