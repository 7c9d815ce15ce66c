// Images of several lenses in one folder: brought to one pinhole, or kept
// apart.

#include "pipeline/base/error.h"
#include "pipeline/base/random.h"
#include "stages/colmap/outputs.h"
#include "stages/colmap/refinement/undistortion.h"
#include "stages/common/dataset_folder.h"
#include "stages/media/image_file.h"
#include "tests/stages/colmap/lenses.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kMain = 5, kWide = 2, kLong = 8, kVeryLong = 11;

ColmapCamera LensOf(uint32_t id) {
  switch (id) {
    case kMain:
      return {
          kOpenCv, 123, 77, {110, 121, 65.4, 35.7, -0.12, 0.03, 0.006, -0.009}};
    case kWide:  // finer too: 290 pixels for a radian
      return {kOpenCv,
              331,
              259,
              {288, 296, 158.2, 133.1, 0.05, -0.02, -0.004, 0.003}};
    case kLong:
      return {kOpenCv, 83, 95, {118, 127, 44.7, 43.9, 0.1, -0.2, 0.004, 0.005}};
    default:
      return {kOpenCv, 97, 71, {262, 254, 46.2, 37.1, -0.05, 0, 0.001, 0.002}};
  }
}

// The ray whose image is at `p`, by Newton's method.
Eigen::Vector2d RayTo(const ColmapCamera& camera, const Eigen::Vector2d& p) {
  Eigen::Vector2d ray((p.x() - camera.params[2]) / camera.params[0],
                      (p.y() - camera.params[3]) / camera.params[1]);
  for (int i = 0; i < 20; ++i) {
    constexpr double kStep = 1e-6;
    const Eigen::Vector2d at = DistortedProjection(camera, ray);
    Eigen::Matrix2d slope;
    for (int c = 0; c < 2; ++c) {
      const Eigen::Vector2d aside = ray + kStep * Eigen::Vector2d::Unit(c);
      slope.col(c) = (DistortedProjection(camera, aside) - at) / kStep;
    }
    ray += slope.inverse() * (p - at);
  }
  return ray;
}

// What the world looks like far away, in a direction.
double ColourTowards(const Eigen::Vector3d& direction, int channel) {
  const Eigen::Vector3d d = direction.normalized();
  return 128 + 50 * std::sin(9 * d.x() + 2 * channel) * std::cos(7 * d.y()) +
         40 * std::sin(5 * d.z() + 8 * d.y() + channel);
}

Eigen::Matrix3d RotationOf(uint32_t image) {
  return Eigen::AngleAxisd(0.8 * image,
                           Eigen::Vector3d(0.3, 1, 0.2 * image).normalized())
      .toRotationMatrix();
}

// Images 1, 2, ... with these cameras, frames and points.
class SeveralLenses : public ::testing::Test {
 protected:
  void Make(const std::vector<uint32_t>& lenses) {
    fs::create_directories(folder_ / "frames");
    fs::create_directories(folder_ / "masks");
    for (uint32_t id = 1; id <= lenses.size(); ++id) {
      const uint32_t lens = lenses[id - 1];
      model_.cameras[lens] = LensOf(lens);
      ColmapImage& image = model_.images[id];
      image.name = "0000" + std::to_string(id) + ".png";
      image.camera_id = lens;
      image.camera_from_world.rotation = RotationOf(id).transpose();
      image.camera_from_world.translation = {0.1 * id, -0.2, 0.3};
      WriteImage(Frame(id), folder_ / "frames" / image.name);
      AddPoints(id);
    }
  }

  Image Frame(uint32_t id) {
    const ColmapCamera lens = LensOf(model_.images.at(id).camera_id);
    Image frame(static_cast<int>(lens.width), static_cast<int>(lens.height), 3);
    for (int y = 0; y < frame.height; ++y) {
      for (int x = 0; x < frame.width; ++x) {
        const Eigen::Vector2d ray = RayTo(lens, {x + 0.5, y + 0.5});
        for (int c = 0; c < 3; ++c) {
          frame.At(x, y)[c] = static_cast<uint8_t>(
              ColourTowards(RotationOf(id) * ray.homogeneous(), c) + 0.5);
        }
      }
    }
    return frame;
  }

