#include "stages/colmap/frames_between.h"

#include "stages/media/image_file.h"
#include "stages/media/video_writer.h"
#include "tests/listener.h"
#include "tests/temporary_folder.h"

#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ColmapModel Holding(const std::vector<std::string>& names) {
  ColmapModel model;
  for (const std::string& name : names) {
    model.images[static_cast<uint32_t>(model.images.size())].name = name;
  }
  return model;
}

std::vector<int64_t> Indices(const std::vector<FrameBetween>& frames) {
  std::vector<int64_t> indices;
  for (const FrameBetween& frame : frames) indices.push_back(frame.index);
  return indices;
}

TEST(ChooseFramesBetween, FillsTheStepsThatNoModelMakes) {
  const std::vector<std::string> names = {
      "00001.jpg", "00002.jpg", "00003.jpg", "00004.jpg", "00005.jpg"};
  const auto chosen = ChooseFramesBetween(names,
                                          {0, 8, 12, 100, 101},
                                          {Holding({"00001.jpg", "00002.jpg"}),
                                           Holding({"00002.jpg", "00003.jpg"}),
                                           Holding({"00004.jpg"})});
  // From 12 to 100 seven equal parts of 11; between 100 and 101 lies nothing.
  EXPECT_THAT(Indices(chosen), ElementsAre(23, 34, 45, 56, 67, 78, 89));
  EXPECT_EQ(chosen[0].name, "00003_1.jpg");
  EXPECT_EQ(chosen[6].name, "00003_7.jpg");
  EXPECT_EQ(chosen[6].after, 2);
  EXPECT_LT(names[2], chosen[0].name);
  EXPECT_LT(chosen[6].name, names[3]);
}

TEST(ChooseFramesBetween, ManyBreaksGetFewerEach) {
  std::vector<std::string> names;
  std::vector<int64_t> indices;
  for (int i = 0; i < 101; ++i) {
    names.push_back("0" + std::to_string(1000 + i) + ".jpg");
    indices.push_back(10 * i);
  }
  EXPECT_EQ(ChooseFramesBetween(names, indices, {}).size(), 100u);
  EXPECT_EQ(ChooseFramesBetween(names, indices, {})[0].index, 5);
  names.push_back("01101.jpg");
  indices.push_back(1010);
  EXPECT_THAT(ChooseFramesBetween(names, indices, {}), IsEmpty());
  // All in one model: nothing to fill.
  EXPECT_THAT(ChooseFramesBetween(names, indices, {Holding(names)}), IsEmpty());
}

// Fewer steps than seven are all taken.
TEST(ChooseFramesBetween, TakesNoFrameTwice) {
  EXPECT_THAT(
      Indices(ChooseFramesBetween({"1.jpg", "2.jpg", "3.jpg"}, {4, 6, 10}, {})),
      ElementsAre(5, 7, 8, 9));
}

// A clip whose frame i is gray, 10 i + 20, but for a white stripe on the left.
class DecodeFramesBetweenTest : public ::testing::Test {
 protected:
  DecodeFramesBetweenTest() {
    VideoWriter writer(folder_ / "clip.mp4", 74, 46, 25);
    for (int i = 0; i < 20; ++i) {
      Image picture(74, 46, 3);
      for (size_t k = 0; k < picture.pixels.size(); ++k) {
        picture.pixels[k] =
            static_cast<uint8_t>(k / 3 % 74 < 10 ? 255 : 10 * i + 20);
      }
      writer.Write(picture);
    }
    writer.Finish();
    std::filesystem::create_directories(folder_ / "frames");
  }

  std::vector<FrameBetween> Decode(const std::vector<FrameBetween>& wanted,
                                   int width = 74,
                                   const char* clip = "clip.mp4") {
    return DecodeFramesBetween(
        folder_ / clip, wanted, width, 46, folder_ / "frames", 2, &report_);
  }

  const TemporaryFolder folder_;
  Listener report_;
};

TEST_F(DecodeFramesBetweenTest, WritesTheFramesAskedFor) {
  const std::vector<FrameBetween> decoded = Decode(
      {{"00003_1.jpg", 4, 2}, {"00003_2.jpg", 5, 2}, {"00007_1.jpg", 17, 6}});
  ASSERT_THAT(Indices(decoded), ElementsAre(4, 5, 17));
  EXPECT_EQ(decoded[2].name, "00007_1.jpg");
  EXPECT_EQ(decoded[2].after, 6);
  for (const FrameBetween& frame : decoded) {
    const Image picture = ReadImage(folder_ / "frames" / frame.name);
    ASSERT_EQ(picture.width, 74);
    ASSERT_EQ(picture.height, 46);
    EXPECT_NEAR(picture.At(50, 23)[1], 10 * frame.index + 20, 3);
    EXPECT_GT(picture.At(3, 23)[1], 240);
  }
  EXPECT_THAT(report_.started, ElementsAre("decoding more frames, 3 frames"));
}

TEST_F(DecodeFramesBetweenTest, AClipThatIsNoLongerTheSameGivesWhatItHas) {
  EXPECT_THAT(
      Indices(Decode({{"a.jpg", -1, 0}, {"b.jpg", 19, 0}, {"c.jpg", 20, 0}})),
      ElementsAre(19));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "frames" / "c.jpg"));
  EXPECT_THAT(Decode({{"d.jpg", 4, 2}}, 76), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "frames" / "d.jpg"));
}

TEST_F(DecodeFramesBetweenTest, AClipThatIsGoneIsToldInTheLogAlone) {
  EXPECT_THAT(Decode({{"a.jpg", 4, 2}}, 74, "gone.mp4"), IsEmpty());
  EXPECT_THAT(report_.details, ElementsAre(HasSubstr("gone.mp4")));
  EXPECT_THAT(report_.warnings, IsEmpty());
}

}  // namespace
}  // namespace nerfpipe::sfm
