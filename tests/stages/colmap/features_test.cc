#include "stages/colmap/features/features.h"

#include "pipeline/base/random.h"
#include "stages/colmap/features/gaussian_blur.h"
#include "stages/colmap/features/sift_kernels.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include <colmap/thirdparty/VLFeat/sift.h>
#include <gtest/gtest.h>
#include <malloc.h>

namespace nerfpipe::sfm {
namespace {

TEST(BlurGaussian, EqualsTheDirectSum) {
  constexpr int kWidth = 53, kHeight = 19;
  constexpr double kSigma = 1.7;
  Random random(5);
  std::vector<float> in(kWidth * kHeight), out(in.size());
  for (float& value : in) {
    value = static_cast<float>(random.Uniform());
  }
  BlurGaussian(in.data(), kWidth, kHeight, kSigma, out.data());
  const int radius = static_cast<int>(std::ceil(4 * kSigma));
  double norm = 0;
  for (int i = -radius; i <= radius; ++i) {
    norm += std::exp(-0.5 * i * i / (kSigma * kSigma));
  }
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      double sum = 0;
      for (int j = -radius; j <= radius; ++j) {
        for (int i = -radius; i <= radius; ++i) {
          sum += std::exp(-0.5 * (i * i + j * j) / (kSigma * kSigma)) *
                 in[std::clamp(y + j, 0, kHeight - 1) * kWidth +
                    std::clamp(x + i, 0, kWidth - 1)];
        }
      }
      EXPECT_NEAR(out[y * kWidth + x], sum / (norm * norm), 1e-6);
    }
  }
}

// Noise with structure of many sizes, 0 to 1.
std::vector<float> Texture(int width, int height) {
  Random random(3);
  std::vector<float> texture(static_cast<size_t>(width) * height, 0);
  std::vector<float> noise(texture.size());
  std::vector<float> smooth(texture.size());
  for (const double sigma : {1.0, 3.0, 9.0}) {
    for (float& value : noise) value = static_cast<float>(random.Uniform());
    BlurGaussian(noise.data(), width, height, sigma, smooth.data());
    for (size_t i = 0; i < texture.size(); ++i) {
      texture[i] += static_cast<float>(sigma) * (smooth[i] - 0.5f);
    }
  }
  return texture;
}

// VLFeat computes the same with a coarser arc tangent and exponential.
TEST(ComputeDescriptor, EqualsVLFeat) {
  constexpr int kWidth = 240, kHeight = 160;
  const std::vector<float> texture = Texture(kWidth, kHeight);
  const std::unique_ptr<VlSiftFilt, void (*)(VlSiftFilt*)> sift(
      vl_sift_new(kWidth, kHeight, 2, 3, 0), vl_sift_delete);
  vl_sift_process_first_octave(sift.get(), texture.data());
  int compared = 0;
  for (bool more = true; more;
       more = vl_sift_process_next_octave(sift.get()) == VL_ERR_OK) {
    const float scale = std::ldexp(1.0f, sift->o_cur);
    vl_sift_detect(sift.get());
    const VlSiftKeypoint* keys = vl_sift_get_keypoints(sift.get());
    for (int i = 0; i < vl_sift_get_nkeypoints(sift.get()); ++i) {
      double angles[4];
      const int directions =
          vl_sift_calc_keypoint_orientations(sift.get(), angles, &keys[i]);
      std::vector<float> gradient(static_cast<size_t>(2) * sift->octave_width *
                                  sift->octave_height);
      FillGradient(vl_sift_get_octave(sift.get(), keys[i].is),
                   sift->octave_width,
                   sift->octave_height,
                   gradient.data());
      for (int d = 0; d < directions; ++d) {
        float wanted[kDescriptorSize];
        vl_sift_calc_keypoint_descriptor(
            sift.get(), wanted, &keys[i], angles[d]);
        float got[kDescriptorSize];
        ComputeDescriptor(gradient.data(),
                          sift->octave_width,
                          sift->octave_height,
                          {keys[i].x / scale,
                           keys[i].y / scale,
                           keys[i].sigma / scale,
                           static_cast<float>(angles[d])},
                          got);
        double apart = 0;
        for (int k = 0; k < kDescriptorSize; ++k) {
          apart += (got[k] - wanted[k]) * (got[k] - wanted[k]);
        }
        EXPECT_LT(std::sqrt(apart), 0.03);
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 100);
}

// A round blob on gray, centre in pixels from the image's corner.
Image Blob(double cx, double cy, double sigma) {
  Image image(200, 150, 3);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const double r2 =
          (x + 0.5 - cx) * (x + 0.5 - cx) + (y + 0.5 - cy) * (y + 0.5 - cy);
      const double value = 60 + 150 * std::exp(-0.5 * r2 / (sigma * sigma));
      std::fill_n(image.At(x, y), 3, static_cast<uint8_t>(value + 0.5));
    }
  }
  return image;
}

