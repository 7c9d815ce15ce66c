#include "stages/capture/frame_choice.h"

#include "stages/capture/extract_photos.h"
#include "stages/capture/extract_video.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::ElementsAre;

CaptureFile WithSharpness(const std::vector<double>& sharpness) {
  CaptureFile capture;
  capture.kind = "video";
  for (size_t i = 0; i < sharpness.size(); ++i) {
    CaptureFrame frame;
    frame.name = std::to_string(i);
    frame.width = 100;
    frame.height = 50;
    frame.sharpness = sharpness[i];
    capture.frames.push_back(frame);
  }
  return capture;
}

std::vector<size_t> Dropped(const CaptureFile& capture) {
  std::vector<size_t> dropped;
  for (size_t i = 0; i < capture.frames.size(); ++i) {
    const CaptureFrame& frame = capture.frames[i];
    if (!frame.kept) dropped.push_back(i);
    EXPECT_EQ(frame.kept, frame.reason.empty());
  }
  return dropped;
}

TEST(ChooseFrames, SpreadsOverTheClip) {
  EXPECT_THAT(ChooseFrames(10, 3, 100), ElementsAre(0, 3, 6, 9));
  EXPECT_THAT(ChooseFrames(100, 0, 4), ElementsAre(12, 37, 62, 87));
  EXPECT_THAT(ChooseFrames(3, 0, 100), ElementsAre(0, 1, 2));
  EXPECT_EQ(ChooseFrames(706, 0, 100).size(), 100u);
}

TEST(NaturalLess, OrdersAsPeopleDo) {
  EXPECT_TRUE(NaturalLess("IMG_2.jpg", "img_10.jpg"));
  EXPECT_FALSE(NaturalLess("img_10.jpg", "IMG_2.jpg"));
  EXPECT_TRUE(NaturalLess("a9b2", "a09b10"));
  EXPECT_TRUE(NaturalLess("a", "a1"));
  EXPECT_FALSE(NaturalLess("x", "x"));
  EXPECT_NE(NaturalLess("A.jpg", "a.jpg"), NaturalLess("a.jpg", "A.jpg"));
}

TEST(DropBlurred, ComparesWithNeighboursNotWithANumber) {
  // Sharpness falls tenfold over the clip; frame 20 is blurred, and still
  // sharper than the last frames.
  std::vector<double> sharpness;
  for (int i = 0; i < 60; ++i)
    sharpness.push_back(1000 * std::pow(0.1, i / 59.0));
  sharpness[20] *= 0.3;
  CaptureFile capture = WithSharpness(sharpness);
  DropBlurred(0.4, &capture);
  EXPECT_THAT(Dropped(capture), ElementsAre(20));
  EXPECT_NEAR(capture.frames[20].relative_sharpness, 0.3, 0.02);
  EXPECT_NEAR(capture.frames[30].relative_sharpness, 1, 0.05);
}

TEST(DropBlurred, LeavesNoGapOfThree) {
  std::vector<double> sharpness(50, 100.0);
  sharpness[10] = 12;
  sharpness[11] = 10;
  sharpness[12] = 11;
  CaptureFile capture = WithSharpness(sharpness);
  DropBlurred(0.4, &capture);
  EXPECT_THAT(Dropped(capture), ElementsAre(11, 12));
}

TEST(DropBlurred, TakesAFifthAtMostAndTheWorst) {
  std::vector<double> sharpness(20, 100.0);
  for (size_t i = 0; i < 6; ++i) {
    sharpness[3 * i] = 10 + static_cast<double>(i);
  }
  CaptureFile capture = WithSharpness(sharpness);
  DropBlurred(0.4, &capture);
  EXPECT_THAT(Dropped(capture), ElementsAre(0, 3, 6, 9));
}

TEST(DropDuplicates, ComparesWithTheLastKeptFrame) {
  // Position of the camera at each frame: two stops, and a slow creep that
  // adds up.
  const std::vector<double> at = {0, 1, 1, 1, 2, 2.04, 2.08, 2.12, 3};
  CaptureFile capture = WithSharpness(std::vector<double>(at.size(), 1.0));
  DropDuplicates(
      0.1,
      [&](size_t i, size_t j) { return std::abs(at[j] - at[i]); },
      &capture);
  EXPECT_THAT(Dropped(capture), ElementsAre(2, 3, 5, 6));
}

TEST(DropOtherSizes, KeepsTheMajority) {
  CaptureFile capture = WithSharpness({1, 1, 1, 1, 1});
  std::swap(capture.frames[1].width, capture.frames[1].height);
  std::swap(capture.frames[4].width, capture.frames[4].height);
  DropOtherSizes(&capture);
  EXPECT_THAT(Dropped(capture), ElementsAre(1, 4));
  EXPECT_EQ(capture.frames[4].reason, "size 50x100, most are 100x50");
}

TEST(MeasureExposureDrift, CountsStops) {
  CaptureFile capture = WithSharpness({1, 1, 1});
  EXPECT_NEAR(MeasureExposureDrift({0.1, 0.2, 0.4}, &capture), 2, 1e-9);
  EXPECT_NEAR(capture.frames[0].exposure_drift, -1, 1e-9);
  EXPECT_NEAR(capture.frames[2].exposure_drift, 1, 1e-9);
}

}  // namespace
}  // namespace nerfpipe
