// Each verdict at the two sides of each of its boundaries.

#include "stages/capture/report_card.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CaptureFile Frames(size_t kept, double sharpness = 100) {
  CaptureFile capture;
  capture.kind = "video";
  for (size_t i = 0; i < kept; ++i) {
    CaptureFrame frame;
    frame.name = std::to_string(i) + ".jpg";
    frame.sharpness = sharpness;
    capture.frames.push_back(frame);
  }
  return capture;
}

void AddDropped(const std::string& reason, size_t count, CaptureFile* capture) {
  for (size_t i = 0; i < count; ++i) {
    CaptureFrame frame;
    frame.name = reason.substr(0, 2) + std::to_string(i) + ".jpg";
    frame.kept = false;
    frame.reason = reason;
    capture->frames.push_back(frame);
  }
}

ViewPair Common(int matches, double shift = 0.05) {
  ViewPair pair;
  pair.matches = matches;
  pair.shift = shift;
  return pair;
}

// Neighbours that hang together, and the end that sees the beginning.
std::vector<ComparedPair> Walk(size_t count) {
  std::vector<ComparedPair> pairs;
  for (size_t i = 0; i + 1 < count; ++i) {
    pairs.push_back({i, i + 1, Common(18)});
  }
  pairs.push_back({0, count - 1, Common(18)});
  return pairs;
}

const Verdict& Item(const std::vector<Verdict>& card, const std::string& item) {
  for (const Verdict& verdict : card) {
    if (verdict.item == item) return verdict;
  }
  throw std::runtime_error("no " + item);
}

Verdict Judge(const std::string& item,
              const CaptureFile& capture,
              const std::vector<ComparedPair>& pairs,
              const CaptureLight& light = {}) {
  const std::vector<Verdict> card = ReportCard(capture, pairs, light);
  // Whatever is not good comes with advice.
  for (const Verdict& verdict : card) {
    EXPECT_EQ(verdict.grade == Grade::kGood, verdict.advice.empty())
        << verdict.item;
    EXPECT_FALSE(verdict.finding.empty()) << verdict.item;
  }
  return Item(card, item);
}

std::vector<std::string> Items(const std::vector<Verdict>& card) {
  std::vector<std::string> items;
  for (const Verdict& verdict : card) items.push_back(verdict.item);
  return items;
}

TEST(ReportCard, HasTheSameItemsForEveryCapture) {
  CaptureFile capture = Frames(50);
  EXPECT_THAT(Items(ReportCard(capture, Walk(50), {})),
              ElementsAre("amount",
                          "sharpness",
                          "exposure",
                          "white balance",
                          "overlap",
                          "movement",
                          "repeats",
                          "orbit"));
  EXPECT_EQ(Overall(ReportCard(capture, Walk(50), {})), Grade::kGood);
  capture.kind = "photos";
  EXPECT_THAT(Items(ReportCard(capture, Walk(50), {})),
              ElementsAre("amount",
                          "sharpness",
                          "exposure",
                          "white balance",
                          "overlap",
                          "movement"));
  EXPECT_EQ(ReportCard(Frames(0), {}, {}).size(), 8u);
  // Two clips may close together where none does alone.
  capture.kind = "clips";
  for (size_t i = 0; i < 50; ++i) {
    capture.frames[i].clip = i < 20 ? "a.mp4" : "b.mp4";
  }
  EXPECT_THAT(Items(ReportCard(capture, Walk(50), {})),
              ElementsAre("amount",
                          "sharpness",
                          "exposure",
                          "white balance",
                          "overlap",
                          "movement",
                          "repeats"));
}

TEST(ReportCard, OverallIsTheWorstWhereverItStands) {
  EXPECT_EQ(Overall({}), Grade::kGood);
  for (const Grade worst : {Grade::kFair, Grade::kBad}) {
    for (size_t at = 0; at < 4; ++at) {
      std::vector<Verdict> card(4);
      card[(at + 1) % 4].grade = Grade::kFair;
      card[at].grade = worst;
      EXPECT_EQ(Overall(card), worst) << at;
    }
  }
  EXPECT_STREQ(NameOf(Grade::kGood), "good");
  EXPECT_STREQ(NameOf(Grade::kFair), "fair");
  EXPECT_STREQ(NameOf(Grade::kBad), "bad");
}

