// What is measured of frames, against the same figures computed again.

#include "stages/capture/frame_measures.h"

#include "pipeline/base/error.h"
#include "stages/media/image_file.h"
#include "tests/stages/media/test_pictures.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

Image Gray(int width, int height, double dx = 0, double dy = 0) {
  const Image rgb = TestPicture(width, height, dx, dy);
  Image gray(width, height, 1);
  for (size_t i = 0; i < gray.pixels.size(); ++i) {
    gray.pixels[i] = rgb.pixels[3 * i + 1];
  }
  return gray;
}

// Means of cells of 2 x 2.
Image Halved(const Image& image) {
  Image half(image.width / 2, image.height / 2, image.channels);
  for (int y = 0; y < half.height; ++y) {
    for (int x = 0; x < half.width; ++x) {
      for (int c = 0; c < image.channels; ++c) {
        int sum = 2;
        for (int k = 0; k < 4; ++k) {
          sum += image.At(2 * x + k % 2, 2 * y + k / 2)[c];
        }
        half.At(x, y)[c] = static_cast<uint8_t>(sum / 4);
      }
    }
  }
  return half;
}

double VarianceOfLaplacian(const Image& gray) {
  double sum = 0;
  double squares = 0;
  // Mirrored about the outermost pixels.
  const auto inside = [](int i, int size) {
    return i < 0 ? -i : i >= size ? 2 * size - 2 - i : i;
  };
  for (int y = 0; y < gray.height; ++y) {
    for (int x = 0; x < gray.width; ++x) {
      const double value = *gray.At(inside(x - 1, gray.width), y) +
                           *gray.At(inside(x + 1, gray.width), y) +
                           *gray.At(x, inside(y - 1, gray.height)) +
                           *gray.At(x, inside(y + 1, gray.height)) -
                           4.0 * *gray.At(x, y);
      sum += value;
      squares += value * value;
    }
  }
  const auto count = static_cast<double>(gray.pixels.size());
  return squares / count - sum * sum / count / count;
}

double MeanOf(const Image& gray) {
  double sum = 0;
  for (const uint8_t value : gray.pixels) sum += value / 255.0;
  return sum / static_cast<double>(gray.pixels.size());
}

TEST(MeasureGray, AgreesWithItsTwin) {
  const Image gray = Gray(213, 140, 31, 7);
  const FrameMeasures measures = MeasureGray(gray);
  EXPECT_EQ(measures.width, 213);
  EXPECT_EQ(measures.height, 140);
  const double variance = VarianceOfLaplacian(gray);
  EXPECT_NEAR(measures.sharpness, variance, 1e-9 * variance);
  EXPECT_NEAR(measures.luma, MeanOf(gray), 1e-9);
}

TEST(MeasureGray, LargePicturesAreMeasuredAt960) {
  // Half of 1920 on the longer side, whichever that is.
  for (const bool stands : {false, true}) {
    const Image gray = stands ? Gray(158, 1920) : Gray(1920, 158);
    const double variance = VarianceOfLaplacian(Halved(gray));
    EXPECT_NEAR(MeasureGray(gray).sharpness, variance, 0.01 * variance);
  }
}

TEST(MeasureGray, ThumbnailsKeepTheShape) {
  const auto height = [](int width, int height_in) {
    const FrameMeasures measures = MeasureGray(Gray(width, height_in));
    EXPECT_EQ(measures.thumbnail.width, 160);
    EXPECT_EQ(measures.thumbnail.channels, 1);
    return measures.thumbnail.height;
  };
  EXPECT_EQ(height(320, 181), 91);
  EXPECT_EQ(height(90, 200), 356);
  // Not more than four times as high as wide, and never without a row.
  EXPECT_EQ(height(20, 200), 640);
  EXPECT_EQ(height(900, 2), 1);
}

