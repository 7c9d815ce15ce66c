// Damaged files of splats: each is refused in one line, none crashes.

#include "pipeline/base/random.h"
#include "stages/nerf/splat_files/formats.h"
#include "stages/nerf/splat_files/gzip.h"
#include "tests/stages/nerf/splat_files/example_cloud.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace nerfpipe::splats {
namespace {

// Any other exception goes through and fails the test.
bool Refused(const Format& format, std::string_view bytes) {
  try {
    format.read(bytes, "x");
  } catch (const UserError&) {
    return true;
  }
  return false;
}

TEST(SplatDamage, EveryTruncationIsRefused) {
  for (const Format& format : Formats()) {
    if (format.read == nullptr) continue;
    const std::string bytes = format.bytes(ExampleCloud(1));
    EXPECT_FALSE(Refused(format, bytes)) << format.name;
    for (size_t size = 0; size < bytes.size(); ++size) {
      // Records of 32 bytes without a header do not tell how many there were.
      const bool whole = std::string_view(format.name) == "splat" && size > 0 &&
                         size % 32 == 0;
      EXPECT_EQ(Refused(format, std::string_view(bytes).substr(0, size)),
                !whole)
          << format.name << " cut to " << size;
    }
  }
}

std::string Changed(std::string bytes, Random* random) {
  const uint64_t changes = 1 + random->Below(4);
  for (uint64_t k = 0; k < changes && !bytes.empty(); ++k) {
    const size_t at = random->Below(bytes.size());
    switch (random->Below(4)) {
      case 0:
        bytes[at] = static_cast<char>(random->Bits());
        break;
      case 1:
        bytes.erase(at, random->Below(9));
        break;
      case 2:
        bytes.replace(at, random->Below(5), 4, '\xff');
        break;
      default:
        bytes.insert(
            at, 1 + random->Below(9), static_cast<char>(random->Bits()));
    }
  }
  return bytes;
}

TEST(SplatDamage, RandomChangesNeverCrash) {
  Random random(3);
  for (const Format& format : Formats()) {
    if (format.read == nullptr) continue;
    for (int degree = 0; degree <= kMostDegree; ++degree) {
      const std::string bytes = format.bytes(ExampleCloud(degree));
      const bool packed = std::string_view(format.name) == "spz";
      const std::string inner = packed ? Gunzipped(bytes, 1 << 20, "x") : bytes;
      for (int i = 0; i < 1500; ++i) {
        Refused(format, Changed(bytes, &random));
        // Behind the checksum too.
        if (packed) Refused(format, Gzipped(Changed(inner, &random)));
      }
    }
  }
}

}  // namespace
}  // namespace nerfpipe::splats