TEST(ReportCard, Amount) {
  const auto grade = [](size_t kept) {
    CaptureFile capture = Frames(kept);
    AddDropped("same view as another", 40, &capture);
    return Judge("amount", capture, Walk(kept)).grade;
  };
  EXPECT_EQ(grade(40), Grade::kGood);
  EXPECT_EQ(grade(39), Grade::kFair);
  EXPECT_EQ(grade(8), Grade::kFair);
  EXPECT_EQ(grade(7), Grade::kBad);
  EXPECT_EQ(Judge("amount", Frames(9), Walk(9)).finding,
            "9 frames can be used");
}

TEST(ReportCard, BlurredFramesAreNamed) {
  CaptureFile capture = Frames(18);
  AddDropped("same view as 3.jpg", 7, &capture);
  AddDropped("blurred: 20 %", 2, &capture);
  Verdict verdict = Judge("sharpness", capture, Walk(18));
  EXPECT_EQ(verdict.grade, Grade::kGood);  // a tenth
  EXPECT_EQ(verdict.finding, "2 of 20 frames are blurred and left out");
  EXPECT_THAT(verdict.frames, ElementsAre("bl0.jpg", "bl1.jpg"));
  AddDropped("blurred: 20 %", 1, &capture);
  verdict = Judge("sharpness", capture, Walk(18));
  EXPECT_EQ(verdict.grade, Grade::kFair);
  EXPECT_THAT(verdict.advice, HasSubstr("more slowly"));
}

TEST(ReportCard, SoftCapturesAreSaidToBe) {
  EXPECT_EQ(Judge("sharpness", Frames(20, 12), Walk(20)).grade, Grade::kGood);
  const Verdict soft = Judge("sharpness", Frames(20, 11.4), Walk(20));
  EXPECT_EQ(soft.grade, Grade::kFair);
  EXPECT_THAT(soft.finding, HasSubstr("; most are soft or plain"));
  EXPECT_THAT(soft.advice, HasSubstr("wipe the lens"));
  // By the middle one of those that are kept.
  CaptureFile capture = Frames(5, 100);
  capture.frames[1].sharpness = capture.frames[4].sharpness = 1;
  EXPECT_EQ(Judge("sharpness", capture, Walk(5)).grade, Grade::kGood);
  capture.frames[0].kept = capture.frames[2].kept = false;
  EXPECT_EQ(Judge("sharpness", capture, Walk(3)).grade, Grade::kFair);
}

TEST(ReportCard, WhatIsDarkIsNotCalledSoft) {
  // A quarter of the light's signal leaves a sixteenth of the sharpness.
  const auto grade = [](double sharpness, double bright) {
    CaptureLight light;
    light.tones.assign(21, Tones{bright});
    CaptureFile capture = Frames(20, sharpness);
    capture.frames.insert(capture.frames.begin(), CaptureFrame());
    capture.frames[0].kept = false;
    light.tones[0].bright = 1;
    return Judge("sharpness", capture, Walk(20), light).grade;
  };
  EXPECT_EQ(grade(0.76, 0.125), Grade::kGood);
  EXPECT_EQ(grade(0.74, 0.125), Grade::kFair);
  // More light than usual makes nothing sharper or softer.
  EXPECT_EQ(grade(12, 0.9), Grade::kGood);
  EXPECT_EQ(grade(11.9, 0.9), Grade::kFair);
  // Black is not sharp.
  EXPECT_EQ(grade(0.01, 0), Grade::kFair);
}

Verdict Exposure(size_t count, const Tones& tones) {
  CaptureLight light;
  light.exposure = 0.3;
  light.tones.assign(20, Tones{0.7, 0.1, 0, 0});
  for (size_t i = 0; i < count; ++i) light.tones[2 * i % 20 + i / 10] = tones;
  return Judge("exposure", Frames(20), Walk(20), light);
}

TEST(ReportCard, TooDark) {
  const Tones dark = {0.189, 0, 0, 0};
  EXPECT_EQ(Exposure(20, {0.19, 0, 0.6, 0}).grade, Grade::kGood);
  EXPECT_EQ(Exposure(1, dark).grade, Grade::kGood);
  EXPECT_EQ(Exposure(2, dark).grade, Grade::kFair);
  EXPECT_EQ(Exposure(9, dark).grade, Grade::kFair);
  EXPECT_EQ(Exposure(10, dark).grade, Grade::kBad);
  EXPECT_EQ(Exposure(10, {0.7, 0, 0.61, 0}).grade, Grade::kBad);
  const Verdict verdict = Exposure(2, dark);
  EXPECT_EQ(verdict.finding,
            "changes by 0.3 stops; 2 of 20 frames are too dark");
  EXPECT_THAT(verdict.frames, ElementsAre("0.jpg", "2.jpg"));
  EXPECT_THAT(verdict.advice, HasSubstr("more light"));
  EXPECT_THAT(verdict.advice, HasSubstr("stretched"));
}

