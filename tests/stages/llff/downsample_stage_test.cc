#include "stages/llff/downsample_stage.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/common/dataset_folder.h"
#include "tests/stages/llff/llff_scene.h"
#include "tests/stages/llff/stage_test.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Length in common of [k, k + 1] and the i-th of `parts` equal parts of `side`.
double Overlap(int k, int i, int side, int parts) {
  const double from = static_cast<double>(i) * side / parts;
  const double to = static_cast<double>(i + 1) * side / parts;
  return std::max(0.0, std::min(k + 1.0, to) - std::max(1.0 * k, from));
}

// Means of rectangles, straight from their definition, halves up.
Image Means(const Image& image, int width, int height) {
  Image means(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      double sum[3] = {0, 0, 0}, area = 0;
      for (int v = 0; v < image.height; ++v) {
        for (int u = 0; u < image.width; ++u) {
          const double share = Overlap(u, x, image.width, width) *
                               Overlap(v, y, image.height, height);
          area += share;
          for (int c = 0; c < 3; ++c) sum[c] += share * image.At(u, v)[c];
        }
      }
      for (int c = 0; c < 3; ++c) {
        means.At(x, y)[c] = static_cast<uint8_t>(sum[c] / area + 0.5 + 1e-9);
      }
    }
  }
  return means;
}

class DownsampleStageTest : public LlffStageTest {
 protected:
  StageResult Run(const char* factors = "2,4,8") {
    const std::unique_ptr<Stage> stage = MakeDownsampleStage();
    Set(stage.get(), "factors", factors);
    return stage->Run(context_);
  }

  std::string Problem() {
    try {
      return "result: " + Run().line;
    } catch (const UserError& error) {
      return error.what();
    }
  }

  // images_N holds the means at this size of all images, as JPEGs of quality
  // 97, byte for byte.
  void ExpectMeans(const std::string& folder, int width, int height) {
    const fs::path twin = workspace_ / "twin.jpg";
    const fs::path copies = context_.out / folder;
    for (const std::string& name : SortedFileNames(workspace_ / "images")) {
      const std::string copy = fs::path(name).stem().string() + ".jpg";
      WriteImage(Means(ReadImage(workspace_ / "images" / name), width, height),
                 twin,
                 97);
      EXPECT_EQ(ReadFile(copies / copy), ReadFile(twin))
          << folder << "/" << copy;
    }
    EXPECT_EQ(SortedFileNames(copies).size(),
              SortedFileNames(workspace_ / "images").size());
  }
};

// Sides of 53 and 37 divide by nothing.
TEST_F(DownsampleStageTest, CopiesAreMeansOfRoundedSizes) {
  WriteLlffScene(LlffModel(3), workspace_);
  const std::unique_ptr<Stage> stage = MakeDownsampleStage();
  EXPECT_THAT(
      stage->Outputs(),
      ElementsAre(
          "images_2", "masks_2", "images_4", "masks_4", "images_8", "masks_8"));
  const StageResult result = stage->Run(context_);
  ASSERT_EQ(result.state, StageResult::State::kDone);
  EXPECT_EQ(result.line, "3 images at 27x19, 13x9, 7x5");
  ExpectMeans("images_2", 27, 19);
  ExpectMeans("images_4", 13, 9);
  ExpectMeans("images_8", 7, 5);
  EXPECT_THAT(
      report_.warnings,
      ElementsAre(HasSubstr("images of 53x37 do not divide by 2: loaders"),
                  HasSubstr("do not divide by 4"),
                  HasSubstr("do not divide by 8")));
  EXPECT_THAT(report_.started, ElementsAre("downsample, 3 images"));
  EXPECT_TRUE(fs::is_empty(context_.out / "masks_4"));
}

TEST_F(DownsampleStageTest, WarnsIfEitherSideDoesNotDivide) {
  fs::create_directories(workspace_ / "images");
  WriteImage(Image(48, 32, 3), workspace_ / "images" / "a.jpg");
  Run("2,4,16");
  EXPECT_THAT(report_.warnings, IsEmpty());
  WriteImage(Image(48, 40, 3), workspace_ / "images" / "a.jpg");
  Run("8,16");
  EXPECT_THAT(report_.warnings,
              ElementsAre(HasSubstr("48x40 do not divide by "
                                    "16")));
  report_.warnings.clear();
  WriteImage(Image(40, 48, 3), workspace_ / "images" / "a.jpg");
  Run("8,16");
  EXPECT_THAT(report_.warnings,
              ElementsAre(HasSubstr("40x48 do not divide by "
                                    "16")));
}

TEST_F(DownsampleStageTest, FactorsAreRead) {
  WriteLlffScene(LlffModel(2), workspace_);
  const std::unique_ptr<Stage> stage = MakeDownsampleStage();
  Set(stage.get(), "factors", "64,3, 5,3");
  EXPECT_THAT(stage->Outputs(),
              ElementsAre("images_3",
                          "masks_3",
                          "images_5",
                          "masks_5",
                          "images_64",
                          "masks_64"));
  stage->Run(context_);
  ExpectMeans("images_3", 18, 12);
  ExpectMeans("images_5", 11, 7);
  ExpectMeans("images_64", 1, 1);
  EXPECT_FALSE(fs::exists(context_.out / "images_2"));
  for (const char* bad :
       {"", "1", "2,", "2;4", "x", "2,128", "65", ",", "-2", "2.5", "0"}) {
    Set(stage.get(), "factors", bad);
    try {
      stage->Outputs();
      FAIL() << bad;
    } catch (const UserError& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::kUsage);
      EXPECT_THAT(error.what(), HasSubstr("whole numbers from 2 to 64"));
    }
  }
}

