// Features inside of masks and in dark pictures, of a rendered scene.

#include "stages/colmap/features/searched_picture.h"

#include "data/demo/demo_scene.h"
#include "stages/colmap/matching/matching.h"
#include "stages/media/image_file.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

constexpr int kWidth = 251;
constexpr int kHeight = 173;

// Rendered once.
const Image& Picture() {
  static const Image picture =
      demo::RenderView(*demo::MakeTestScene(),
                       demo::TestOrbit(7, kWidth, kHeight)[2])
          .image;
  return picture;
}

// Levels 0 to 255 become `low` to `high`.
Image Squeezed(int low, int high) {
  Image image = Picture();
  for (uint8_t& value : image.pixels) {
    value = static_cast<uint8_t>(low + (value * (high - low) + 127) / 255);
  }
  return image;
}

Features Find(const SearchedPicture& picture) {
  const FeatureFinder finder({}, /*doubled=*/true);
  return InsideMask(finder.Find(WithContrast(picture)), picture);
}

// How many features of `some` are where `all` has one too, to half a pixel.
double ShareAmong(const Features& some, const Features& all) {
  int found = 0;
  for (const Keypoint& a : some.keypoints) {
    found += std::any_of(
        all.keypoints.begin(), all.keypoints.end(), [&](const Keypoint& b) {
          return std::hypot(a.x - b.x, a.y - b.y) < 0.5;
        });
  }
  return found / std::max(1.0, 1.0 * some.Count());
}

TEST(WithContrast, APictureWithContrastStaysAsItIs) {
  EXPECT_EQ(WithContrast({Picture(), {}}).pixels, Picture().pixels);
}

// 2 % and 98 % of a ramp from 40 to 90, which is flat: 41 and 89 become black
// and white.
TEST(WithContrast, DrawsTwoPercentilesApart) {
  Image ramp(51, 7, 3);
  for (int y = 0; y < 7; ++y) {
    for (int x = 0; x < 51; ++x) {
      std::fill_n(ramp.At(x, y), 3, static_cast<uint8_t>(40 + x));
    }
  }
  const Image drawn = WithContrast({ramp, {}});
  for (int x = 0; x < 51; ++x) {
    const double expected = std::clamp((40 + x - 41) / 48.0, 0.0, 1.0) * 255;
    EXPECT_NEAR(drawn.At(x, 3)[1], expected, 0.51) << x;
  }
  // From 60 on it is enough.
  Image wide(63, 7, 3);
  for (int y = 0; y < 7; ++y) {
    for (int x = 0; x < 63; ++x) {
      std::fill_n(wide.At(x, y), 3, static_cast<uint8_t>(40 + x));
    }
  }
  EXPECT_EQ(WithContrast({wide, {}}).pixels, wide.pixels);
  // Measured inside the mask.
  Image mask(63, 7, 1);
  for (int y = 0; y < 7; ++y) std::fill_n(mask.At(0, y), 51, 255);
  const Image masked = WithContrast({wide, mask});
  EXPECT_EQ(masked.At(1, 3)[0], 0);
  EXPECT_EQ(masked.At(49, 3)[0], 255);
  EXPECT_NEAR(masked.At(60, 3)[0], 127, 2);  // filled with the mean
}

TEST(WithContrast, NoiseIsNotDrawnToBlackAndWhite) {
  Image flat(40, 30, 3);
  for (size_t i = 0; i < flat.pixels.size(); ++i) {
    flat.pixels[i] = static_cast<uint8_t>(9 + i / 3 % 2);
  }
  const Image drawn = WithContrast({flat, {}});
  EXPECT_NEAR(*std::max_element(drawn.pixels.begin(), drawn.pixels.end()),
              255 / 8.0,
              1);
}

// A picture by night has the features of that by day, with its own colours.
TEST(SearchedPicture, DarkAndFlatPicturesHaveTheirFeatures) {
  const Features by_day = Find({Picture(), {}});
  ASSERT_GT(by_day.Count(), 300);
  for (const auto& [low, high] : {std::pair(0, 25), {190, 230}}) {
    const Image image = Squeezed(low, high);
    const Features as_it_is = FeatureFinder({}, /*doubled=*/true).Find(image);
    const Features drawn = Find({image, {}});
    EXPECT_LT(as_it_is.Count(), 0.2 * by_day.Count()) << low;
    EXPECT_GT(drawn.Count(), 0.7 * by_day.Count()) << low;
    EXPECT_GT(ShareAmong(by_day, drawn), 0.6) << low;
    for (const Keypoint& key : drawn.keypoints) {
      ASSERT_GE(key.rgba[0], low);
      ASSERT_LE(key.rgba[0], high);
    }
  }
}

// Used: all but a disc, off the middle, and two columns.
Image MaskWithAHole() {
  Image mask(kWidth, kHeight, 1);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const bool hole = std::hypot(x - 90, y - 70) < 45 || x < 2;
      *mask.At(x, y) = hole ? 0 : 255;
    }
  }
  return mask;
}