TEST(ReportCard, TooBright) {
  const Tones bright = {1, 0.2, 0, 0.21};
  EXPECT_EQ(Exposure(20, {1, 0.8, 0, 0.2}).grade, Grade::kGood);
  EXPECT_EQ(Exposure(1, bright).grade, Grade::kGood);
  EXPECT_EQ(Exposure(2, bright).grade, Grade::kFair);
  EXPECT_EQ(Exposure(2, {1, 0.81, 0, 0}).grade, Grade::kFair);
  // Bad where more than half of most frames is lost.
  EXPECT_EQ(Exposure(20, {1, 0.9, 0, 0.5}).grade, Grade::kFair);
  EXPECT_EQ(Exposure(10, {1, 0.2, 0, 0.51}).grade, Grade::kBad);
  EXPECT_EQ(Exposure(9, {1, 0.2, 0, 0.51}).grade, Grade::kFair);
  EXPECT_EQ(Exposure(2, bright).finding,
            "changes by 0.3 stops; 2 of 20 frames are too bright");
  EXPECT_THAT(Exposure(2, bright).advice, HasSubstr("brightest"));
}

TEST(ReportCard, OnlyKeptFramesAreTooDark) {
  CaptureFile capture = Frames(20);
  CaptureLight light;
  light.tones.assign(20, Tones{0.7, 0.1, 0, 0});
  for (const size_t i : {3u, 4u, 9u}) light.tones[i].bright = 0.1;
  EXPECT_EQ(Judge("exposure", capture, Walk(20), light).grade, Grade::kFair);
  capture.frames[4].kept = capture.frames[9].kept = false;
  EXPECT_EQ(Judge("exposure", capture, Walk(18), light).grade, Grade::kGood);
}

TEST(ReportCard, Light) {
  const auto grade = [](const char* item, CaptureLight light) {
    return Judge(item, Frames(20), Walk(20), light).grade;
  };
  EXPECT_EQ(grade("exposure", {1, 9, {}}), Grade::kGood);
  EXPECT_EQ(grade("exposure", {1.01, 0, {}}), Grade::kFair);
  EXPECT_EQ(grade("exposure", {2.5, 0, {}}), Grade::kFair);
  EXPECT_EQ(grade("exposure", {2.51, 0, {}}), Grade::kBad);
  EXPECT_EQ(grade("white balance", {9, 0.8, {}}), Grade::kGood);
  EXPECT_EQ(grade("white balance", {0, 0.81, {}}), Grade::kFair);
  EXPECT_EQ(grade("white balance", {0, 9, {}}), Grade::kFair);
  EXPECT_EQ(Judge("exposure", Frames(20), Walk(20), {1.24, 0.5, {}}).finding,
            "changes by 1.2 stops");
  EXPECT_EQ(
      Judge("white balance", Frames(20), Walk(20), {1.24, 0.5, {}}).finding,
      "changes by 0.5 stops");
}

// The walk with `lost` views at its beginning that nothing ties to the rest.
Verdict Overlap(size_t count, size_t lost, const std::string& kind) {
  CaptureFile capture = Frames(count);
  capture.kind = kind;
  std::vector<ComparedPair> pairs = Walk(count);
  pairs.pop_back();
  pairs[lost - 1].common.matches = 17;
  // Pairs that were compared for the sake of movement tie nothing.
  pairs.push_back({0, count - 1, Common(99), true});
  return Judge("overlap", capture, pairs);
}

TEST(ReportCard, Overlap) {
  EXPECT_EQ(Judge("overlap", Frames(30), Walk(30)).grade, Grade::kGood);
  EXPECT_EQ(Overlap(30, 3, "video").grade, Grade::kFair);
  EXPECT_EQ(Overlap(30, 4, "video").grade, Grade::kBad);
  EXPECT_EQ(Overlap(30, 12, "photos").grade, Grade::kFair);
  EXPECT_EQ(Overlap(30, 13, "photos").grade, Grade::kBad);
  const Verdict verdict = Overlap(30, 3, "video");
  EXPECT_EQ(verdict.finding,
            "3 of 30 views share little with the others; the capture falls "
            "into 2 parts");
  EXPECT_EQ(Overlap(30, 1, "video").finding,
            "1 of 30 views shares little with the others; the capture falls "
            "into 2 parts");
  EXPECT_THAT(verdict.frames, ElementsAre("0.jpg", "1.jpg", "2.jpg"));
  EXPECT_THAT(verdict.advice, HasSubstr("extract.target"));
  EXPECT_THAT(Overlap(30, 3, "photos").advice, HasSubstr("add photos"));
  EXPECT_EQ(Overlap(30, 4, "clips").grade, Grade::kBad);
  EXPECT_THAT(Overlap(30, 4, "clips").advice, HasSubstr("each clip"));
}

