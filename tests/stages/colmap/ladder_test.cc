// Which ways to a solution are taken, and in what order pairs are matched.

#include "stages/colmap/ladder.h"

#include "pipeline/base/random.h"
#include "stages/colmap/matching/pair_list.h"
#include "tests/listener.h"
#include "tests/stages/colmap/planted_features.h"
#include "tests/stages/colmap/scene_features.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <utility>

#include <Eigen/Geometry>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string FrameName(int i) { return "f" + std::to_string(10 + i) + ".jpg"; }

// In the chosen model `images` of the job, in a smaller one `others` more, and
// in both a frame that is not of the job.
Solution Registering(int images, int jumps = 0, int others = 0) {
  Solution solution;
  solution.mapping.models.resize(2);
  solution.mapping.chosen = 1;
  solution.mapping.jumps = jumps;
  for (ColmapModel& model : solution.mapping.models) {
    model.images[1].name = "f10_1.jpg";
  }
  for (int i = 0; i < images + others; ++i) {
    ColmapModel& model = solution.mapping.models[i < images ? 1 : 0];
    model.images[static_cast<uint32_t>(900 - i)].name = FrameName(i);
  }
  return solution;
}

template <int images, int jumps = 0>
std::optional<Solution> Gives(const SolveJob&, const Solution&) {
  return Registering(images, jumps);
}

std::optional<Solution> HasNothing(const SolveJob&, const Solution&) {
  return std::nullopt;
}

std::optional<Solution> MustNotBeTried(const SolveJob&, const Solution&) {
  throw std::logic_error("tried");
}

std::optional<Solution> RegistersOneMore(const SolveJob& job,
                                         const Solution& best) {
  return Registering(Registered(job, best) + 1);
}

class ClimbTest : public ::testing::Test {
 protected:
  ClimbTest() {
    for (int i = 0; i < 20; ++i) job_.names.push_back(FrameName(i));
    job_.place.report = &report_;
  }

  // Images registered after climbing from `start`.
  int From(const Solution& start, const std::vector<Rung>& rungs) {
    Solution solution = start;
    climbed_ = Climb(job_, rungs, &solution);
    return Registered(job_, solution);
  }

  SolveJob job_;
  Listener report_;
  bool climbed_ = false;
};

TEST_F(ClimbTest, ARungThatRegistersFewerImagesIsNotTaken) {
  EXPECT_EQ(From(Registering(12), {{"fewer", Gives<9>, true}}), 12);
  EXPECT_FALSE(climbed_);
  EXPECT_EQ(From(Registering(12), {{"as many", Gives<12>, true}}), 12);
  EXPECT_FALSE(climbed_);
  EXPECT_THAT(report_.infos,
              ElementsAre("12 of 20 images registered; fewer: no gain",
                          "12 of 20 images registered; as many: no gain"));
}

TEST_F(ClimbTest, EachRungStandsOnWhatHelpedBefore) {
  EXPECT_EQ(From(Registering(12),
                 {{"one more", RegistersOneMore, false},
                  {"fewer", Gives<8>, false},
                  {"nothing", HasNothing, false},
                  {"another", RegistersOneMore, false}}),
            14);
  EXPECT_TRUE(climbed_);
  EXPECT_THAT(
      report_.infos,
      ElementsAre("12 of 20 images registered; one more: 13 registered",
                  "13 of 20 images registered; fewer: no gain",
                  "13 of 20 images registered; another: 14 registered"));
}

TEST_F(ClimbTest, StopsWhenNineInTenAreRegistered) {
  EXPECT_EQ(From(Registering(17),
                 {{"one more", RegistersOneMore, false},
                  {"dearer", MustNotBeTried, true}}),
            18);
  EXPECT_TRUE(climbed_);
  EXPECT_EQ(From(Registering(18), {{"dearer", MustNotBeTried, true}}), 18);
  EXPECT_FALSE(climbed_);
  EXPECT_EQ(report_.infos.size(), 1u);
}