Features Find(const Image& image, const FeatureOptions& options = {}) {
  return FeatureFinder(options, /*doubled=*/true).Find(image);
}

TEST(FeatureFinder, FindsABlobWhereItIs) {
  // Found in the doubled image, in the image, in the halved one.
  for (const double sigma : {1.5, 3.0, 7.0}) {
    const Features features = Find(Blob(93.3, 71.8, sigma));
    // Rounding to bytes leaves rings with faint features of their own.
    int found = 0;
    for (const Keypoint& k : features.keypoints) {
      found += std::hypot(k.x - 93.3, k.y - 71.8) < 0.1 &&
               std::abs(std::hypot(k.a11, k.a21) - sigma) < 0.25 * sigma;
    }
    EXPECT_GE(found, 1) << sigma;
    for (int i = 0; i < features.Count(); ++i) {
      double squared = 0;
      for (int j = 0; j < kDescriptorSize; ++j) {
        const int value = features.descriptors[i * kDescriptorSize + j];
        squared += value * value;
      }
      EXPECT_NEAR(std::sqrt(squared), 512, 8);
    }
  }
}

TEST(FeatureFinder, PositionsAreInPixelsOfTheFullImage) {
  FeatureOptions options;
  options.max_image_size = 100;
  const Features features = Find(Blob(93.3, 71.8, 6), options);
  ASSERT_GE(features.Count(), 1);
  EXPECT_NEAR(features.keypoints[0].x, 93.3, 0.2);
  EXPECT_NEAR(features.keypoints[0].y, 71.8, 0.2);
}

Image TexturedImage() {
  const std::vector<float> texture = Texture(240, 160);
  Image image(240, 160, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<uint8_t>(
        std::clamp(128 + 300 * texture[i / 3], 0.f, 255.f));
  }
  return image;
}

// The same, rows for columns.
Image Transposed(const Image& image) {
  Image turned(image.height, image.width, 3);
  for (int y = 0; y < turned.height; ++y) {
    for (int x = 0; x < turned.width; ++x) {
      std::copy_n(image.At(y, x), 3, turned.At(x, y));
    }
  }
  return turned;
}

float SmallestScale(const Features& features) {
  float least = 1e9f;
  for (const Keypoint& k : features.keypoints) {
    least = std::min(least, std::hypot(k.a11, k.a21));
  }
  return least;
}

// Of a picture reduced to a quarter, features are four times as large.
TEST(FeatureFinder, LargeImagesAreReducedAndFewFeaturesKept) {
  const Image image = TexturedImage();
  const Features whole = Find(image);
  ASSERT_GT(whole.Count(), 60);
  EXPECT_LT(SmallestScale(whole), 1.5);
  FeatureOptions reduced;
  reduced.max_image_size = 60;
  EXPECT_GT(SmallestScale(Find(image, reduced)), 3);
  // The largest are kept, and come first.
  FeatureOptions few;
  few.max_features = 23;
  const Features kept = Find(image, few);
  ASSERT_EQ(kept.Count(), 23);
  for (int i = 0; i < 23; ++i) {
    EXPECT_EQ(kept.keypoints[i], whole.keypoints[i]) << i;
  }
}

