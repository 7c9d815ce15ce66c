#include "stages/media/image_file.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/media/exif.h"
#include "stages/media/heif.h"
#include "stages/media/jpeg.h"
#include "stages/media/orientation.h"

#include <algorithm>
#include <cctype>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace nerfpipe {
namespace {

using Format = ImageHeader::Format;

std::string LowerSuffix(const std::filesystem::path& path) {
  std::string suffix = path.extension().string();
  for (char& c : suffix) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return suffix;
}

bool IsOneOf(const std::string& suffix,
             std::initializer_list<const char*> known) {
  return std::any_of(known.begin(), known.end(), [&](const char* candidate) {
    return suffix == candidate;
  });
}

[[noreturn]] void RefuseFile(const std::filesystem::path& path,
                             const std::string& why) {
  throw UserError("'" + path.string() + "' " + why,
                  "copy it again from the camera, or leave it out");
}

// A size that some camera has; 0 where the file's head does not say.
void RequirePlausible(const std::filesystem::path& path,
                      int width,
                      int height) {
  if (width >= 0 && height >= 0 &&
      static_cast<double>(width) * height <= kMostPixels) {
    return;
  }
  RefuseFile(path,
             "is damaged (it claims to be " + std::to_string(width) + "x" +
                 std::to_string(height) + ")");
}

// Any depth and channel count to 8-bit gray, RGB or RGBA.
Image FromMat(const cv::Mat& decoded, bool keep_alpha) {
  cv::Mat mat = decoded;
  if (mat.depth() == CV_16U) {
    mat.convertTo(mat, CV_8U, 1.0 / 257);
  } else if (mat.depth() == CV_32F || mat.depth() == CV_64F) {
    mat.convertTo(mat, CV_8U, 255);
  } else if (mat.depth() != CV_8U) {
    cv::normalize(mat, mat, 0, 255, cv::NORM_MINMAX, CV_8U);
  }
  const bool alpha = keep_alpha && mat.channels() == 4;
  Image image(mat.cols, mat.rows, alpha ? 4 : 3);
  cv::Mat rgb(mat.rows, mat.cols, CV_8UC(image.channels), image.pixels.data());
  switch (mat.channels()) {
    case 1:
      cv::cvtColor(mat, rgb, cv::COLOR_GRAY2RGB);
      break;
    case 2: {  // gray with alpha
      cv::Mat gray;
      cv::extractChannel(mat, gray, 0);
      cv::cvtColor(gray, rgb, cv::COLOR_GRAY2RGB);
      break;
    }
    case 3:
      cv::cvtColor(mat, rgb, cv::COLOR_BGR2RGB);
      break;
    default:
      cv::cvtColor(mat, rgb, alpha ? cv::COLOR_BGRA2RGBA : cv::COLOR_BGRA2RGB);
  }
  NERFPIPE_CHECK(rgb.data == image.pixels.data());
  return image;
}

Image DecodeByOpenCv(const std::filesystem::path& path,
                     const std::string& bytes,
                     bool keep_alpha) {
  cv::Mat decoded;
  try {
    const cv::Mat raw(1,
                      static_cast<int>(bytes.size()),
                      CV_8U,
                      const_cast<char*>(bytes.data()));
    decoded = cv::imdecode(raw, cv::IMREAD_UNCHANGED);
  } catch (const cv::Exception& error) {
    if (error.code == cv::Error::StsNoMem) throw std::bad_alloc();
    RefuseFile(path, "cannot be decoded (" + error.err + ")");
  }
  if (decoded.empty()) {
    RefuseFile(path, "is damaged, or not an image of a known kind");
  }
  return FromMat(decoded, keep_alpha);
}

// Only JPEG files are decoded at a smaller size.
Image Decode(const std::filesystem::path& path,
             bool keep_alpha,
             int least_side) {
  const std::string bytes = ReadFile(path);
  const ImageHeader header = ParseImageHeader(bytes);
  if (bytes.empty()) RefuseFile(path, "is empty");
  try {
    if (header.format == Format::kHeif) {
      const HeifHeader size = ReadHeifHeader(bytes);
      RequirePlausible(path, size.width, size.height);
      return DecodeHeif(bytes);
    }
    RequirePlausible(path, header.width, header.height);
    if (header.animated) {
      throw UserError("'" + path.string() + "' is an animation, not a photo",
                      "convert it to a video (.mp4) and give that");
    }
    return ApplyOrientation(header.format == Format::kJpeg
                                ? DecodeJpeg(bytes, least_side)
                                : DecodeByOpenCv(path, bytes, keep_alpha),
                            header.orientation);
  } catch (const DamagedJpeg& error) {
    RefuseFile(path, std::string("is damaged (") + error.what() + ")");
  } catch (const DamagedHeif& error) {
    RefuseFile(path, std::string("cannot be decoded (") + error.what() + ")");
  }
}

}  // namespace

