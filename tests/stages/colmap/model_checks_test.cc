#include "stages/colmap/model_checks.h"

#include "stages/colmap/matching/camera_prior.h"
#include "stages/colmap/scene_verdict.h"
#include "stages/common/verdict_file.h"
#include "tests/listener.h"
#include "tests/temporary_folder.h"

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <Eigen/Geometry>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kImages = 12;

// A walk part of the way round a cloud of points, all of which every image
// sees, and the matches of neighbours up to three steps apart.
class ModelChecksTest : public ::testing::Test {
 protected:
  ModelChecksTest() {
    model_.cameras[1] = {4, 640, 430, {611, 587, 309, 221, -0.1, 0.02, 0, 0}};
    for (int k = 0; k < 90; ++k) {
      model_.points[k + 3].xyz = {std::sin(7.1 * k),
                                  0.8 * std::sin(3.3 * k + 1),
                                  std::sin(5.7 * k + 2)};
    }
    for (int i = 0; i < kImages; ++i) {
      const double turn = 0.2 * i;
      ColmapImage image;
      image.camera_id = 1;
      image.name = names_.emplace_back(std::to_string(101 + i) + ".jpg");
      image.camera_from_world.rotation =
          Eigen::AngleAxisd(turn, Eigen::Vector3d::UnitY()).toRotationMatrix();
      image.camera_from_world.translation = {0.1, -0.2, 6};
      Features features;
      for (const auto& [id, point] : model_.points) {
        const Eigen::Vector2d xy = Seen(image, point.xyz);
        image.observations.push_back({xy, static_cast<int64_t>(id)});
        features.keypoints.push_back(
            {static_cast<float>(xy.x()), static_cast<float>(xy.y())});
      }
      features_.push_back(features);
      model_.images[i + 1] = image;
    }
    for (int i = 0; i < kImages; ++i) {
      for (int j = i + 1; j <= std::min(i + 3, kImages - 1); ++j) {
        MatchedPair pair{i, j, {}, {}};
        for (uint32_t k = 0; k < 90; ++k) {
          pair.geometry.inliers.push_back({k, k});
        }
        pairs_.push_back(pair);
      }
    }
  }

  // Through the lens, written out.
  Eigen::Vector2d Seen(const ColmapImage& image, const Eigen::Vector3d& xyz) {
    const Rigid3& pose = image.camera_from_world;
    const Eigen::Vector3d p = pose.rotation * xyz + pose.translation;
    const double u = p.x() / p.z();
    const double v = p.y() / p.z();
    const double r2 = u * u + v * v;
    const double bend = 1 - 0.1 * r2 + 0.02 * r2 * r2;
    return {611 * u * bend + 309, 587 * v * bend + 221};
  }

  // The camera of that place on the other side of the points.
  void PutOnTheOtherSide(int place) {
    Rigid3& pose = model_.images[place + 1].camera_from_world;
    pose.rotation = pose.rotation * Eigen::AngleAxisd(std::numbers::pi,
                                                      Eigen::Vector3d::UnitY())
                                        .toRotationMatrix();
  }

  ModelChecks Check() { return CheckModel(model_, pairs_, features_); }

  ColmapModel model_;
  std::vector<std::string> names_;
  std::vector<Features> features_;
  std::vector<MatchedPair> pairs_;
};

TEST_F(ModelChecksTest, SayNothingAgainstWhatIsRight) {
  const ModelChecks checks = Check();
  EXPECT_EQ(checks.pairs, 11 + 10 + 9);
  EXPECT_EQ(checks.neighbours, 11 + 10);
  EXPECT_THAT(checks.contradictions, IsEmpty());
  EXPECT_LT(checks.lens_error, 1e-9);
  EXPECT_EQ(checks.spread, 0.25);
}

TEST_F(ModelChecksTest, FindThePairsThatACameraContradicts) {
  PutOnTheOtherSide(5);
  pairs_[0].geometry.inliers.resize(29);  // too few to judge by
  const ModelChecks checks = Check();
  EXPECT_EQ(checks.pairs, 29);
  EXPECT_EQ(checks.contradicting_neighbours, 4);
  ASSERT_EQ(checks.contradictions.size(), 6u);
  for (const Contradiction& contradiction : checks.contradictions) {
    EXPECT_TRUE(contradiction.first == 5 || contradiction.second == 5);
    EXPECT_EQ(contradiction.matches, 90);
  }
}

// Its lines are those of the right place, but all points would be behind.
TEST_F(ModelChecksTest, FindACameraOnTheWrongSideOfItsNeighbour) {
  const Rigid3 first = model_.images[1].camera_from_world;
  Rigid3& pose = model_.images[4].camera_from_world;
  const Eigen::Matrix3d turn = pose.rotation * first.rotation.transpose();
  pose.translation = 2 * turn * first.translation - pose.translation;
  pairs_ = {pairs_[2]};
  ASSERT_EQ(pairs_[0].second, 3);
  EXPECT_EQ(Check().contradictions.size(), 1u);
}

TEST_F(ModelChecksTest, ImagesThatAreNotRegisteredAreNotJudged) {
  model_.images.erase(6);
  EXPECT_EQ(Check().pairs, 30 - 6);
}