TEST(LookAtFrame, TellsWhatIsInTheFile) {
  const TemporaryFolder folder;
  Image picture(1930, 400, 3);
  const uint8_t colour[3] = {200, 100, 50};
  for (size_t i = 0; i < picture.pixels.size(); ++i) {
    picture.pixels[i] = colour[i % 3];
  }
  WriteImage(picture, folder / "a.jpg", 100);
  const FrameLook look = LookAtFrame(folder / "a.jpg");
  EXPECT_EQ(look.measures.width, 1930);
  EXPECT_EQ(look.measures.height, 400);
  EXPECT_NEAR(look.measures.luma,
              (0.299 * 200 + 0.587 * 100 + 0.114 * 50) / 255,
              0.005);
  EXPECT_NEAR(look.measures.sharpness, 0, 0.1);
  EXPECT_EQ(look.thumbnail.width, 160);
  EXPECT_EQ(look.thumbnail.height, 33);
  EXPECT_EQ(look.thumbnail.channels, 3);
  EXPECT_NEAR(look.thumbnail.At(80, 10)[0], 200, 2);
}

TEST(LookAtFrame, LooksAtGrayOfTheColours) {
  const TemporaryFolder folder;
  const Image picture = TestPicture(300, 170, 12);
  WriteImage(picture, folder / "a.png");
  Image gray(300, 170, 1);
  for (size_t i = 0; i < gray.pixels.size(); ++i) {
    gray.pixels[i] = static_cast<uint8_t>(
        0.299 * picture.pixels[3 * i] + 0.587 * picture.pixels[3 * i + 1] +
        0.114 * picture.pixels[3 * i + 2] + 0.5);
  }
  const FrameLook look = LookAtFrame(folder / "a.png");
  const double variance = VarianceOfLaplacian(gray);
  EXPECT_NEAR(look.measures.sharpness, variance, 0.02 * variance);
  EXPECT_NEAR(look.measures.luma, MeanOf(gray), 1e-3);
  EXPECT_EQ(look.points.width, 300);
  EXPECT_THROW(LookAtFrame(folder / "none.png"), UserError);
}

// Left `share` of the columns of the one value, the rest of the other.
Image Halves(double share, int left, int right) {
  Image gray(200, 130, 1);
  for (int y = 0; y < gray.height; ++y) {
    for (int x = 0; x < gray.width; ++x) {
      *gray.At(x, y) =
          static_cast<uint8_t>(x < share * gray.width ? left : right);
    }
  }
  return gray;
}

TEST(Tones, AreThoseOfMostPixels) {
  const auto tones = [](const Image& gray) { return MeasureGray(gray).tones; };
  EXPECT_NEAR(tones(Halves(0.89, 40, 200)).bright, 200 / 255.0, 1e-9);
  EXPECT_NEAR(tones(Halves(0.91, 40, 200)).bright, 40 / 255.0, 1e-9);
  EXPECT_NEAR(tones(Halves(0.11, 40, 200)).dark, 40 / 255.0, 1e-9);
  EXPECT_NEAR(tones(Halves(0.09, 40, 200)).dark, 200 / 255.0, 1e-9);
  // What is as good as black or white counts on its own.
  const Tones black = tones(Halves(0.6, 2, 30));
  EXPECT_NEAR(black.black, 0.6, 1e-9);
  EXPECT_NEAR(black.bright, 30 / 255.0, 1e-9);
  EXPECT_EQ(tones(Halves(0.6, 3, 30)).black, 0);
  const Tones white = tones(Halves(0.3, 253, 220));
  EXPECT_NEAR(white.white, 0.3, 1e-9);
  EXPECT_NEAR(white.dark, 220 / 255.0, 1e-9);
  EXPECT_EQ(tones(Halves(0.3, 252, 220)).white, 0);
}

TEST(Tones, AGroundOfPlainBlackOrWhiteIsNoneOfThem) {
  for (const int ground : {0, 255}) {
    Image gray = Halves(1, ground, ground);
    for (int y = 20; y < 70; ++y) {
      for (int x = 30; x < 90; ++x) *gray.At(x, y) = x < 60 ? 90 : 170;
    }
    const Tones tones = MeasureGray(gray).tones;
    EXPECT_NEAR(tones.bright, 170 / 255.0, 1e-9) << ground;
    EXPECT_NEAR(tones.dark, 90 / 255.0, 1e-9) << ground;
    EXPECT_EQ(tones.black, 0) << ground;
    EXPECT_EQ(tones.white, 0) << ground;
  }
  // A picture of nothing else is what it is.
  EXPECT_EQ(MeasureGray(Halves(1, 1, 1)).tones.black, 1);
  EXPECT_EQ(MeasureGray(Halves(1, 1, 1)).tones.bright, 0);
  EXPECT_EQ(MeasureGray(Halves(1, 254, 254)).tones.white, 1);
  EXPECT_EQ(MeasureGray(Halves(1, 254, 254)).tones.dark, 1);
}

