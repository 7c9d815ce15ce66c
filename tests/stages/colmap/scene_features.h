#pragma once

// Features of the irregular scene, as a perfect detector would find them:
// every point with a descriptor of its own, in another order in every image.

#include "pipeline/base/random.h"
#include "stages/colmap/features/features.h"
#include "stages/colmap/matching/two_view.h"
#include "tests/scenes/irregular_scene.h"

#include <cmath>
#include <string>
#include <vector>

namespace nerfpipe::sfm {

// Of the length that the matcher expects.
inline std::vector<uint8_t> RandomDescriptors(size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<uint8_t> descriptors;
  for (size_t i = 0; i < count; ++i) {
    double values[kDescriptorSize];
    double squared = 0;
    for (double& value : values) {
      const double u = random.Uniform();
      value = u * u;
      squared += value * value;
    }
    for (const double value : values) {
      descriptors.push_back(
          static_cast<uint8_t>(512 / std::sqrt(squared) * value + 0.5));
    }
  }
  return descriptors;
}

struct SceneFeatures {
  std::vector<std::string> names;
  std::vector<Features> features;
  // Of an image, which of ScenePoints() each feature is.
  std::vector<std::vector<int>> points;
  CameraPrior prior;

  SceneFeatures() {
    const std::vector<SceneVector> points_of_scene = ScenePoints();
    const std::vector<uint8_t> descriptors =
        RandomDescriptors(points_of_scene.size(), 11);
    const std::vector<SceneCamera> cameras = OneLensCameras();
    for (int i = 0; i < kSceneCameras; ++i) {
      names.push_back(SceneImageName(i));
      Features& of_image = features.emplace_back();
      std::vector<int>& seen = points.emplace_back();
      for (size_t n = 0; n < points_of_scene.size(); ++n) {
        const size_t k =
            (7 * n + 5 * static_cast<size_t>(i)) % points_of_scene.size();
        const SceneVector p = cameras[i].Project(points_of_scene[k]);
        if (p[2] <= 0) continue;
        seen.push_back(static_cast<int>(k));
        of_image.keypoints.push_back(
            {static_cast<float>(p[0]),
             static_cast<float>(p[1]),
             1.5f,
             0.25f,
             -0.5f,
             2,
             {static_cast<uint8_t>(3 * k), 9, 7, 255}});
        const auto from = descriptors.begin() +
                          static_cast<std::ptrdiff_t>(k * kDescriptorSize);
        of_image.descriptors.insert(
            of_image.descriptors.end(), from, from + kDescriptorSize);
      }
    }
    prior.camera = {1, 53, 37, {57.4, 49.8, 28.3, 16.9}};
    prior.focal_is_known = true;
  }
};

}  // namespace nerfpipe::sfm
