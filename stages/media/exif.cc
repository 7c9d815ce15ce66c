#include "stages/media/exif.h"

#include "stages/media/header_bytes.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace nerfpipe {
namespace {

// Tags of the first directory.
constexpr uint32_t kImageWidth = 0x0100;
constexpr uint32_t kImageLength = 0x0101;
constexpr uint32_t kOrientation = 0x0112;
constexpr uint32_t kExifDirectory = 0x8769;
// And of that of EXIF.
constexpr uint32_t kFocalLength = 0x920a;  // mm
constexpr uint32_t kPixelXDimension = 0xa002;
constexpr uint32_t kPixelYDimension = 0xa003;
constexpr uint32_t kFocalPlaneXResolution = 0xa20e;
constexpr uint32_t kFocalPlaneResolutionUnit = 0xa210;
constexpr uint32_t kFocalLengthIn35mmFilm = 0xa405;

// One directory of a TIFF structure.
class Directory {
 public:
  Directory(const HeaderBytes& bytes, size_t offset)
      : bytes_(bytes), offset_(offset) {}

  // 0 when the tag is not there.
  uint32_t Integer(uint32_t tag) const {
    constexpr uint32_t kShort = 3;  // the type of 16-bit numbers
    const std::optional<size_t> entry = Find(tag);
    if (!entry) return 0;
    return bytes_.U16(*entry + 2) == kShort ? bytes_.U16(*entry + 8)
                                            : bytes_.U32(*entry + 8);
  }

  double Rational(uint32_t tag) const {
    const std::optional<size_t> entry = Find(tag);
    if (!entry) return 0;
    const size_t at = bytes_.U32(*entry + 8);
    const uint32_t below = bytes_.U32(at + 4);
    return below == 0 ? 0 : static_cast<double>(bytes_.U32(at)) / below;
  }

 private:
  std::optional<size_t> Find(uint32_t tag) const {
    const uint32_t entries = bytes_.U16(offset_);
    for (uint32_t i = 0; i < entries; ++i) {
      const size_t entry = offset_ + 2 + size_t{12} * i;
      if (!bytes_.Has(entry, 12)) break;
      if (bytes_.U16(entry) == tag) return entry;
    }
    return std::nullopt;
  }

  const HeaderBytes& bytes_;
  size_t offset_;
};

double FocalOf(const Directory& exif) {
  // The diagonal of a frame of film, which the equivalent is defined by.
  const double film = std::hypot(36.0, 24.0);
  const uint32_t equivalent = exif.Integer(kFocalLengthIn35mmFilm);
  if (equivalent > 0) return equivalent / film;
  const uint32_t unit = exif.Integer(kFocalPlaneResolutionUnit);
  const double unit_mm = unit == 3 ? 10 : 25.4;  // else inches
  const double pixels = std::hypot(exif.Integer(kPixelXDimension),
                                   exif.Integer(kPixelYDimension));
  if (pixels == 0) return 0;
  return exif.Rational(kFocalLength) * exif.Rational(kFocalPlaneXResolution) /
         unit_mm / pixels;
}

}  // namespace

ExifFacts ParseExif(std::string_view exif) {
  // Lenses from the widest to the longest that a scene is taken with.
  constexpr double kShortest = 0.1;
  constexpr double kLongest = 20;
  if (exif.substr(0, 4) == "Exif") {
    exif.remove_prefix(std::min<size_t>(6, exif.size()));
  }
  ExifFacts facts;
  const bool little_endian = exif.substr(0, 2) == "II";
  if (!little_endian && exif.substr(0, 2) != "MM") return facts;
  const HeaderBytes bytes(exif, little_endian);
  const Directory first(bytes, bytes.U32(4));
  facts.width = static_cast<int>(first.Integer(kImageWidth));
  facts.height = static_cast<int>(first.Integer(kImageLength));
  const uint32_t orientation = first.Integer(kOrientation);
  if (orientation >= 1 && orientation <= 8) {
    facts.orientation = static_cast<int>(orientation);
  }
  if (const uint32_t directory = first.Integer(kExifDirectory)) {
    const double focal = FocalOf(Directory(bytes, directory));
    if (focal > kShortest && focal < kLongest) facts.focal = focal;
  }
  return facts;
}

}  // namespace nerfpipe