// The longer side counts, however the picture was held. By its width alone a
// portrait would be reduced by a third less.
TEST(FeatureFinder, PortraitsAreReducedByTheirLongerSide) {
  const Image image = TexturedImage();
  FeatureOptions options;
  for (const int size : {60, 120, 200}) {
    options.max_image_size = size;
    const float lying = SmallestScale(Find(image, options));
    const float standing = SmallestScale(Find(Transposed(image), options));
    EXPECT_NEAR(standing, lying, 0.1 * lying) << size;
  }
  options.max_image_size = 100;
  const Features features = Find(Transposed(Blob(93.3, 71.8, 6)), options);
  ASSERT_GE(features.Count(), 1);
  EXPECT_NEAR(features.keypoints[0].x, 71.8, 0.2);
  EXPECT_NEAR(features.keypoints[0].y, 93.3, 0.2);
}

TEST(FeatureFinder, ReusedMemoryChangesNothing) {
  const FeatureFinder finder({}, /*doubled=*/true);
  const Image image = Blob(93.3, 71.8, 3);
  const Features first = finder.Find(image);
  finder.Find(Blob(50, 40, 9));
  EXPECT_EQ(finder.Find(image), first);
  // Too few in the plain image: the doubled one is searched all the same.
  EXPECT_EQ(FeatureFinder({}, /*doubled=*/false).Find(image), first);
}

size_t HeldBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST(FeatureFinder, HoldsTheMemoryOfOneSizeOfPicture) {
  const FeatureFinder finder({}, /*doubled=*/true);
  const auto found_in = [&](int width) {
    Image image(width, 150, 3);
    std::fill(
        image.pixels.begin(), image.pixels.end(), static_cast<uint8_t>(9));
    finder.Find(image);
    return HeldBytes();
  };
  const size_t of_one = found_in(211);
  for (int width = 180; width < 210; width += 3) {
    EXPECT_LT(found_in(width), of_one) << width;
  }
}

TEST(FeatureFinder, EllipsesFollowTheSlant) {
  // Twice as long as it is wide.
  Image image(200, 160, 3);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const double u = (x + 0.5 - 93.3) / 12;
      const double v = (y + 0.5 - 71.8) / 6;
      const double value = 40 + 180 * std::exp(-0.5 * (u * u + v * v));
      std::fill_n(image.At(x, y), 3, static_cast<uint8_t>(value));
    }
  }
  const auto slant = [&](bool affine) -> double {
    FeatureOptions options;
    options.affine = affine;
    const Features features = Find(image, options);
    if (features.Count() == 0) return 0.0;
    const Keypoint& k = features.keypoints[0];
    EXPECT_NEAR(k.x, 93.3, 1);
    EXPECT_NEAR(k.y, 71.8, 1);
    EXPECT_EQ(k.rgba[0],
              image.At(static_cast<int>(k.x), static_cast<int>(k.y))[0]);
    return std::hypot(k.a11, k.a12) / std::hypot(k.a21, k.a22);
  };
  EXPECT_NEAR(slant(false), 1, 1e-5);
  // Less than it is: the window that looks at it is round.
  EXPECT_GT(slant(true), 1.4);
}

TEST(ParseFeatures, ReadsBackAndRefusesEveryCutFile) {
  const Features features = Find(Blob(93.3, 71.8, 3));
  const std::string bytes = SerializeFeatures(features);
  EXPECT_EQ(ParseFeatures(bytes), features);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseFeatures(bytes.substr(0, size)).has_value());
  }
  EXPECT_FALSE(ParseFeatures(bytes + "x").has_value());
}

}  // namespace
}  // namespace nerfpipe::sfm