// All are registered, but in two models: more of the same does not help.
TEST_F(ClimbTest, PartsAreOnlyGivenToWhatCanJoinThem) {
  EXPECT_EQ(
      From(Registering(11, 0, 7),
           {{"no use", MustNotBeTried, false}, {"joins", Gives<18>, true}}),
      18);
  // 17 of 20 anywhere are not enough.
  EXPECT_EQ(From(Registering(11, 0, 6), {{"of use", Gives<13>, false}}), 13);
}

TEST_F(ClimbTest, JumpsWeighMoreThanImagesUpToTwice) {
  EXPECT_EQ(From(Registering(12, 1), {{"jumps more", Gives<15, 2>, true}}), 12);
  EXPECT_EQ(From(Registering(12, 1), {{"jumps less", Gives<9, 0>, true}}), 9);
  EXPECT_EQ(From(Registering(7, 1), {{"jumps more", Gives<14, 3>, true}}), 14);
  EXPECT_EQ(From(Registering(12, 1), {{"half", Gives<6, 0>, true}}), 12);
  EXPECT_EQ(From(Solution(), {{"a start", Gives<3, 9>, true}}), 3);
}

TEST(Rungs, GrowDearer) {
  std::vector<std::string> names;
  std::vector<std::string> joining;
  for (const Rung& rung : Rungs()) {
    names.emplace_back(rung.name);
    if (rung.joins_parts) joining.emplace_back(rung.name);
  }
  EXPECT_THAT(names,
              ElementsAre("a start with less parallax",
                          "a richer lens",
                          "more pairs",
                          "guided matching",
                          "more frames of the video",
                          "more features",
                          "features on ellipses",
                          "a simpler lens"));
  // Only new matches and new frames can.
  EXPECT_THAT(joining, ElementsAre("more pairs", "more frames of the video"));
}

// A capture whose features are there already: few, and alike in no two images.
class MatchCaptureTest : public ::testing::Test {
 protected:
  std::vector<ImagePair> PairsOf(int images,
                                 bool video,
                                 const std::string& matching,
                                 bool clips = false) {
    const TemporaryFolder folder;
    SolveJob job;
    job.video = video;
    job.clips = clips;
    job.width = 53;
    job.height = 37;
    job.options.matching = matching;
    job.options.overlap = 3;
    job.frames = folder / "frames";
    job.place = {folder, 2, 2, &SilentReport()};
    for (int i = 0; i < images; ++i) {
      job.names.push_back(std::to_string(1000 + i) + ".jpg");
    }
    PlantFeatures(job, std::vector<Features>(images));
    std::vector<ImagePair> pairs;
    for (const MatchedPair& pair : MatchCapture(job).pairs) {
      pairs.emplace_back(pair.first, pair.second);
    }
    return pairs;
  }
};

TEST_F(MatchCaptureTest, AVideoIsMatchedWithItsNeighbours) {
  EXPECT_EQ(PairsOf(12, true, "auto"), NeighbourPairs(12, 3));
  EXPECT_EQ(PairsOf(12, true, "sequential"), NeighbourPairs(12, 3));
  EXPECT_EQ(PairsOf(12, true, "exhaustive"), ExhaustivePairs(12));
}

TEST_F(MatchCaptureTest, PhotosAreMatchedEachWithEachUpTo150) {
  EXPECT_EQ(PairsOf(12, false, "auto"), ExhaustivePairs(12));
  EXPECT_EQ(PairsOf(12, false, "sequential"), SequentialPairs(12, 3));
  EXPECT_EQ(PairsOf(150, false, "auto"), ExhaustivePairs(150));
  EXPECT_EQ(PairsOf(151, false, "auto"), SequentialPairs(151, 3));
}

TEST_F(MatchCaptureTest, SeveralClipsAreMatchedByNeighboursAndLooks) {
  EXPECT_EQ(PairsOf(12, false, "auto", true), SequentialPairs(12, 3));
}

