#include "stages/colmap/refinement/halves.h"

#include "stages/colmap/mapping/bundle_adjustment.h"

#include <algorithm>
#include <map>
#include <vector>

#include <colmap/math/random.h>
#include <colmap/scene/synthetic.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

colmap::Reconstruction Noisy(double noise) {
  colmap::SetPRNGSeed(3);
  colmap::SyntheticDatasetOptions options;
  options.num_cameras = 1;
  options.num_images = 10;
  options.num_points3D = 300;
  options.camera_width = 641;
  options.camera_height = 479;
  options.camera_model_id = colmap::CameraModelId::kSimpleRadial;
  options.camera_params = {503, 327, 229, -0.05};
  options.point2D_stddev = noise;
  colmap::Reconstruction model;
  colmap::SynthesizeDataset(options, &model);
  return model;
}

AdjustmentOptions Options() {
  AdjustmentOptions options;
  options.max_steps = 20;
  return options;
}

double Median(const std::map<colmap::image_t, double>& deviations) {
  std::vector<double> values;
  for (const auto& [id, deviation] : deviations) values.push_back(deviation);
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Ten times the noise, ten times the deviation.
TEST(DeviationOfHalves, GrowsWithTheNoise) {
  const auto little = DeviationOfHalves(Options(), Noisy(0.1));
  const auto much = DeviationOfHalves(Options(), Noisy(1));
  ASSERT_EQ(little.size(), 10u);
  EXPECT_GT(Median(little), 1e-6);
  EXPECT_LT(Median(little), 1e-3);
  EXPECT_NEAR(Median(much) / Median(little), 10, 4);
}

// An image that sees four points in either half, of which each has its errors.
TEST(DeviationOfHalves, FindsTheImageThatLittleHolds) {
  colmap::Reconstruction model = Noisy(1);
  const colmap::image_t loose = 4;
  int left = 8;
  const size_t count = model.Image(loose).NumPoints2D();
  for (size_t i = 0; i < count; ++i) {
    const colmap::Point2D& point = model.Image(loose).Point2D(i);
    if (!point.HasPoint3D() || left-- > 0) continue;
    model.DeleteObservation(loose, static_cast<colmap::point2D_t>(i));
  }
  const auto deviations = DeviationOfHalves(Options(), model);
  const auto most = std::max_element(
      deviations.begin(), deviations.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
      });
  EXPECT_EQ(most->first, loose);
  EXPECT_GT(most->second, 1.5 * Median(deviations));
}

}  // namespace
}  // namespace nerfpipe::sfm
