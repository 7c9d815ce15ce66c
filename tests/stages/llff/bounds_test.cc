// Poses and bounds against numpy's and against files that LLFF's own program
// made from real captures.

#include "stages/common/npy.h"
#include "stages/llff/depth_bounds.h"
#include "stages/llff/poses_bounds.h"
#include "tests/real_data.h"
#include "tests/stages/llff/llff_scene.h"

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

const fs::path kReference = NERFPIPE_REFERENCE;

// As LLFF takes them: for all images, size and first parameter of the first
// one's camera.
Pinholes FirstCamera(const ColmapModel& model) {
  const ColmapImage& image = model.images.at(ImageIdsByName(model).front());
  const ColmapCamera& camera = model.cameras.at(image.camera_id);
  Pinhole pinhole;
  pinhole.width = static_cast<int>(camera.width);
  pinhole.height = static_cast<int>(camera.height);
  pinhole.fx = camera.params[0];
  Pinholes cameras;
  for (const auto& [id, of_image] : model.cameras) cameras[id] = pinhole;
  return cameras;
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

// LLFF's axes are down, right, backward; each row is that of its name, with the
// camera of its image.
TEST(PosesBounds, RowsDescribeTheCamerasOfTheirNames) {
  ColmapModel model = LlffModel();
  model.images.at(SceneImageId(3)).camera_id = 5;
  std::vector<DepthBounds> bounds;
  for (int i = 0; i < kSceneCameras; ++i) bounds.push_back({1.5 + i, 40.0 - i});
  // Sizes and focal lengths that no two numbers share, LLFF's rule or not.
  const NpyArray table = PosesBoundsArray(
      model,
      {{9, {53, 37, 57.5, 49, 27, 18}}, {5, {61, 43, 70.5, 69, 29, 22}}},
      bounds);
  EXPECT_EQ(table.shape, (std::vector<int64_t>{kSceneCameras, 17}));
  const std::vector<SceneCamera> cameras = LlffCameras();
  const std::vector<int> rows = LlffRows();
  const double lenses[2][3] = {{37, 53, 57.5}, {43, 61, 70.5}};
  for (size_t row = 0; row < rows.size(); ++row) {
    const auto& pose = cameras[rows[row]].world_from_camera;
    const double* values = table.values.data() + 17 * row;
    const double* lens = lenses[rows[row] == 3 ? 1 : 0];
    for (int i = 0; i < 3; ++i) {
      EXPECT_NEAR(values[5 * i], pose[4 * i + 1], 1e-12);
      EXPECT_NEAR(values[5 * i + 1], pose[4 * i], 1e-12);
      EXPECT_NEAR(values[5 * i + 2], -pose[4 * i + 2], 1e-12);
      EXPECT_NEAR(values[5 * i + 3], pose[4 * i + 3], 1e-12);
      EXPECT_EQ(values[5 * i + 4], lens[i]);
    }
    EXPECT_EQ(values[15], 1.5 + static_cast<double>(row));
    EXPECT_EQ(values[16], 40.0 - static_cast<double>(row));
  }
}

}  // namespace
}  // namespace nerfpipe
