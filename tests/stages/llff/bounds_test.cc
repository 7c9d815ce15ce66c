// Poses and bounds against numpy's and against files that LLFF's own program
// made from real captures.

#include "pipeline/base/error.h"
#include "stages/common/npy.h"
#include "stages/llff/depth_bounds.h"
#include "stages/llff/poses_bounds.h"
#include "tests/real_data.h"
#include "tests/stages/llff/ring_scene.h"

#include <cmath>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

const fs::path kReference = NERFPIPE_REFERENCE;

// As LLFF takes them: size and first parameter of the first image's camera.
Pinhole FirstCamera(const ColmapModel& model) {
  const ColmapImage& image = model.images.at(ImageIdsByName(model).front());
  const ColmapCamera& camera = model.cameras.at(image.camera_id);
  Pinhole pinhole;
  pinhole.width = static_cast<int>(camera.width);
  pinhole.height = static_cast<int>(camera.height);
  pinhole.fx = camera.params[0];
  return pinhole;
}

void ExpectSameTable(const ColmapModel& model, const NpyArray& expected) {
  const NpyArray table =
      PosesBoundsArray(model, FirstCamera(model), RawLlffBounds(model));
  ASSERT_EQ(table.shape, expected.shape);
  for (size_t i = 0; i < expected.values.size(); ++i) {
    ASSERT_NEAR(table.values[i], expected.values[i], 1e-9)
        << "row " << i / 17 << ", column " << i % 17;
  }
}

TEST(Percentile, InterpolatesAsNumpyDoes) {
  EXPECT_DOUBLE_EQ(Percentile({4, 1, 3}, 25), 2);
  EXPECT_DOUBLE_EQ(Percentile({4, 1, 3}, 99.9), 3.998);
  EXPECT_DOUBLE_EQ(Percentile({4, 1, 3}, 100), 4);
  EXPECT_DOUBLE_EQ(Percentile({7}, 0.1), 7);
}

TEST(LlffBounds, EqualNumpysWithGapsInTheIdentifiers) {
  ExpectSameTable(ReadColmapModel(kReference / "llff_model"),
                  ReadNpy(kReference / "llff_poses_bounds.npy"));
}

// These poses_bounds.npy came with the captures; their bounds are those of
// LLFF's imgs2poses over the model beside them, without a difference.
TEST(LlffBounds, RealFilesOfLlffAreEqual) {
  NERFPIPE_NEEDS_REAL_DATA();
  for (const char* scene : {"beer", "bird", "cup_sideways"}) {
    SCOPED_TRACE(scene);
    const fs::path folder = RealData() / scene;
    ExpectSameTable(ReadColmapModel(folder / "sparse" / "0"),
                    ReadNpy(folder / "poses_bounds.npy"));
  }
}

TEST(RobustBounds, EqualLlffsOnACleanModel) {
  const ColmapModel model = RingModel(9);
  const RobustBounds robust = RobustLlffBounds(model);
  const std::vector<DepthBounds> raw = RawLlffBounds(model);
  ASSERT_EQ(robust.rows.size(), 9u);
  for (size_t i = 0; i < raw.size(); ++i) {
    EXPECT_EQ(robust.rows[i].near, raw[i].near);
    EXPECT_EQ(robust.rows[i].far, raw[i].far);
  }
  EXPECT_EQ(robust.behind + robust.unreliable + robust.isolated, 0);
  EXPECT_EQ(robust.clamped_rows + robust.borrowed_rows, 0);
}

// A point right before the camera of 00001.jpg, tracked in `views` images.
void AddStray(double depth, int views, double error, ColmapModel* model) {
  const std::vector<uint32_t> ids = ImageIdsByName(*model);
  ColmapPoint stray;
  stray.xyz = model->images.at(ids[0]).camera_from_world.Inverse() *
              Eigen::Vector3d(0, 0, depth);
  stray.error = error;
  for (int i = 0; i < views; ++i) stray.track.push_back({ids[i], 0});
  model->points[1000000 + model->points.size()] = stray;
}

TEST(RobustBounds, StrayPointsDoNotMoveThem) {
  const std::vector<DepthBounds> clean = RawLlffBounds(RingModel(9));
  ColmapModel model = RingModel(9);
  AddStray(2e-4, 2, 0.1, &model);  // a track of two
  AddStray(-3, 5, 0.1, &model);    // behind the first camera
  AddStray(1e-3, 5, 30, &model);   // a bad fit
  AddStray(5e-4, 3, 0.1, &model);  // good on paper, alone in front
  EXPECT_LT(RawLlffBounds(model)[0].near, 0);
  const RobustBounds robust = RobustLlffBounds(model);
  EXPECT_DOUBLE_EQ(robust.rows[0].near, clean[0].near);
  EXPECT_DOUBLE_EQ(robust.rows[0].far, clean[0].far);
  EXPECT_GE(robust.behind, 1);
  EXPECT_GE(robust.unreliable, 2);
  // The last one, in the first image at least.
  EXPECT_GE(robust.isolated, 1);
}

TEST(RobustBounds, NearIsAtLeastAFifthOfTheMedian) {
  ColmapModel model = RingModel(9);
  const double median_near = RobustLlffBounds(model).rows[4].near;
  // A heap of good points close to the first camera is no stray.
  for (int k = 0; k < 10; ++k) AddStray(0.1 + 0.01 * k, 3, 0.1, &model);
  const RobustBounds robust = RobustLlffBounds(model);
  EXPECT_GE(robust.clamped_rows, 1);
  EXPECT_GT(robust.rows[0].near, 0.15 * median_near);
  EXPECT_LT(robust.rows[0].near, 0.25 * median_near);
}

TEST(RobustBounds, AnImageWithoutPointsBorrows) {
  ColmapModel model = RingModel(5);
  const uint32_t blind = ImageIdsByName(model)[2];
  for (auto& [id, point] : model.points) {
    std::erase_if(point.track, [&](const auto& element) {
      return element.image_id == blind;
    });
  }
  EXPECT_TRUE(std::isnan(RawLlffBounds(model)[2].near));
  const RobustBounds robust = RobustLlffBounds(model);
  EXPECT_EQ(robust.borrowed_rows, 1);
  EXPECT_GT(robust.rows[2].near, 0);
  EXPECT_GT(robust.rows[2].far, robust.rows[2].near);
  model.points.clear();
  EXPECT_THROW(RobustLlffBounds(model), UserError);
}

TEST(DepthStatistics, AreOverAllViews) {
  ColmapModel model = RingModel(2);
  const std::vector<uint32_t> ids = ImageIdsByName(model);
  model.points.clear();
  AddStray(2, 1, 0, &model);
  AddStray(5, 1, 0, &model);
  AddStray(-1, 1, 0, &model);
  const DepthStatistics statistics = DepthStatisticsOf(model);
  EXPECT_EQ(statistics.count, 3);
  EXPECT_NEAR(statistics.min, -1, 1e-12);
  EXPECT_NEAR(statistics.max, 5, 1e-12);
  EXPECT_NEAR(statistics.mean, 2, 1e-12);
}

}  // namespace
}  // namespace nerfpipe
