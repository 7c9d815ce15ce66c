#pragma once

// Captures whose cameras are known: points of a made-up scene as a detector
// would find them in each image, solved as the stage does.

#include "stages/colmap/matching/camera_prior.h"
#include "stages/colmap/scene_verdict.h"
#include "stages/colmap/solution.h"
#include "stages/common/colmap_model.h"

#include <map>
#include <string>
#include <vector>

#include <Eigen/Core>

namespace nerfpipe::sfm {

struct TruePoint {
  Eigen::Vector3d place;
  // Seen from this side only; zero: from everywhere.
  Eigen::Vector3d outward = Eigen::Vector3d::Zero();
  int looks = 0;  // points that look alike have the same
};

struct TrueCapture {
  std::vector<TruePoint> points;
  // Of each image.
  std::vector<Rigid3> cameras;  // camera_from_world
  std::vector<ColmapCamera> lenses;
  std::vector<double> exif;  // focal lengths in diagonals; empty: none
  bool video = false;
  std::string camera_model = "auto";
};

// y is down, in the world as in the camera.
Rigid3 LookAt(const Eigen::Vector3d& eye, const Eigen::Vector3d& at);

// A thing of `count` points within a radius of about one, on a floor with as
// many, which reaches to four.
std::vector<TruePoint> ThingOnAFloor(int count);

// A thing before nothing.
std::vector<TruePoint> ThingAlone(int count);

// Once round, at a distance of about `radius`; the height and the distance
// waver by so much of it.
std::vector<Rigid3> Orbit(int images, double radius, double waver);

struct TrueResult {
  SceneVerdict verdict;
  int registered = 0;
  // Of the radius, per registered image, after the similarity that brings most
  // of them onto the truth; infinite without a model.
  double worst = 0;
  double median = 0;
  double rotation = 0;               // median, in degrees
  std::vector<ColmapCamera> lenses;  // as solved, of each registered image
  std::vector<std::string> told;     // lines for people
  std::string All() const;           // for the message of a failed test
};

TrueResult SolveTrueCapture(const TrueCapture& capture);

}  // namespace nerfpipe::sfm