bool HasImageSuffix(const std::filesystem::path& path) {
  return IsOneOf(LowerSuffix(path),
                 {".jpg",
                  ".jpeg",
                  ".jpe",
                  ".jfif",
                  ".mpo",
                  ".png",
                  ".webp",
                  ".tif",
                  ".tiff",
                  ".bmp",
                  ".heic",
                  ".heif",
                  ".hif",
                  ".avif"});
}

bool HasForeignImageSuffix(const std::filesystem::path& path) {
  return IsOneOf(LowerSuffix(path),
                 {".dng",
                  ".cr2",
                  ".cr3",
                  ".nef",
                  ".arw",
                  ".orf",
                  ".rw2",
                  ".raf",
                  ".jp2",
                  ".jxl"});
}

Image ReadImage(const std::filesystem::path& path, bool keep_alpha) {
  return Decode(path, keep_alpha, /*least_side=*/0);
}

Image ReadPreview(const std::filesystem::path& path, int least_side) {
  return Decode(path, /*keep_alpha=*/false, least_side);
}

ImageHeader ReadImageHeader(const std::filesystem::path& path) {
  // Enough for the metadata of nearly every camera.
  constexpr size_t kEnough = size_t{1} << 17;
  std::string bytes = ReadBeginning(path, kEnough);
  const bool whole = bytes.size() < kEnough;
  ImageHeader header = ParseImageHeader(bytes);
  // The orientation of PNG and WebP files may stand behind the pixels.
  const bool complete = header.format == Format::kJpeg && header.width > 0;
  if (!whole && !complete) {
    bytes = ReadFile(path);
    header = ParseImageHeader(bytes);
  }
  if (bytes.empty()) RefuseFile(path, "is empty");
  if (header.format == Format::kHeif) {
    try {
      const HeifHeader heif = ReadHeifHeader(bytes);
      header.width = heif.width;
      header.height = heif.height;
      header.focal = ParseExif(heif.exif).focal;
    } catch (const DamagedHeif& error) {
      RefuseFile(path, std::string("is damaged (") + error.what() + ")");
    }
  }
  return header;
}

ImageSize ReadImageSize(const std::filesystem::path& path) {
  const ImageHeader header = ReadImageHeader(path);
  if (header.width <= 0 || header.height <= 0) {
    const Image image = ReadImage(path);
    return {image.width, image.height};
  }
  if (OrientationSwapsSides(header.orientation)) {
    return {header.height, header.width};
  }
  return {header.width, header.height};
}

void WriteImage(const Image& image,
                const std::filesystem::path& path,
                int quality) {
  NERFPIPE_CHECK(image.width > 0 && image.height > 0);
  NERFPIPE_CHECK(image.pixels.size() == static_cast<size_t>(image.width) *
                                            image.height * image.channels);
  std::string bytes;
  if (IsOneOf(LowerSuffix(path), {".jpg", ".jpeg"})) {
    bytes = EncodeJpeg(image, quality);
  } else {
    NERFPIPE_CHECK(LowerSuffix(path) == ".png");
    const cv::Mat pixels(image.height,
                         image.width,
                         CV_8UC(image.channels),
                         const_cast<uint8_t*>(image.pixels.data()));
    // A matrix of its own: cvtColor writes into an output that fits.
    cv::Mat converted;
    if (image.channels == 3) {
      cv::cvtColor(pixels, converted, cv::COLOR_RGB2BGR);
    } else if (image.channels == 4) {
      cv::cvtColor(pixels, converted, cv::COLOR_RGBA2BGRA);
    } else {
      converted = pixels;
    }
    std::vector<uint8_t> encoded;
    NERFPIPE_CHECK(cv::imencode(".png", converted, encoded));
    bytes.assign(encoded.begin(), encoded.end());
  }
  WriteFileAside(path, bytes);
}

}  // namespace nerfpipe