  // Thirty, each seen by one image, at its exact projection.
  void AddPoints(uint32_t id) {
    ColmapImage& image = model_.images.at(id);
    const ColmapCamera& lens = model_.cameras.at(image.camera_id);
    Random random(id);
    for (uint32_t k = 0; k < 30; ++k) {
      const Eigen::Vector2d p(random.Uniform(0, lens.width),
                              random.Uniform(0, lens.height));
      ColmapPoint point;
      point.xyz = image.camera_from_world.Inverse() *
                  (random.Uniform(2, 5) * RayTo(lens, p).homogeneous());
      point.track.push_back({id, k});
      point.error = 9;
      model_.points[100 * id + k] = point;
      image.observations.push_back({p, 100 * id + k});
    }
  }

  std::optional<std::string> Write() {
    return WriteUndistorted(model_,
                            {folder_ / "frames",
                             folder_ / "masks",
                             folder_ / "out",
                             100,
                             2,
                             &SilentReport()});
  }

  ColmapModel Undistorted() {
    return ReadColmapModel(folder_ / "out" / "sparse" / "0");
  }

  // Is the middle of the pixel in the frame? The distortions of these lenses
  // turn back far outside.
  bool IsCovered(const ColmapImage& image, const Eigen::Vector2d& ray) {
    const ColmapCamera& lens = model_.cameras.at(image.camera_id);
    return Inside(lens, DistortedProjection(lens, ray));
  }

  // Each pixel of the picture against the world in its direction, and the mask
  // against the lens. The share that is covered.
  double ExpectTheWorld(uint32_t id) {
    const ColmapModel result = Undistorted();
    const ColmapCamera& camera =
        result.cameras.at(result.images.at(id).camera_id);
    const Pinhole pinhole = {static_cast<int>(camera.width),
                             static_cast<int>(camera.height),
                             camera.params[0],
                             camera.params[1],
                             camera.params[2],
                             camera.params[3]};
    const std::string& name = result.images.at(id).name;
    const Image picture = ReadImage(folder_ / "out" / "images" / name);
    EXPECT_EQ(picture.width, pinhole.width);
    EXPECT_EQ(picture.height, pinhole.height);
    const fs::path mask_file = folder_ / "out" / "masks" / MaskName(name);
    const Image mask = fs::exists(mask_file) ? ReadImage(mask_file) : Image();
    int covered = 0;
    double worst = 0, squares = 0;
    for (int y = 0; y < picture.height; ++y) {
      for (int x = 0; x < picture.width; ++x) {
        const Eigen::Vector2d ray = Ray(pinhole, x + 0.5, y + 0.5);
        const bool sees = IsCovered(model_.images.at(id), ray);
        if (!mask.pixels.empty()) {
          EXPECT_EQ(*mask.At(x, y), sees ? 255 : 0) << x << ", " << y;
        }
        covered += sees;
        for (int c = 0; c < 3; ++c) {
          const double wanted =
              sees ? ColourTowards(RotationOf(id) * ray.homogeneous(), c) : 0;
          const double off = picture.At(x, y)[c] - wanted;
          worst = std::max(worst, std::abs(off));
          squares += off * off / static_cast<double>(picture.pixels.size());
        }
      }
    }
    // A hundredth of a radian, or a pixel of the main lens, changes the colour
    // by 4 levels; JPEG alone is off by one.
    EXPECT_LT(worst, 7) << name;
    EXPECT_LT(std::sqrt(squares), 1.3) << name;
    return covered / (1.0 * picture.width * picture.height);
  }

  void ExpectObservationsOnThePixels() {
    const ColmapModel result = Undistorted();
    for (const auto& [id, image] : result.images) {
      const ColmapCamera& camera = result.cameras.at(image.camera_id);
      for (const auto& [xy, point] : image.observations) {
        const Eigen::Vector2d ray =
            (image.camera_from_world * result.points.at(point).xyz)
                .hnormalized();
        const Eigen::Vector2d seen(
            camera.params[0] * ray.x() + camera.params[2],
            camera.params[1] * ray.y() + camera.params[3]);
        EXPECT_LT((xy - seen).norm(), 1e-3) << id;
        EXPECT_LT(result.points.at(point).error, 1e-3);
      }
    }
  }

  const TemporaryFolder folder_;
  ColmapModel model_;
};

