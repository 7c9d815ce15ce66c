// What a picture's layout is found to be, and what is cut out of it.

#include "stages/capture/frame_views.h"

#include "pipeline/base/error.h"
#include "stages/capture/frame_layout.h"
#include "tests/stages/capture/layout_pictures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::HasSubstr;
using Half = FrameLayout::Half;

constexpr FrameLayout kPanorama = {Half::kNone, false, true};

// --- cutting ---

TEST(CutViews, OfAPanoramaShowEachDirectionWhereItIs) {
  // A quarter of the width is no whole number.
  const Image panorama = PanoramaPicture(402, 0);
  const std::vector<Image> views =
      CutViews(panorama, kPanorama, Resampling::kSmooth);
  ASSERT_EQ(views.size(), 4u);
  for (int k = 0; k < 4; ++k) {
    const Image& view = views[static_cast<size_t>(k)];
    ASSERT_EQ(view.width, 100);
    ASSERT_EQ(view.height, 100);
    const double yaw = k * std::numbers::pi / 2;
    int worst = 0;
    for (int y = 0; y < 100; ++y) {
      for (int x = 0; x < 100; ++x) {
        const double right = (x + 0.5 - 50) / 50;
        const double down = (y + 0.5 - 50) / 50;
        const std::array<uint8_t, 3> expected =
            ColourTowards(std::sin(yaw) + right * std::cos(yaw),
                          down,
                          std::cos(yaw) - right * std::sin(yaw));
        for (int c = 0; c < 3; ++c) {
          worst = std::max(worst, std::abs(view.At(x, y)[c] - expected[c]));
        }
      }
    }
    EXPECT_LE(worst, 2) << k;
  }
}

TEST(CutViews, MasksKeepTheirTwoValues) {
  // White to the right of straight ahead, up to straight behind.
  Image mask(402, 201, 1);
  for (int y = 0; y < 201; ++y) std::fill_n(mask.At(201, y), 201, 255);
  const std::vector<Image> views =
      CutViews(mask, kPanorama, Resampling::kNearest);
  const auto row = [&](size_t k) {
    std::vector<int> values(views[k].At(0, 17), views[k].At(0, 17) + 100);
    return values;
  };
  std::vector<int> half(100, 0);
  std::fill(half.begin() + 50, half.end(), 255);
  EXPECT_EQ(row(0), half);
  EXPECT_EQ(row(1), std::vector<int>(100, 255));
  std::reverse(half.begin(), half.end());
  EXPECT_EQ(row(2), half);
  EXPECT_EQ(row(3), std::vector<int>(100, 0));
}

TEST(CutViews, OfTwoViewsTheFirstIsLeft) {
  const Image one = WallPicture(3);
  const Image other = WallPicture(4);
  EXPECT_EQ(CutViews(SideBySide(one, other),
                     {Half::kLeft, false, false},
                     Resampling::kSmooth)[0]
                .pixels,
            one.pixels);
  EXPECT_EQ(CutViews(OneAboveTheOther(one, other),
                     {Half::kUpper, false, false},
                     Resampling::kSmooth)[0]
                .pixels,
            one.pixels);
  const Image stretched = CutViews(SideBySide(one, other),
                                   {Half::kLeft, true, false},
                                   Resampling::kSmooth)[0];
  EXPECT_EQ(stretched.width, 2 * one.width);
  EXPECT_EQ(stretched.height, one.height);
}

// --- finding ---

constexpr int kSamples = 5;

Image Wall(int way) { return WallPicture(way); }

FrameLayout Find(const std::function<Image(int)>& picture,
                 const std::string& wanted = "auto") {
  std::vector<Image> samples;
  for (int i = 0; i < kSamples; ++i) samples.push_back(Gray(picture(7 * i)));
  return FindLayout(samples, {samples[0].width, samples[0].height}, wanted);
}