double DistanceToHole(const Keypoint& key) {
  return std::min(std::hypot(key.x - 90.5, key.y - 70.5) - 45, key.x - 2.0);
}

double ScaleOf(const Keypoint& key) {
  return std::sqrt(key.a11 * key.a22 - key.a12 * key.a21);
}

TEST(SearchedPicture, FeaturesKeepOffTheMask) {
  const Features all = Find({Picture(), {}});
  const Features inside = Find({Picture(), MaskWithAHole()});
  ASSERT_GT(inside.Count(), 100);
  for (const Keypoint& key : inside.keypoints) {
    ASSERT_GT(DistanceToHole(key), 2 * ScaleOf(key) - 1.5);
  }
  // Far from the hole nothing changes.
  Features far;
  for (const Keypoint& key : all.keypoints) {
    if (DistanceToHole(key) > 12 * ScaleOf(key)) far.keypoints.push_back(key);
  }
  ASSERT_GT(far.Count(), 100);
  EXPECT_GT(ShareAmong(far, inside), 0.97);
}

TEST(SearchedPicture, AMaskThatLeavesNothingLeavesNoFeatures) {
  EXPECT_EQ(Find({Picture(), Image(kWidth, kHeight, 1)}).Count(), 0);
}

class ExtractTest : public ::testing::Test {
 protected:
  ExtractTest() {
    fs::create_directories(folder_ / "frames");
    fs::create_directories(folder_ / "frame_masks");
    fs::create_directories(folder_ / "scratch");
    WriteImage(Picture(), folder_ / "frames" / "1.jpg");
    WriteImage(Squeezed(0, 25), folder_ / "frames" / "2.jpg", 97);
  }

  std::vector<Features> Extract(const std::vector<std::string>& names,
                                const char* scratch = "scratch") {
    return ExtractAllFeatures(
        folder_ / "frames",
        folder_ / "frame_masks",
        names,
        CameraPrior{{0, kWidth, kHeight, {1, 0, 0}}, false},
        options_,
        {folder_ / scratch, 2, 2, &SilentReport()});
  }

  const TemporaryFolder folder_;
  FeatureOptions options_;
};

TEST_F(ExtractTest, LooksAtDarkPicturesWithContrast) {
  const std::vector<Features> features = Extract({"1.jpg", "2.jpg"});
  ASSERT_EQ(features.size(), 2u);
  EXPECT_GT(features[1].Count(), 0.5 * features[0].Count());
}

// What was found with another mask is not gone on with.
TEST_F(ExtractTest, FeaturesGoWithTheMask) {
  const std::vector<Features> all = Extract({"1.jpg"});
  const fs::path mask = folder_ / "frame_masks" / "1.png";
  WriteImage(MaskWithAHole(), mask);
  const std::vector<Features> inside = Extract({"1.jpg"});
  EXPECT_EQ(inside, Extract({"1.jpg"}, "fresh"));
  EXPECT_LT(inside[0].Count(), all[0].Count());
  fs::remove(mask);
  EXPECT_EQ(Extract({"1.jpg"}), all);
}

// Nor what was found in another picture of the same name, or otherwise.
TEST_F(ExtractTest, FeaturesGoWithThePictureAndTheOptions) {
  const std::vector<Features> all = Extract({"1.jpg", "2.jpg"});
  const fs::path kept = folder_ / "scratch" / "features" / "1.jpg.bin";
  const auto long_ago =
      fs::file_time_type::clock::now() - std::chrono::hours(100);
  fs::last_write_time(kept, long_ago);
  EXPECT_EQ(Extract({"1.jpg", "2.jpg"}), all);
  EXPECT_EQ(fs::last_write_time(kept), long_ago) << "looked for once";

  fs::copy_file(folder_ / "frames" / "2.jpg",
                folder_ / "frames" / "1.jpg",
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(Extract({"1.jpg", "2.jpg"})[0], all[1]);
  options_.max_features = 50;
  EXPECT_LE(Extract({"1.jpg", "2.jpg"})[0].Count(), 50);
}

// The room behind a cut-out is still in the file.
TEST_F(ExtractTest, WhatIsTransparentHasNoFeatures) {
  const Image mask = MaskWithAHole();
  Image cut_out(kWidth, kHeight, 4);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      std::copy_n(Picture().At(x, y), 3, cut_out.At(x, y));
      cut_out.At(x, y)[3] = *mask.At(x, y) == 0 ? 127 : 128;
    }
  }
  WriteImage(cut_out, folder_ / "frames" / "3.png");
  const Features found = Extract({"3.png"})[0];
  ASSERT_GT(found.Count(), 100);
  for (const Keypoint& key : found.keypoints) {
    ASSERT_GT(DistanceToHole(key), 2 * ScaleOf(key) - 1.5);
  }
}

}  // namespace
}  // namespace nerfpipe::sfm