TEST(ReportCard, OverlapIsThatOfTheKeptFrames) {
  // Views are numbered among those that are kept.
  CaptureFile capture = Frames(12);
  capture.frames[0].kept = capture.frames[4].kept = false;
  std::vector<ComparedPair> pairs = Walk(10);
  pairs.pop_back();
  pairs.back().common.matches = 17;
  EXPECT_THAT(Judge("overlap", capture, pairs).frames, ElementsAre("11.jpg"));
  // A view that was compared with none belongs to none.
  pairs.pop_back();
  EXPECT_THAT(Judge("overlap", capture, pairs).frames, ElementsAre("11.jpg"));
}

TEST(ReportCard, OverlapOfOneViewIsNothingToJudge) {
  EXPECT_THAT(Judge("overlap", Frames(1), {}).finding, HasSubstr("nothing"));
  EXPECT_EQ(Judge("overlap", Frames(1), {}).grade, Grade::kGood);
}

// Seen by a camera that turns by `angle` about its upright axis.
std::array<double, 9> Turned(double angle) {
  const double f = 0.83;
  const double c = std::cos(angle);
  const double s = std::sin(angle);
  return {c, 0, f * s, 0, 1, 0, -s / f, 0, c};  // K R K^-1
}

// Of `wide` pairs that are far enough apart, `planar` are explained by a turn.
Verdict Movement(size_t wide, size_t planar, const ViewPair& changed = {}) {
  std::vector<ComparedPair> pairs = Walk(40);
  for (auto& pair : pairs) pair.common.shift = 0.01;
  for (size_t i = 0; i < wide; ++i) {
    ViewPair& common = pairs[i].common;
    common.shift = 0.1;
    common.planar = i < planar ? 0.71 : 0.7;
    common.homography = Turned(0.12 + 0.01 * static_cast<double>(i));
  }
  if (changed.matches > 0) pairs[0].common = changed;
  return Judge("movement", Frames(40), pairs);
}

TEST(ReportCard, ACameraThatTurnsOnTheSpotIsBad) {
  EXPECT_EQ(Movement(20, 20).grade, Grade::kBad);
  EXPECT_EQ(Movement(20, 20).finding, "the camera turns on the spot");
  EXPECT_EQ(Movement(20, 17).grade, Grade::kBad);  // 85 in 100
  EXPECT_EQ(Movement(20, 16).grade, Grade::kGood);
  EXPECT_EQ(Movement(4, 4).grade, Grade::kBad);
  EXPECT_EQ(Movement(3, 3).grade, Grade::kGood);
  // Pairs that are too near, or have too few matches, say nothing.
  ViewPair near = Common(18, 0.099);
  near.planar = 1;
  near.homography = Turned(0.1);
  EXPECT_EQ(Movement(4, 4, near).grade, Grade::kGood);
  ViewPair few = near;
  few.shift = 0.1;
  few.matches = 17;
  EXPECT_EQ(Movement(4, 4, few).grade, Grade::kGood);
}

TEST(ReportCard, AWallIsNoTurn) {
  std::vector<ComparedPair> pairs = Walk(40);
  for (auto& pair : pairs) {
    pair.common.shift = 0.2;
    pair.common.planar = 1;
    // A wall that leans, seen from a step aside.
    pair.common.homography = {1.1, 0, -0.2, 0.06, 1, -0.02, 0.13, 0, 1};
  }
  EXPECT_EQ(Judge("movement", Frames(40), pairs).grade, Grade::kGood);
}

TEST(ReportCard, ATurntableBeforeAStillWallIsFair) {
  const auto grade = [](size_t still, double share) {
    std::vector<ComparedPair> pairs = Walk(40);  // 40 pairs
    for (size_t i = 0; i < still; ++i) pairs[i].common.still = share;
    return Judge("movement", Frames(40), pairs).grade;
  };
  EXPECT_EQ(grade(16, 0.26), Grade::kFair);
  EXPECT_EQ(grade(15, 0.26), Grade::kGood);
  EXPECT_EQ(grade(40, 0.25), Grade::kGood);
}

TEST(ReportCard, WhatIsPrintedOverAPictureIsNoBackground) {
  // Views far apart share little else.
  std::vector<ComparedPair> pairs = Walk(40);
  for (size_t i = 0; i < 30; ++i) {
    pairs.push_back({i, i + 10, Common(20), true});
    pairs.back().common.still = 0.8;
  }
  EXPECT_EQ(Judge("movement", Frames(40), pairs).grade, Grade::kGood);
}

