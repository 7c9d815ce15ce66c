#include "stages/capture/frame_choice.h"

#include "stages/capture/clip_survey.h"
#include "stages/capture/natural_order.h"

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

std::vector<SurveyedFrame> Clip(const std::vector<double>& motions) {
  std::vector<SurveyedFrame> frames;
  for (const double motion : motions) {
    frames.push_back({static_cast<int64_t>(frames.size()), 100, motion});
  }
  return frames;
}

TEST(ChooseByMotion, TakesTheMiddlesOfAnEvenClip) {
  EXPECT_THAT(ChooseByMotion(Clip(std::vector<double>(41, 0.005)), 4),
              ElementsAre(5, 15, 25, 35));
}

TEST(ChooseByMotion, PrefersTheSharpestNearTheMiddle) {
  std::vector<SurveyedFrame> frames = Clip(std::vector<double>(41, 0.005));
  frames[7].sharpness = 130;
  frames[19].sharpness = 1000;  // at the edge of its part
  frames[24].sharpness = 101;   // not worth the step
  EXPECT_THAT(ChooseByMotion(frames, 4), ElementsAre(7, 15, 25, 35));
}

TEST(ChooseByMotion, FollowsTheMotionNotTheTime) {
  // Still, then fast, then still: one frame each from the still ends.
  std::vector<double> motions(90, 0);
  std::fill(motions.begin() + 30, motions.begin() + 60, 0.015);
  const std::vector<int64_t> chosen = ChooseByMotion(Clip(motions), 10);
  EXPECT_EQ(chosen.size(), 10u);
  EXPECT_EQ(std::count_if(chosen.begin(),
                          chosen.end(),
                          [](int64_t i) { return i < 30 || i >= 60; }),
            0);
}

TEST(ChooseByMotion, TakesMoreWhereStepsWouldBeTooLarge) {
  // 100 frames that move by 0.03 of the width each: at most two steps apart.
  const std::vector<int64_t> chosen =
      ChooseByMotion(Clip(std::vector<double>(100, 0.03)), 25);
  EXPECT_EQ(chosen.size(), 50u);
  // No more than three times as many as wanted.
  EXPECT_EQ(ChooseByMotion(Clip(std::vector<double>(100, 0.03)), 10).size(),
            30u);
}

TEST(ChooseByMotion, LosesNoFrameOfAJump) {
  // A jump over several parts leaves them empty.
  EXPECT_THAT(ChooseByMotion(Clip({0, 0.01, 0.2, 0.01}), 3).size(), 2u);
  EXPECT_TRUE(ChooseByMotion({}, 10).empty());
}

TEST(ChooseByMotion, GivesTheNumbersOfTheClip) {
  std::vector<SurveyedFrame> frames = Clip(std::vector<double>(41, 0.005));
  for (SurveyedFrame& frame : frames) frame.index = 3 * frame.index + 1;
  EXPECT_THAT(ChooseByMotion(frames, 4), ElementsAre(16, 46, 76, 106));
}