TEST(FindLayout, SeesTwoViewsForTwoEyes) {
  const auto pair = [](int i) {
    return SideBySide(WallPicture(i), WallPicture(i + 5));
  };
  EXPECT_EQ(Find(pair), (FrameLayout{Half::kLeft, false, false}));
  EXPECT_TRUE(Find(pair, "plain").IsPlain());
  EXPECT_EQ(Find([](int i) {
              return OneAboveTheOther(WallPicture(i), WallPicture(i + 5));
            }),
            (FrameLayout{Half::kUpper, false, false}));
  // Squeezed to 16:9.
  EXPECT_EQ(Find([&](int i) {
              return Resized(pair(i), 432, 243, Resampling::kSmooth);
            }),
            (FrameLayout{Half::kLeft, true, false}));
}

TEST(FindLayout, TakesNoPlainPictureForTwo) {
  EXPECT_TRUE(Find(Wall).IsPlain());
  // Places that have nothing to do with each other.
  EXPECT_TRUE(Find([](int i) {
                return SideBySide(WallPicture(i), WallPicture(i + 900));
              }).IsPlain());
  // A thing of two like sides.
  EXPECT_TRUE(Find([](int i) {
                const Image one = WallPicture(i);
                return SideBySide(one, Mirrored(one));
              }).IsPlain());
  // A wall that repeats itself goes on in the middle.
  EXPECT_TRUE(Find([](int i) {
                const Image one = WallPicture(i);
                const Image tile = SideBySide(one, Mirrored(one));
                return SideBySide(tile, tile);
              }).IsPlain());
  // Now and then it looks so.
  EXPECT_TRUE(Find([](int i) {
                return SideBySide(WallPicture(i),
                                  WallPicture(i < 20 ? i : i + 900));
              }).IsPlain());
}

TEST(FindLayout, OfTwoWantedViewsFindsHowTheyLie) {
  EXPECT_EQ(Find(
                [](int i) {
                  return OneAboveTheOther(WallPicture(i), WallPicture(i + 5));
                },
                "stereo")
                .half,
            Half::kUpper);
  EXPECT_EQ(
      Find([](int i) { return SideBySide(WallPicture(i), WallPicture(i + 5)); },
           "stereo")
          .half,
      Half::kLeft);
}

TEST(FindLayout, SeesPanoramas) {
  const auto panorama = [](int i) { return PanoramaPicture(402, i); };
  EXPECT_EQ(Find(panorama), kPanorama);
  EXPECT_TRUE(Find(panorama, "plain").IsPlain());
  // Two of them, for two eyes.
  EXPECT_EQ(
      Find([&](int i) { return OneAboveTheOther(panorama(i), panorama(i)); }),
      (FrameLayout{Half::kUpper, false, true}));
}

TEST(FindLayout, TakesNoPlainPictureForAPanorama) {
  // Of its shape, but its borders are those of a picture.
  EXPECT_TRUE(Find([](int i) {
                return Resized(WallPicture(i), 402, 201, Resampling::kSmooth);
              }).IsPlain());
  // A thing before a wall whose light falls from above: all borders join.
  EXPECT_TRUE(Find([](int i) {
                const Image thing = WallPicture(i);
                Image picture(402, 201, 3);
                for (int y = 0; y < 201; ++y) {
                  for (int x = 0; x < 402; ++x) {
                    const bool on = x >= 99 && x < 309 && y >= 30 && y < 170;
                    for (int c = 0; c < 3; ++c) {
                      picture.At(x, y)[c] =
                          on ? thing.At(x - 99, y - 30)[c]
                             : static_cast<uint8_t>(250 - y / 2);
                    }
                  }
                }
                return picture;
              }).IsPlain());
}

TEST(FindLayout, RefusesPanoramasOfAnotherShape) {
  try {
    Find(Wall, "equirectangular");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("213x149 are not twice as wide"));
  }
}

}  // namespace
}  // namespace nerfpipe