// Twenty features of the room stand still in each of six images, sixty of the
// thing on the turntable move.
TEST(MatchCapture, WhatStandsStillIsLeftOutAndTold) {
  const TemporaryFolder folder;
  Listener report;
  SolveJob job;
  job.width = 723;
  job.height = 1281;
  job.options.overlap = 5;
  job.frames = folder / "frames";
  job.place = {folder, 2, 2, &report};
  Random random(5);
  Features first;
  first.descriptors = RandomDescriptors(80, 6);
  for (int k = 0; k < 80; ++k) {
    first.keypoints.push_back({static_cast<float>(random.Uniform(20, 600)),
                               static_cast<float>(random.Uniform(20, 1200)),
                               1,
                               0,
                               0,
                               1});
  }
  std::vector<Features> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(first);
    for (int k = 20; k < 80; ++k) all[i].keypoints[k].x += 12.0f * i;
    job.names.push_back(std::to_string(1000 + i) + ".jpg");
  }
  PlantFeatures(job, all);
  const Solution solution = MatchCapture(job);
  EXPECT_THAT(report.warnings,
              ElementsAre(HasSubstr("part of the picture stands still")));
  for (int i = 0; i < 6; ++i) {
    ASSERT_EQ(solution.features[i].Count(), 60);
    EXPECT_EQ(solution.features[i].keypoints[7].x,
              first.keypoints[27].x + 12.0f * i);
  }
  // The pairs are of the features that are left.
  ASSERT_EQ(solution.pairs.size(), 15u);
  for (const MatchedPair& pair : solution.pairs) {
    EXPECT_EQ(pair.matches.size(), 60u);
  }
  // SIMPLE_RADIAL: what moves tells too little of more.
  EXPECT_EQ(solution.cameras.cameras[0].camera.model_id, 2);
}

// Once round a cloud of points and a little farther: the end sees what the
// beginning saw, but every frame has its place before that is known.
TEST(SolveCapture, AWalkThatComesRoundAgainIsClosed) {
  const TemporaryFolder folder;
  SolveJob job;
  job.video = true;
  job.width = 53;
  job.height = 37;
  job.lenses.assign(24, {53, 37, 0.68});
  job.options.overlap = 3;
  job.frames = folder / "frames";
  job.database = folder / "database.db";
  job.place = {folder / "scratch", 2, 2, &SilentReport()};
  Random random(5);
  std::vector<Eigen::Vector3d> points;
  for (int k = 0; k < 240; ++k) {
    points.emplace_back(random.Uniform(-1, 1),
                        random.Uniform(-0.7, 0.7),
                        random.Uniform(-1, 1));
  }
  const std::vector<uint8_t> descriptors = RandomDescriptors(points.size(), 11);
  constexpr int kRound = 20;
  std::vector<Features> all;
  for (int i = 0; i < kRound + 4; ++i) {
    const double turn = 2 * 3.14159265 * (i + (i < kRound ? 0 : 0.3)) / kRound;
    Features features;
    for (size_t k = 0; k < points.size(); ++k) {
      const Eigen::Vector3d p =
          Eigen::AngleAxisd(turn, Eigen::Vector3d::UnitY()) * points[k] +
          Eigen::Vector3d(0.02 * std::sin(3 * i), 0.1 * std::sin(i), 5);
      features.keypoints.push_back({static_cast<float>(45 * p.x() / p.z() + 27),
                                    static_cast<float>(42 * p.y() / p.z() + 18),
                                    1,
                                    0,
                                    0,
                                    1});
    }
    features.descriptors = descriptors;
    job.names.push_back(std::to_string(1000 + i) + ".jpg");
    all.push_back(std::move(features));
  }
  PlantFeatures(job, all);
  Solution solution = MatchCapture(job);
  SolveCapture(job, &solution);
  EXPECT_EQ(Registered(job, solution), kRound + 4);
  EXPECT_TRUE(std::any_of(
      solution.pairs.begin(), solution.pairs.end(), [](const MatchedPair& p) {
        return p.second - p.first >= kRound - 1 &&
               p.geometry.inliers.size() > 50;
      }));
}

}  // namespace
}  // namespace nerfpipe::sfm