TEST(ChooseByMotion, SpreadsOverAStillClip) {
  EXPECT_THAT(ChooseByMotion(Clip(std::vector<double>(41, 0)), 4),
              ElementsAre(5, 15, 25, 35));
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

TEST(DropBlurred, KeepsWhatLiesOnTheBoundary) {
  std::vector<double> sharpness(20, 100.0);
  sharpness[5] = 40;
  sharpness[12] = 39.9;
  CaptureFile capture = WithSharpness(sharpness);
  DropBlurred(0.4, &capture);
  EXPECT_THAT(Dropped(capture), ElementsAre(12));
  EXPECT_EQ(capture.frames[12].reason,
            "blurred: 40 % of its neighbours' sharpness");
  // A black frame among black ones is as sharp as they are.
  CaptureFile black = WithSharpness(std::vector<double>(20, 0.0));
  DropBlurred(0, &black);
  EXPECT_TRUE(Dropped(black).empty());
}

TEST(DropBlurred, LooksOnlyAtWhatIsStillKept) {
  // Frames that show the same view again are neighbours of none.
  std::vector<double> sharpness(30, 100.0);
  for (size_t i = 3; i < 20; ++i) sharpness[i] = 5;
  CaptureFile capture = WithSharpness(sharpness);
  for (size_t i = 3; i < 20; ++i) {
    capture.frames[i].kept = false;
    capture.frames[i].reason = "same view";
  }
  DropBlurred(0.4, &capture);
  EXPECT_EQ(Dropped(capture).size(), 17u);
  EXPECT_EQ(capture.frames[10].relative_sharpness, 1);
}

TEST(RelativeToNeighbours, TakesTheMedianOfTenOthers) {
  // Of an even number of others the mean of the two in the middle; more on one
  // side at the ends.
  std::vector<double> values;
  for (int i = 1; i <= 14; ++i) values.push_back(i);
  const std::vector<double> relative = RelativeToNeighbours(values);
  EXPECT_NEAR(relative[6], 7 / 7.0, 1e-12);    // 2..6, 8..12
  EXPECT_NEAR(relative[0], 1 / 6.5, 1e-12);    // 2..11
  EXPECT_NEAR(relative[13], 14 / 8.5, 1e-12);  // 4..13
  EXPECT_NEAR(relative[2], 3 / 6.5, 1e-12);    // 1, 2, 4..11
  EXPECT_THAT(RelativeToNeighbours({5}), ElementsAre(1.0));
  EXPECT_THAT(RelativeToNeighbours({5, 10}), ElementsAre(0.5, 2.0));
  EXPECT_THAT(RelativeToNeighbours({3, 0, 0}), ElementsAre(1.0, 0.0, 0.0));
}

TEST(RangeOfMost, LeavesOutATwentiethAtEitherEnd) {
  EXPECT_EQ(RangeOfMost({}), 0);
  EXPECT_EQ(RangeOfMost({7}), 0);
  std::vector<double> values;
  for (int i = 0; i < 19; ++i) values.push_back(100 * i % 19);
  EXPECT_EQ(RangeOfMost(values), 18);
  values.push_back(-50);  // twenty: one at either end is an extreme
  EXPECT_EQ(RangeOfMost(values), 17);
}

TEST(DropDuplicates, KeepsWhatLiesOnTheBoundary) {
  CaptureFile capture = WithSharpness({1, 1, 1, 1});
  const std::vector<double> at = {0, 0.25, 0.5, 0.625};
  DropDuplicates(
      0.25,
      [&](size_t i, size_t j) {
        EXPECT_LT(i, j);
        return at[j] - at[i];
      },
      &capture);
  EXPECT_THAT(Dropped(capture), ElementsAre(3));
  EXPECT_EQ(capture.frames[3].reason, "same view as 2");
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

TEST(DropOtherSizes, OfWhatIsKept) {
  CaptureFile capture = WithSharpness({1, 1, 1, 1, 1});
  EXPECT_THAT(OfMostCommonSize(capture), ElementsAre(0, 1, 2, 3, 4));
  for (const size_t i : {1u, 2u, 4u}) capture.frames[i].height = 60;
  EXPECT_THAT(OfMostCommonSize(capture), ElementsAre(1, 2, 4));
  for (const size_t i : {1u, 2u}) {
    capture.frames[i].kept = false;
    capture.frames[i].reason = "copy";
  }
  EXPECT_THAT(OfMostCommonSize(capture), ElementsAre(0, 3));
  EXPECT_TRUE(OfMostCommonSize({}).empty());
}

TEST(Clips, AreNotComparedAcrossTheirBorder) {
  // The second clip has a tenth of the sharpness of the first, and begins where
  // that ends; their frames lie by turns.
  std::vector<double> sharpness;
  for (int i = 0; i < 40; ++i) sharpness.push_back(i % 2 == 0 ? 100 : 10);
  sharpness[12] = 30;
  CaptureFile capture = WithSharpness(sharpness);
  capture.kind = "clips";
  for (size_t i = 0; i < 40; ++i) {
    capture.frames[i].clip = i % 2 == 0 ? "a.mp4" : "b.mp4";
  }
  DropDuplicates(
      0.1,
      [](size_t i, size_t j) {
        EXPECT_EQ(i % 2, j % 2);
        return j == 25 ? 0.05 : 1;
      },
      &capture);
  EXPECT_THAT(Dropped(capture), ElementsAre(25));
  EXPECT_EQ(capture.frames[25].reason, "same view as 23");
  DropBlurred(0.4, &capture);
  EXPECT_THAT(Dropped(capture), ElementsAre(12, 25));
  EXPECT_EQ(capture.frames[13].relative_sharpness, 1);
}

// `count` motions, of which the first is from nowhere.
std::vector<double> Motions(size_t count, double each) {
  std::vector<double> motions(count, each);
  motions[0] = 0;
  return motions;
}

TEST(AreOfAClip, WhereNeighboursHardlyMove) {
  EXPECT_TRUE(AreOfAClip(Motions(200, 0.0149)));
  EXPECT_FALSE(AreOfAClip(Motions(200, 0.015)));
  // Photos of places each of which was taken several times.
  std::vector<double> motions = Motions(200, 0.001);
  for (size_t i = 1; i < 200; i += 9) motions[i] = 0.2;
  EXPECT_FALSE(AreOfAClip(motions));
  // A cut now and then is none of that.
  for (size_t i = 1; i < 200; i += 9) motions[i] = i % 2 == 0 ? 0.2 : 0.01;
  EXPECT_TRUE(AreOfAClip(motions));
  EXPECT_FALSE(AreOfAClip({}));
  EXPECT_FALSE(AreOfAClip({0, 0.001}));
}

TEST(ThinLikeAClip, KeepsTheSharpestAtEqualSteps) {
  std::vector<double> sharpness(41, 100.0);
  sharpness[7] = 130;
  CaptureFile capture = WithSharpness(sharpness);
  // One photo of another size in between is none of the clip.
  capture.frames.insert(capture.frames.begin() + 9, CaptureFrame());
  std::vector<size_t> photos;
  for (size_t i = 0; i < 42; ++i) {
    if (i != 9) photos.push_back(i);
  }
  ThinLikeAClip(photos, Motions(41, 0.005), 4, &capture);
  std::vector<size_t> kept;
  for (size_t i = 0; i < 42; ++i) {
    if (capture.frames[i].kept) kept.push_back(i);
  }
  EXPECT_THAT(kept, ElementsAre(7, 9, 16, 26, 36));
  EXPECT_EQ(capture.frames[0].reason, "hardly another view than 7");
  // The nearest: frames are called by their number before the other came in.
  EXPECT_EQ(capture.frames[11].reason, "hardly another view than 7");
  EXPECT_EQ(capture.frames[13].reason, "hardly another view than 15");
  EXPECT_EQ(capture.frames[41].reason, "hardly another view than 35");
}

}  // namespace
}  // namespace nerfpipe