TEST_F(SeveralLenses, AreBroughtToThePinholeOfTheOneWithMostImages) {
  Make({kWide, kMain, kLong, kMain, kLong, kMain, kWide});
  const auto line = Write();
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(*line, "");
  const ColmapModel result = Undistorted();
  const Pinhole pinhole = PlanPinhole(LensOf(kMain)).value();
  ASSERT_EQ(result.cameras.size(), 1u);
  EXPECT_EQ(result.cameras.at(kMain).width, pinhole.width);
  EXPECT_THAT(result.cameras.at(kMain).params,
              ElementsAre(pinhole.fx, pinhole.fx, pinhole.cx, pinhole.cy));
  EXPECT_EQ(SortedFileNames(folder_ / "out" / "images").size(), 7u);
  // One for each image, since some are not wholly covered.
  EXPECT_EQ(SortedFileNames(folder_ / "out" / "masks").size(), 7u);
  for (const auto& [id, image] : result.images) {
    EXPECT_EQ(image.camera_id, kMain);
    EXPECT_EQ(image.name, "0000" + std::to_string(id) + ".jpg");
    const double covered = ExpectTheWorld(id);
    if (model_.images.at(id).camera_id == kLong) {
      EXPECT_GT(covered, 0.5);
      EXPECT_LT(covered, 0.9);
    } else {
      EXPECT_EQ(covered, 1);
    }
  }
  ExpectObservationsOnThePixels();
}

TEST_F(SeveralLenses, AreKeptApartWhenOneCoversLessThanHalf) {
  Make({kMain, kVeryLong, kMain, kVeryLong, kMain});
  const auto line = Write();
  ASSERT_TRUE(line.has_value());
  EXPECT_THAT(*line, HasSubstr("the sizes of their 2 lenses"));
  EXPECT_THAT(*line, HasSubstr("nerf-pytorch"));
  EXPECT_THAT(SortedFileNames(folder_ / "out" / "masks"), IsEmpty());
  const ColmapModel result = Undistorted();
  ASSERT_EQ(result.cameras.size(), 2u);
  for (const uint32_t lens : {kMain, kVeryLong}) {
    const Pinhole pinhole = PlanPinhole(LensOf(lens)).value();
    EXPECT_EQ(result.cameras.at(lens).width, pinhole.width);
    EXPECT_EQ(result.cameras.at(lens).height, pinhole.height);
    EXPECT_EQ(result.cameras.at(lens).params[0], pinhole.fx);
  }
  for (const auto& [id, image] : result.images) {
    EXPECT_EQ(image.camera_id, model_.images.at(id).camera_id);
    EXPECT_EQ(ExpectTheWorld(id), 1);
  }
  ExpectObservationsOnThePixels();
}

// The other way round: most of the wide picture would be cut away.
TEST_F(SeveralLenses, AreKeptApartWhenOneWouldLoseMoreThanHalf) {
  Make({kVeryLong, kMain, kVeryLong});
  EXPECT_THAT(Write().value(), HasSubstr("2 lenses"));
  EXPECT_EQ(Undistorted().cameras.size(), 2u);
}

TEST(PlanUndistortion, OfEqualCountsTheFirstNumberAndUnusedCamerasDoNotCount) {
  ColmapModel model;
  model.cameras[kMain] = LensOf(kMain);
  model.cameras[kLong] = LensOf(kLong);
  model.cameras[kVeryLong] = LensOf(kVeryLong);
  model.images[1].camera_id = kLong;
  model.images[2].camera_id = kMain;
  const UndistortionPlan plan = PlanUndistortion(model).value();
  EXPECT_TRUE(plan.shared);
  EXPECT_EQ(plan.main, kMain);
  EXPECT_EQ(plan.pinholes.size(), 2u);
  EXPECT_TRUE(plan.IsOwn(kMain));
  EXPECT_FALSE(plan.IsOwn(kLong));
  model.images[3].camera_id = kLong;
  EXPECT_EQ(PlanUndistortion(model).value().main, kLong);
}