TEST_F(DownsampleStageTest, NamesKeepTheirStems) {
  WriteLlffScene(LlffModel(2), workspace_);
  const fs::path images = workspace_ / "images";
  WriteImage(ReadImage(images / "IMG 6.jpg"), images / "IMG 6.png");
  fs::remove(images / "IMG 6.jpg");
  WriteFileAtomically(images / "notes.txt", "x");
  WriteFileAtomically(images / ".IMG 7.jpg", "x");
  EXPECT_EQ(Run().line, "2 images at 27x19, 13x9, 7x5");
  EXPECT_THAT(SortedFileNames(context_.out / "images_4"),
              ElementsAre("IMG 5.jpg", "IMG 6.jpg"));
}

TEST_F(DownsampleStageTest, TwoImagesOfOneNameAreRefused) {
  WriteLlffScene(LlffModel(2), workspace_);
  const fs::path images = workspace_ / "images";
  WriteImage(ReadImage(images / "IMG 6.jpg"), images / "IMG 6.png");
  EXPECT_THAT(Problem(), HasSubstr("IMG 6.png has the same name as another"));
}

// Of images with cameras of their own.
TEST_F(DownsampleStageTest, EachImageIsReducedFromItsOwnSize) {
  WriteLlffScene(LlffModel(3), workspace_);
  WriteImage(Image(61, 44, 3), workspace_ / "images" / "IMG 6.jpg");
  EXPECT_EQ(Run("2,4").line, "3 images of 2 sizes by 2, 4");
  EXPECT_EQ(ReadImageSize(context_.out / "images_4" / "IMG 5.jpg"),
            (ImageSize{13, 9}));
  EXPECT_EQ(ReadImageSize(context_.out / "images_4" / "IMG 6.jpg"),
            (ImageSize{15, 11}));
  EXPECT_THAT(report_.warnings,
              testing::IsSupersetOf({HasSubstr("53x37 do not divide by 4"),
                                     HasSubstr("61x44 do not divide by 2")}));
}

// Opaque red on the left of column 4, hidden green on its right.
TEST_F(DownsampleStageTest, TransparentPixelsLendNoColour) {
  Image picture(11, 6, 4);
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const bool seen = x < 5;
      uint8_t* pixel = picture.At(x, y);
      pixel[0] = seen ? 200 : 0;
      pixel[1] = seen ? 0 : 255;
      pixel[2] = seen ? 10 : 0;
      pixel[3] = seen ? 255 : 0;
    }
  }
  fs::create_directories(workspace_ / "images");
  WriteImage(picture, workspace_ / "images" / "a.png");
  Run("2");
  EXPECT_THAT(SortedFileNames(context_.out / "images_2"), ElementsAre("a.png"));
  const Image small = ReadImage(context_.out / "images_2" / "a.png", true);
  ASSERT_EQ(small.channels, 4);
  ASSERT_EQ(small.width, 6);
  for (int x = 0; x < small.width; ++x) {
    // A pixel is 11/6 wide.
    const double covered = std::clamp(5 - 11.0 / 6 * x, 0.0, 11.0 / 6);
    const uint8_t* pixel = small.At(x, 1);
    EXPECT_NEAR(pixel[3], 255 * covered / (11.0 / 6), 0.51) << x;
    EXPECT_EQ(pixel[0], covered > 0 ? 200 : 0) << x;
    EXPECT_EQ(pixel[1], 0) << x;
  }
}

TEST_F(DownsampleStageTest, MasksUseNothingThatIsNotWhollyUsed) {
  WriteLlffScene(LlffModel(2), workspace_);
  Image mask(53, 37, 1);
  std::fill(mask.pixels.begin(), mask.pixels.end(), 255);
  *mask.At(17, 30) = 0;
  *mask.At(52, 3) = 127;
  *mask.At(3, 36) = 128;  // white enough
  fs::create_directories(workspace_ / "masks");
  WriteImage(mask, workspace_ / "masks" / "IMG 6.png");
  Run("4,64");
  EXPECT_THAT(SortedFileNames(context_.out / "masks_4"),
              ElementsAre("IMG 6.png"));
  const Image small = ReadImage(context_.out / "masks_4" / "IMG 6.png");
  ASSERT_EQ(small.width, 13);
  ASSERT_EQ(small.height, 9);
  for (int y = 0; y < 9; ++y) {
    for (int x = 0; x < 13; ++x) {
      const bool dropped = Overlap(17, x, 53, 13) * Overlap(30, y, 37, 9) > 0 ||
                           Overlap(52, x, 53, 13) * Overlap(3, y, 37, 9) > 0;
      EXPECT_EQ(*small.At(x, y), dropped ? 0 : 255) << x << ", " << y;
    }
  }
  EXPECT_EQ(*ReadImage(context_.out / "masks_64" / "IMG 6.png").At(0, 0), 0);
  WriteImage(Image(53, 36, 1), workspace_ / "masks" / "IMG 6.png");
  EXPECT_THAT(Problem(),
              HasSubstr("IMG 6.png is 53x36 but its image is 53x37"));
}

TEST_F(DownsampleStageTest, NoImagesAreNamed) {
  fs::create_directories(workspace_ / "images");
  EXPECT_THAT(Problem(), HasSubstr("images holds no images"));
}

}  // namespace
}  // namespace nerfpipe
