#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/capture/check_stage.h"
#include "stages/capture/extract_stage.h"
#include "stages/capture/frame_list.h"
#include "stages/common/capture_file.h"
#include "stages/media/image_file.h"
#include "stages/media/orientation.h"
#include "stages/media/video_writer.h"
#include "tests/real_data.h"
#include "tests/stages/capture/stage_fixture.h"
#include "tests/stages/media/test_pictures.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

// With texture as fine as two pixels, which a moving camera smears.
Image TexturedPicture(int width, int height, int dx, bool smeared) {
  constexpr int kSmear = 9;
  Image image = TestPicture(width, height, dx);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto texture = [&](int u) {
        return 40 * std::sin(1.7 * (u + dx)) * std::cos(1.3 * y);
      };
      double sum = 0;
      for (int k = 0; k < kSmear; ++k) sum += texture(smeared ? x + k : x);
      for (int c = 0; c < 3; ++c) {
        const double value = image.At(x, y)[c] + sum / kSmear;
        image.At(x, y)[c] = static_cast<uint8_t>(std::clamp(value, 0.0, 255.0));
      }
    }
  }
  return image;
}

TEST_F(CaptureStages, VideoWithDuplicates) {
  // Still from frame 12 to 14.
  context_.capture = folder_.path() / "clip.mp4";
  VideoWriter writer(context_.capture, 320, 240, 30, 8);
  for (int i = 0; i < 50; ++i) {
    const int at = i >= 12 && i <= 14 ? 12 : i;
    const Image picture = TestPicture(320, 240, 2 * at, at);
    writer.Write(picture);
  }
  writer.Finish();

  const StageResult extracted = MakeExtractStage()->Run(context_);
  EXPECT_EQ(extracted.facts["frames"]["extracted"], 50);
  const FrameList list = ReadFrameList(context_.workspace / kFrameListFile);
  ASSERT_EQ(list.frames.size(), 50u);
  EXPECT_EQ(list.frames[49].name, "00050.jpg");
  EXPECT_NEAR(list.frames[49].time, 49 / 30.0, 1e-4);
  EXPECT_GT(Psnr(ReadImage(context_.workspace / "frames/00008.jpg"),
                 TestPicture(320, 240, 14, 7)),
            33);

  const StageResult checked = MakeCheckStage()->Run(context_);
  EXPECT_EQ(checked.state, StageResult::State::kDone);
  EXPECT_EQ(checked.facts["frames"]["kept"], 48);
  EXPECT_THAT(Dropped(),
              ElementsAre(HasSubstr("00014.jpg: same view as 00013.jpg"),
                          HasSubstr("00015.jpg: same view as 00013.jpg")));
  // Two pixels right and one down between frames, of 320.
  EXPECT_NEAR(Capture().frames[20].motion, 2.236 / 320, 0.15 * 2.236 / 320);
  EXPECT_EQ(Capture().KeptNames().size(), 48u);
}

TEST_F(CaptureStages, SmearedFrameIsDropped) {
  context_.capture = folder_.path() / "clip.mp4";
  VideoWriter writer(context_.capture, 320, 240, 30, 8);
  for (int i = 0; i < 20; ++i) {
    writer.Write(TexturedPicture(320, 240, 3 * i, /*smeared=*/i == 11));
  }
  writer.Finish();
  MakeExtractStage()->Run(context_);
  const StageResult checked = MakeCheckStage()->Run(context_);
  EXPECT_EQ(checked.facts["frames"]["kept"], 19);
  EXPECT_THAT(Dropped(), ElementsAre(HasSubstr("00012.jpg: blurred")));
}

TEST_F(CaptureStages, TargetAndEvery) {
  context_.capture = folder_.path() / "clip.mp4";
  VideoWriter writer(context_.capture, 320, 240, 30);
  for (int i = 0; i < 40; ++i) writer.Write(TestPicture(320, 240, i, 0));
  writer.Finish();
  const std::unique_ptr<Stage> stage = MakeExtractStage();
  const auto indices = [&] {
    stage->Run(context_);
    std::vector<int64_t> found;
    for (const ListedFrame& frame :
         ReadFrameList(context_.workspace / kFrameListFile).frames) {
      found.push_back(frame.index);
    }
    return found;
  };
  Set(*stage, "target", "4");
  EXPECT_THAT(indices(),
              ElementsAre(AllOf(Ge(4), Le(6)),
                          AllOf(Ge(14), Le(16)),
                          AllOf(Ge(24), Le(26)),
                          AllOf(Ge(34), Le(36))));
  Set(*stage, "every", "15");
  EXPECT_THAT(indices(), ElementsAre(0, 15, 30));
}

TEST_F(CaptureStages, StaticCameraIsCaughtHere) {
  context_.capture = folder_.path() / "still.mp4";
  VideoWriter writer(context_.capture, 160, 120, 30, 23);
  for (int i = 0; i < 20; ++i) writer.Write(TestPicture(160, 120));
  writer.Finish();
  MakeExtractStage()->Run(context_);
  const StageResult result = MakeCheckStage()->Run(context_);
  EXPECT_EQ(result.state, StageResult::State::kFailed);
  EXPECT_THAT(result.line, HasSubstr("the camera does not move"));
  // A line for each repeated frame, and where the page is.
  ASSERT_EQ(result.account.size(), 20u);
  EXPECT_THAT(result.account.back(), HasSubstr("check.html"));
}