// Barrel distortion: r (1 - 0.3 r^2) turns back at r = 1.05, where it is 0.70,
// and comes by all of the picture once more on its way.
TEST(CoverageOf, WhereTheDistortionTurnsBackNothingIsSeen) {
  const ColmapCamera lens = {
      kOpenCv, 161, 123, {100, 107, 78.5, 63.5, -0.3, 0, 0, 0}};
  const Pinhole pinhole = {424, 400, 100, 100, 212, 200};
  const Image coverage = CoverageOf(lens, pinhole);
  ASSERT_EQ(coverage.channels, 1);
  int seen = 0, folded = 0;
  for (int y = 0; y < 400; ++y) {
    for (int x = 0; x < 424; ++x) {
      const Eigen::Vector2d ray = Ray(pinhole, x + 0.5, y + 0.5);
      const double r = ray.norm();
      const bool inside = Inside(lens, DistortedProjection(lens, ray));
      const double turn = 1 / std::sqrt(0.9);
      folded += inside && r > turn;
      if (std::abs(r - turn) < 0.02) continue;  // as near as one can tell
      const bool expected = inside && r < turn;
      ASSERT_EQ(*coverage.At(x, y), expected ? 255 : 0) << x << ", " << y;
      seen += expected;
    }
  }
  EXPECT_GT(seen, 10000);
  EXPECT_GT(folded, 1000);
}

// A disc of one colour on a hidden other one.
TEST_F(SeveralLenses, TransparentPicturesStaySo) {
  Make({kMain, kMain, kLong});
  for (const uint32_t id : {2, 3}) {
    const Image frame = Frame(id);
    Image cut_out(frame.width, frame.height, 4);
    Image mask(frame.width, frame.height, 1);
    for (int y = 0; y < frame.height; ++y) {
      for (int x = 0; x < frame.width; ++x) {
        const bool seen = std::hypot(x - 50, y - 31) < 24;
        uint8_t* pixel = cut_out.At(x, y);
        pixel[0] = seen ? 180 : 0;
        pixel[1] = seen ? 0 : 255;
        pixel[3] = *mask.At(x, y) = seen ? 255 : 0;
      }
    }
    const std::string name = model_.images.at(id).name;
    WriteImage(cut_out, folder_ / "frames" / name);
    WriteImage(mask, folder_ / "masks" / name);
  }
  ASSERT_TRUE(Write().has_value());
  EXPECT_THAT(SortedFileNames(folder_ / "out" / "images"),
              ElementsAre("00001.jpg", "00002.png", "00003.png"));
  EXPECT_THAT(SortedFileNames(folder_ / "out" / "masks"),
              ElementsAre("00001.png", "00002.png", "00003.png"));
  const ColmapModel result = Undistorted();
  EXPECT_EQ(result.images.at(1).name, "00001.jpg");
  EXPECT_EQ(result.images.at(3).name, "00003.png");
  const ColmapCamera& camera = result.cameras.at(kMain);
  const Image coverage = CoverageOf(LensOf(kLong),
                                    {static_cast<int>(camera.width),
                                     static_cast<int>(camera.height),
                                     camera.params[0],
                                     camera.params[1],
                                     camera.params[2],
                                     camera.params[3]});
  for (const uint32_t id : {2, 3}) {
    const std::string name = result.images.at(id).name;
    const Image picture = ReadImage(folder_ / "out" / "images" / name, true);
    const Image mask = ReadImage(folder_ / "out" / "masks" / name);
    ASSERT_EQ(picture.channels, 4);
    int seen = 0, uncovered = 0;
    for (int y = 0; y < picture.height; ++y) {
      for (int x = 0; x < picture.width; ++x) {
        const uint8_t* pixel = picture.At(x, y);
        if (id == 3 && *coverage.At(x, y) == 0) {
          // Not transparent: nobody knows what is there.
          ASSERT_EQ(pixel[3], 255);
          ASSERT_EQ(pixel[0], 0);
          ASSERT_EQ(*mask.At(x, y), 0);
          ++uncovered;
          continue;
        }
        ASSERT_EQ(pixel[1], 0);
        ASSERT_EQ(pixel[0], pixel[3] > 0 ? 180 : 0);
        // Used only where no transparent pixel has a part.
        ASSERT_TRUE(*mask.At(x, y) == 0 || pixel[3] >= 240);
        seen += *mask.At(x, y) == 255;
      }
    }
    EXPECT_GT(seen, 1000);
    EXPECT_EQ(uncovered > 0, id == 3);
  }
}

TEST_F(SeveralLenses, AMaskOfAnotherSizeIsNamed) {
  Make({kMain});
  WriteImage(Image(123, 78, 1), folder_ / "masks" / "00001.png");
  try {
    Write();
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.problem(),
                HasSubstr("00001.png is 123x78 but its image is 123x77"));
  }
}

}  // namespace
}  // namespace nerfpipe::sfm