TEST(MeasureGray, LooksOnlyAtWhatTheMaskShows) {
  Image gray = Gray(200, 130, 5, 3);
  const Image whole = gray;
  const Image mask = Halves(0.4, 255, 0);
  for (int y = 0; y < 130; ++y) {
    for (int x = 80; x < 200; ++x) {
      *gray.At(x, y) = static_cast<uint8_t>((x + y) % 2 * 255);
    }
  }
  const FrameMeasures measures = MeasureGray(gray, mask);
  const FrameMeasures shown = MeasureGray(whole, mask);
  EXPECT_EQ(measures.sharpness, shown.sharpness);
  EXPECT_EQ(measures.luma, shown.luma);
  EXPECT_EQ(measures.tones.white, 0);
  EXPECT_LT(measures.sharpness, 0.1 * MeasureGray(gray).sharpness);
  // A mask that shows nothing is none.
  EXPECT_EQ(MeasureGray(gray, Halves(1, 0, 0)).luma, MeasureGray(gray).luma);
}

TEST(LookAtFrame, TakesTheMaskFromItsFile) {
  // At another size than the picture, with lossy edges.
  const TemporaryFolder folder;
  Image picture = TestPicture(300, 170, 12);
  for (int y = 0; y < 170; ++y) {
    for (int x = 150; x < 300; ++x) std::fill_n(picture.At(x, y), 3, 255);
  }
  WriteImage(picture, folder / "a.png");
  Image mask(600, 340, 3);
  for (int y = 0; y < 340; ++y) {
    for (int x = 0; x < 600; ++x) {
      std::fill_n(mask.At(x, y), 3, x < 300 ? 250 : 3);
    }
  }
  WriteImage(mask, folder / "mask.png");
  const FrameLook look = LookAtFrame(folder / "a.png", folder / "mask.png");
  EXPECT_EQ(look.measures.tones.white, 0);
  EXPECT_GT(LookAtFrame(folder / "a.png").measures.tones.white, 0.45);
  for (const auto& [x, y] : look.points.places) EXPECT_LT(x, 151);
  EXPECT_THROW(LookAtFrame(folder / "a.png", folder / "no.png"), UserError);
}

TEST(MotionBetween, IsAShareOfTheWidth) {
  const Image from = Gray(160, 90);
  // What is measured of no motion lies below what counts as any.
  EXPECT_LT(MotionBetween(from, from), 5e-4);
  EXPECT_NEAR(MotionBetween(from, Gray(160, 90, 2, 0)), 2 / 160.0, 1.5e-3);
  EXPECT_NEAR(MotionBetween(from, Gray(160, 90, 0, 2)), 2 / 160.0, 1.5e-3);
  EXPECT_NEAR(
      MotionBetween(from, Gray(160, 90, 3, -2)), std::hypot(3, 2) / 160, 2e-3);
  EXPECT_EQ(MotionBetween(from, Gray(160, 91)), 1);
}

TEST(MotionBetween, CountsASmallObjectBeforeAStillBackground) {
  // A sixteenth of the picture moves by 4 pixels: a quarter of that as the root
  // of the mean square, though only a sixteenth as the mean.
  const Image from = Gray(160, 96);
  Image to = from;
  const Image moved = Gray(160, 96, 4, 0);
  for (int y = 36; y < 60; ++y) {
    for (int x = 60; x < 100; ++x) *to.At(x, y) = *moved.At(x, y);
  }
  EXPECT_GT(MotionBetween(from, to), 0.6 * 4 / 160 / 4);
  EXPECT_LT(MotionBetween(from, to), 1.6 * 4 / 160 / 4);
}

}  // namespace
}  // namespace nerfpipe
