#include "stages/llff/loader_check.h"

#include "pipeline/base/error.h"
#include "stages/common/npy.h"
#include "stages/llff/poses_bounds.h"
#include "tests/stages/llff/llff_scene.h"
#include "tests/temporary_folder.h"

#include <cmath>
#include <fstream>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class LoaderCheckTest : public testing::Test {
 protected:
  LoaderCheckTest() : model_(LlffModel()) {
    WriteLlffScene(model_, folder_);
    table_ = PosesBoundsArray(model_,
                              {{9, {53, 37, 57.4, 57.4, 26.5, 18.5}}},
                              RobustLlffBounds(model_).rows);
  }

  LoadedScene Load(int factor = 1) {
    WriteNpy(table_, folder_ / "poses_bounds.npy");
    return LoadAsNerfPytorch(
        folder_ / "poses_bounds.npy", folder_ / "images", factor);
  }

  // What the loader complains about.
  std::string Failure() {
    try {
      Load();
    } catch (const UserError& error) {
      return error.problem();
    }
    return "loaded without complaint";
  }

  ColmapModel model_;
  const TemporaryFolder folder_;
  NpyArray table_;
};

TEST_F(LoaderCheckTest, LoadsWhatWasMeant) {
  const LoadedScene scene = Load();
  EXPECT_EQ(scene.width, 53);
  EXPECT_EQ(scene.height, 37);
  EXPECT_EQ(scene.focal, 57.4);
  EXPECT_EQ(Load(8).focal, 57.4 / 8);
  const std::vector<int> rows = LlffRows();
  ASSERT_EQ(scene.names.size(), rows.size());
  ASSERT_EQ(scene.world_from_camera.size(), rows.size());
  const std::vector<SceneCamera> cameras = LlffCameras();
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(scene.names[i], SceneJpegName(rows[i]));
    // Right, up, backward.
    Rigid3 pose = WorldFromCamera(cameras[rows[i]]);
    pose.rotation.col(1) *= -1;
    pose.rotation.col(2) *= -1;
    EXPECT_TRUE(scene.world_from_camera[i].rotation.isApprox(pose.rotation));
    EXPECT_TRUE(
        scene.world_from_camera[i].translation.isApprox(pose.translation));
    EXPECT_EQ(scene.bounds[i].near, table_.values[17 * i + 15]);
    EXPECT_EQ(scene.bounds[i].far, table_.values[17 * i + 16]);
  }
  EXPECT_NEAR(MeanReprojectionError(model_, scene), 0, 1e-9);
}

// Where the loader would put the points, to the pixel.
TEST_F(LoaderCheckTest, ErrorsAreInPixels) {
  for (auto& [id, image] : model_.images) {
    for (auto& observation : image.observations) {
      observation.xy += Eigen::Vector2d(-0.6, 0.8);
    }
  }
  EXPECT_NEAR(MeanReprojectionError(model_, Load()), 1, 1e-9);
}

TEST_F(LoaderCheckTest, APointBehindItsCameraIsADiagonalOff) {
  const uint32_t id = SceneImageId(2);
  ColmapPoint point;
  point.xyz = model_.images.at(id).camera_from_world.Inverse() *
              Eigen::Vector3d(0.1, 0, -3);
  point.track = {{id, 1}};
  model_.points = {{3, point}};
  EXPECT_DOUBLE_EQ(MeanReprojectionError(model_, Load()), std::hypot(53, 37));
  model_.points.clear();
  EXPECT_EQ(MeanReprojectionError(model_, Load()), 0);
}

TEST_F(LoaderCheckTest, SwappedRowsShow) {
  for (int k = 0; k < 17; ++k) {
    std::swap(table_.values[k], table_.values[17 + k]);
  }
  EXPECT_GT(MeanReprojectionError(model_, Load()), 1);
}

TEST_F(LoaderCheckTest, WrongAxesShow) {
  // Down and right exchanged, as in a file with OpenGL's order of columns.
  for (int row = 0; row < kSceneCameras; ++row) {
    for (int i = 0; i < 3; ++i) {
      std::swap(table_.values[17 * row + 5 * i],
                table_.values[17 * row + 5 * i + 1]);
    }
  }
  EXPECT_GT(MeanReprojectionError(model_, Load()), 1);
}

TEST_F(LoaderCheckTest, CountsMustAgree) {
  // Any name with one of the three endings is taken for an image.
  std::ofstream(folder_ / "images" / ".maskpng") << "x";
  EXPECT_THAT(Failure(), HasSubstr("holds 12 images but there are 11 poses"));
}

TEST_F(LoaderCheckTest, EndingsAreThoseOfNerfPytorch) {
  std::ofstream(folder_ / "images" / "notes.jpeg") << "x";
  std::ofstream(folder_ / "images" / "IMG.PNG") << "x";
  EXPECT_EQ(Load().names.size(), 11u);
  fs::rename(folder_ / "images" / "IMG 7.jpg",
             folder_ / "images" / "IMG 7.JPG");
  EXPECT_EQ(Load().names[8], "IMG 7.JPG");
}

TEST_F(LoaderCheckTest, SizesMustAgree) {
  WriteImage(Image(37, 53, 3), folder_ / "images" / "IMG 8.jpg");
  EXPECT_THAT(Failure(),
              HasSubstr("IMG 8.jpg: is 37 x 53 but 'IMG 10.jpg' is 53 x 37"));
}

TEST_F(LoaderCheckTest, BoundsMustBePositiveAndInOrder) {
  const NpyArray good = table_;
  table_.values[17 + 15] = 0;
  EXPECT_THAT(Failure(), HasSubstr("bounds of 'IMG 11.jpg' are 0.0"));
  table_ = good;
  table_.values[17 + 16] = table_.values[17 + 15] - 1e-3;
  EXPECT_THAT(Failure(), HasSubstr("bounds of 'IMG 11.jpg'"));
  table_.values[17 + 16] = table_.values[17 + 15];
  EXPECT_EQ(Load().bounds[1].near, table_.values[17 + 16]);
}

TEST_F(LoaderCheckTest, ValuesMustBeNumbers) {
  const NpyArray good = table_;
  table_.values[17 * 3 + 6] = std::nan("");
  EXPECT_THAT(Failure(), HasSubstr("row 3 is not all numbers"));
  table_ = good;
  table_.values[17 * 2 + 16] = HUGE_VAL;
  EXPECT_THAT(Failure(), HasSubstr("row 2 is not all numbers"));
  table_ = good;
  table_.values[14] = 0;
  EXPECT_THAT(Failure(), HasSubstr("focal length is not positive"));
}

TEST_F(LoaderCheckTest, TheTableHasSeventeenColumns) {
  table_.shape = {17, 11};
  EXPECT_THAT(Failure(), HasSubstr("not a table of 17 columns"));
  table_.shape = {11 * 17};
  EXPECT_THAT(Failure(), HasSubstr("not a table of 17 columns"));
  table_ = {{0, 17}, {}};
  EXPECT_THAT(Failure(), HasSubstr("not a table of 17 columns"));
}

TEST_F(LoaderCheckTest, ImagesAreMatchedByName) {
  fs::rename(folder_ / "images" / "IMG 9.jpg", folder_ / "images" / "x.jpg");
  try {
    MeanReprojectionError(model_, Load());
    FAIL() << "matched";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'IMG 9.jpg' of the model"));
  }
}

TEST_F(LoaderCheckTest, AMissingFolderIsNamed) {
  fs::remove_all(folder_ / "images");
  EXPECT_THAT(Failure(),
              HasSubstr("cannot list " + (folder_ / "images").string()));
}

}  // namespace
}  // namespace nerfpipe