TEST_F(ModelChecksTest, MeasureWhatTheLensDoesNotExplain) {
  for (auto& [id, image] : model_.images) {
    for (ColmapImage::Observation& seen : image.observations) {
      seen.xy += Eigen::Vector2d(0.3, -0.4);
    }
  }
  EXPECT_NEAR(Check().lens_error, 0.5, 1e-9);
}

TEST_F(ModelChecksTest, MeasureHowMuchOfThePictureIsUsed) {
  for (auto& [id, image] : model_.images) {
    for (size_t i = 0; i < image.observations.size(); ++i) {
      // Six of the 64 parts.
      image.observations[i].xy = {40.0 + 80 * (i % 3), 27.0 + 54 * (i / 3 % 2)};
    }
  }
  EXPECT_EQ(Check().spread, 6.0 / 64);
}

class JudgeSceneTest : public ModelChecksTest {
 protected:
  SceneVerdict Judge(bool video = true) {
    mapping_.models = {ColmapModel(), model_};
    mapping_.chosen = 1;
    return JudgeScene(Check(), mapping_, names_, lenses_, video);
  }

  MappingResult mapping_;
  std::vector<ImageLens> lenses_;
};

TEST_F(JudgeSceneTest, WhatIsRightIsGood) {
  for (const std::string& name : names_) mapping_.deviations[name] = 0.001;
  lenses_.assign(kImages, {640, 430, 0.8});
  const SceneVerdict verdict = Judge();
  EXPECT_EQ(verdict.grade, SceneGrade::kGood);
  EXPECT_THAT(verdict.reasons, IsEmpty());
}

TEST_F(JudgeSceneTest, AWalkThatWasFoldedIsBadAndPhotosAreDoubtful) {
  PutOnTheOtherSide(5);
  const SceneVerdict walk = Judge();
  EXPECT_EQ(walk.grade, SceneGrade::kBad);
  EXPECT_THAT(walk.reasons,
              Contains(HasSubstr("4 of 21 pairs of frames that follow each "
                                 "other do not fit their cameras")));
  const SceneVerdict photos = Judge(/*video=*/false);
  EXPECT_EQ(photos.grade, SceneGrade::kFair);
  EXPECT_THAT(photos.reasons,
              Contains(HasSubstr("7 of 12 images do not fit those")));
}

TEST_F(JudgeSceneTest, LooseCamerasAreNamed) {
  for (const std::string& name : names_) mapping_.deviations[name] = 0.004;
  mapping_.deviations[names_[7]] = 0.034;
  const SceneVerdict one = Judge();
  EXPECT_EQ(one.grade, SceneGrade::kFair);
  EXPECT_THAT(one.reasons,
              ElementsAre(HasSubstr("1 image are held to 3.4 % of the radius "
                                    "only (108.jpg)")));
  for (auto& [name, deviation] : mapping_.deviations) deviation = 0.06;
  EXPECT_EQ(Judge().grade, SceneGrade::kBad);
}

TEST_F(JudgeSceneTest, AFocalLengthUnlikeExifIsDoubtful) {
  // 611 pixels are 0.79 of the diagonal.
  lenses_.assign(kImages, {640, 430, 0.70});
  EXPECT_EQ(Judge().grade, SceneGrade::kGood);
  lenses_.assign(kImages, {640, 430, 0.60});
  const SceneVerdict verdict = Judge();
  EXPECT_EQ(verdict.grade, SceneGrade::kFair);
  EXPECT_THAT(
      verdict.reasons,
      ElementsAre(HasSubstr("came out at 611 px, where EXIF tells 463")));
}

TEST_F(JudgeSceneTest, ALensThatCannotBeIsBad) {
  mapping_.absurd_lens = "pixels 0.20 times as high as wide";
  EXPECT_EQ(Judge().grade, SceneGrade::kBad);
}

TEST_F(JudgeSceneTest, TheVerdictIsToldAndKept) {
  const TemporaryFolder folder;
  Listener report;
  StageResult result = StageResult::Done("12 of 12 images");
  TellVerdict({SceneGrade::kFair, {"a reason"}},
              folder / "colmap/verdict.json",
              &report,
              &result);
  EXPECT_EQ(result.line, "12 of 12 images; fair");
  EXPECT_THAT(report.warnings, ElementsAre("a reason"));
  EXPECT_EQ(result.facts["reconstruction"]["verdict"], "fair");
  EXPECT_EQ(result.facts["reconstruction"]["reasons"][0], "a reason");
  const CamerasVerdict kept = ReadVerdict(folder / "colmap/verdict.json");
  EXPECT_EQ(kept.word, "fair");
  EXPECT_THAT(kept.reasons, ElementsAre("a reason"));
  EXPECT_EQ(ReadVerdict(folder / "none.json").word, "");
}

TEST(GroupByLens, PutsTogetherWhatOneLensTook) {
  const std::vector<ImageLens> images = {{640, 430, 0.80},
                                         {640, 430, 1.28},
                                         {640, 430, 0.81},
                                         {430, 640, 0.80},
                                         {640, 430, 0},
                                         {300, 200, 0},
                                         {300, 200, 0.90},
                                         {300, 200, 0}};
  // Of the first size two lengths are told: one of none belongs to neither.
  EXPECT_THAT(GroupByLens(images), ElementsAre(0, 1, 0, 2, 3, 4, 4, 4));
}

}  // namespace
}  // namespace nerfpipe::sfm
