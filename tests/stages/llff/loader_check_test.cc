#include "stages/llff/loader_check.h"

#include "pipeline/base/error.h"
#include "stages/common/npy.h"
#include "stages/llff/poses_bounds.h"
#include "tests/stages/llff/ring_scene.h"
#include "tests/temporary_folder.h"

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
  LoaderCheckTest() : model_(RingModel(6)) {
    WriteRingScene(model_, folder_);
    table_ = PosesBoundsArray(
        model_,
        {kRingWidth, kRingHeight, kRingFocal, kRingFocal, 32, 24},
        RawLlffBounds(model_));
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
  fs::path folder_;
  NpyArray table_;
};

TEST_F(LoaderCheckTest, LoadsWhatWasMeant) {
  const LoadedScene scene = Load();
  ASSERT_EQ(scene.names.size(), 6u);
  EXPECT_EQ(scene.names[2], "00003.jpg");
  EXPECT_EQ(scene.width, kRingWidth);
  EXPECT_EQ(scene.focal, kRingFocal);
  EXPECT_EQ(Load(8).focal, kRingFocal / 8);
  EXPECT_NEAR(MeanReprojectionError(model_, scene), 0, 1e-9);
  EXPECT_NEAR(MeanReprojectionError(model_), 0, 1e-9);
}

TEST_F(LoaderCheckTest, SwappedRowsShow) {
  for (int k = 0; k < 17; ++k) {
    std::swap(table_.values[k], table_.values[17 + k]);
  }
  EXPECT_GT(MeanReprojectionError(model_, Load()), 1);
}

TEST_F(LoaderCheckTest, WrongAxesShow) {
  // Down and right exchanged, as in a file with OpenGL's order of columns.
  for (int row = 0; row < 6; ++row) {
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
  EXPECT_THAT(Failure(), HasSubstr("holds 7 images but there are 6 poses"));
}

TEST_F(LoaderCheckTest, OtherFilesAreNotImages) {
  std::ofstream(folder_ / "images" / "notes.jpeg") << "x";
  std::ofstream(folder_ / "images" / "IMG.PNG") << "x";
  EXPECT_EQ(Load().names.size(), 6u);
}

TEST_F(LoaderCheckTest, SizesMustAgree) {
  WriteImage(Image(8, 8, 3), folder_ / "images" / "00004.jpg");
  EXPECT_THAT(Failure(), HasSubstr("00004.jpg: is 8 x 8"));
}

TEST_F(LoaderCheckTest, BoundsMustBePositive) {
  table_.values[17 + 15] = 0;
  EXPECT_THAT(Failure(), HasSubstr("bounds of '00002.jpg'"));
}

TEST_F(LoaderCheckTest, ImagesAreMatchedByName) {
  fs::rename(folder_ / "images" / "00006.jpg", folder_ / "images" / "7.jpg");
  EXPECT_THROW(MeanReprojectionError(model_, Load()), UserError);
}

}  // namespace
}  // namespace nerfpipe