TEST(ReportCard, NoMovementIsFair) {
  const auto verdict = [](double shift) {
    std::vector<ComparedPair> pairs = Walk(40);
    for (auto& pair : pairs) pair.common.shift = shift;
    return Judge("movement", Frames(40), pairs);
  };
  EXPECT_EQ(verdict(0.02).grade, Grade::kGood);
  EXPECT_EQ(verdict(0.0199).grade, Grade::kFair);
  EXPECT_THAT(verdict(0.01).finding, HasSubstr("no movement"));
  EXPECT_EQ(Judge("movement", Frames(40), {}).grade, Grade::kFair);
}

TEST(ReportCard, RepeatsAreCounted) {
  CaptureFile capture = Frames(10);
  EXPECT_EQ(Judge("repeats", capture, Walk(10)).finding,
            "every frame shows another view");
  AddDropped("same view as 3.jpg", 4, &capture);
  AddDropped("blurred", 1, &capture);
  EXPECT_EQ(Judge("repeats", capture, Walk(10)).finding,
            "4 of 15 frames repeat the view before and are left out");
  EXPECT_THAT(Judge("repeats", capture, Walk(10)).frames, IsEmpty());
}

TEST(ReportCard, AnOrbitCloses) {
  const auto grade = [](size_t count, size_t end, int matches) {
    std::vector<ComparedPair> pairs = Walk(count);
    pairs.back() = {0, end, Common(matches)};
    return Judge("orbit", Frames(count), pairs).grade;
  };
  EXPECT_EQ(grade(40, 39, 18), Grade::kGood);
  EXPECT_EQ(grade(40, 39, 17), Grade::kFair);
  // Views of the second half see the first: more than half of the walk apart,
  // and in a short one more than ten views.
  EXPECT_EQ(grade(40, 21, 18), Grade::kGood);
  EXPECT_EQ(grade(40, 20, 18), Grade::kFair);
  EXPECT_EQ(grade(12, 11, 18), Grade::kGood);
  EXPECT_EQ(grade(12, 10, 18), Grade::kFair);
}

// Of views that show nothing.
std::vector<std::array<size_t, 2>> PairsOf(
    size_t count, const std::vector<std::string>& clips) {
  std::vector<std::array<size_t, 2>> pairs;
  for (const auto& pair :
       CompareCapture(std::vector<ViewPoints>(count), clips, 2)) {
    if (!pair.far) pairs.push_back({pair.first, pair.second});
  }
  return pairs;
}

std::vector<std::array<size_t, 2>> PairsOfVideo(size_t count) {
  return PairsOf(count, std::vector<std::string>(count));
}

TEST(CompareCapture, AVideoIsComparedAlongItsWalkAndAtItsEnds) {
  const auto pairs = PairsOfVideo(30);
  const auto compared = [&](size_t a, size_t b) {
    return std::count(pairs.begin(), pairs.end(), std::array{a, b});
  };
  for (size_t i = 0; i + 1 < 30; ++i) {
    EXPECT_EQ(compared(i, i + 1), 1) << i;
    EXPECT_EQ(i + 5 < 30 ? compared(i, i + 5) : 1, 1) << i;
  }
  for (const size_t end : {27u, 28u, 29u}) {
    for (size_t i = 0; i < 12; i += 2) EXPECT_EQ(compared(i, end), 1) << i;
  }
  EXPECT_EQ(compared(0, 15), 0);
  for (const auto& [a, b] : pairs) EXPECT_TRUE(a < b && b < 30);
  EXPECT_TRUE(PairsOfVideo(0).empty());
  EXPECT_TRUE(PairsOfVideo(1).empty());
  // Of photos only what looks alike, and these have nothing at all.
  EXPECT_TRUE(PairsOf(30, {}).empty());
}

TEST(CompareCapture, NoWalkGoesOnIntoAnotherClip) {
  // The frames of two clips by turns.
  std::vector<std::string> clips;
  for (int i = 0; i < 24; ++i) clips.push_back(i % 2 == 0 ? "a" : "b");
  const auto pairs = PairsOf(24, clips);
  for (const auto& [a, b] : pairs) EXPECT_EQ((b - a) % 2, 0u) << a << " " << b;
  for (size_t i = 0; i + 2 < 24; ++i) {
    EXPECT_EQ(std::count(pairs.begin(), pairs.end(), std::array{i, i + 2}), 1);
  }
}

}  // namespace
}  // namespace nerfpipe