TEST_F(CaptureStages, PhotosStayAsTheyAre) {
  const std::filesystem::path photos = folder_.path() / "照 片";
  std::filesystem::create_directories(photos);
  for (int i = 1; i <= 10; ++i) {
    const bool other = i == 3 || i == 4;
    WriteImage(TestPicture(other ? 48 : 64, 48, 5 * i),
               photos / ("IMG_" + std::to_string(i) + ".jpg"));
  }
  std::filesystem::rename(photos / "IMG_2.jpg", photos / "IMG_2.JPG");
  WriteImage(TestPicture(64, 48, 100), photos / ".hidden.jpg");
  std::ofstream(photos / "notes.txt") << "not a photo";
  const std::string whole = ReadFile(photos / "IMG_6.jpg");
  std::ofstream(photos / "IMG_5.jpg", std::ios::binary)
      << whole.substr(0, whole.size() / 2);

  context_.capture = photos;
  MakeExtractStage()->Run(context_);
  const FrameList list = ReadFrameList(context_.workspace / kFrameListFile);
  ASSERT_EQ(list.frames.size(), 9u);
  EXPECT_EQ(list.source, "照 片");
  EXPECT_EQ(list.frames[1].original, "IMG_2.JPG");
  EXPECT_EQ(list.frames[4].original, "IMG_6.jpg");  // 5 is damaged
  EXPECT_EQ(list.frames[4].name, "00005.jpg");
  EXPECT_EQ(list.frames[8].original, "IMG_10.jpg");
  EXPECT_EQ(ReadFile(context_.workspace / "frames/00005.jpg"), whole);

  EXPECT_EQ(MakeCheckStage()->Run(context_).line, "9 of 9 frames kept");
}

TEST_F(CaptureStages, PhotosTakenTheOtherWayAreTurned) {
  const std::filesystem::path photos = folder_.path() / "photos";
  std::filesystem::create_directories(photos);
  const Image picture = TestPicture(64, 48, 7);
  for (int i = 1; i <= 9; ++i) {
    WriteImage(
        i < 9 ? TestPicture(64, 48, 9 * i) : ApplyOrientation(picture, 6),
        photos / (std::to_string(i) + ".png"));
  }
  context_.capture = photos;
  MakeExtractStage()->Run(context_);
  EXPECT_EQ(ReadImage(context_.workspace / "frames/00009.png").pixels,
            picture.pixels);
}

TEST_F(CaptureStages, BadCapturesAreNamed) {
  const std::filesystem::path& folder = folder_.path();
  EXPECT_THAT(ExtractProblem(folder / "none"), HasSubstr("there is no file"));
  std::filesystem::create_directories(folder / "empty");
  EXPECT_THAT(ExtractProblem(folder / "empty"),
              HasSubstr("holds no images and no videos"));
  std::filesystem::create_directories(folder / "above/inside");
  WriteImage(TestPicture(16, 16), folder / "above/inside/a.jpg");
  EXPECT_EQ(ExtractProblem(folder / "above"), "no error");
  std::filesystem::create_directories(folder / "above/more");
  WriteImage(TestPicture(16, 16), folder / "above/more/a.jpg");
  EXPECT_EQ(ExtractProblem(folder / "above"), "no error");
  std::filesystem::create_directories(folder / "deep/1/2/3/4");
  WriteImage(TestPicture(16, 16), folder / "deep/1/2/3/4/a.jpg");
  EXPECT_THAT(ExtractProblem(folder / "deep"),
              HasSubstr("such as '" + (folder / "deep/1/2/3/4").string()));
  std::filesystem::create_directories(folder / "phone");
  std::ofstream(folder / "phone/IMG_1.CR2") << "x";
  EXPECT_THAT(ExtractProblem(folder / "phone"), HasSubstr("convert"));
  EXPECT_THAT(ExtractProblem(folder / "above/inside/a.jpg"),
              HasSubstr("is a picture, not a video"));
}

TEST_F(CaptureStages, RealCapturesKeepNearlyEverything) {
  NERFPIPE_NEEDS_REAL_DATA();
  for (const char* name :
       {"captures/beer.mp4", "captures/bird.mp4", "fox/images"}) {
    std::filesystem::remove_all(context_.workspace);
    context_.capture = RealData() / name;
    MakeExtractStage()->Run(context_);
    const StageResult result = MakeCheckStage()->Run(context_);
    ASSERT_EQ(result.state, StageResult::State::kDone) << name;
    const double kept = result.facts["frames"]["kept"];
    EXPECT_GE(kept / result.facts["frames"]["extracted"].get<double>(), 0.95)
        << name;
  }
}

}  // namespace
}  // namespace nerfpipe
