// Damaged model files: each is refused in one line, none crashes.

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/random.h"
#include "stages/common/colmap_model_files.h"
#include "tests/real_data.h"
#include "tests/stages/common/example_model.h"
#include "tests/temporary_folder.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using Parser = void (*)(std::string_view, const std::string&, ColmapModel*);

struct File {
  std::string name;
  std::string bytes;
  Parser parse;
};

std::vector<File> ExampleFiles() {
  using namespace colmap_files;
  const TemporaryFolder folder;
  WriteColmapModel(ExampleModel(), folder);
  std::vector<File> files = {
      {"cameras.bin", {}, ParseCamerasBinary},
      {"images.bin", {}, ParseImagesBinary},
      {"points3D.bin", {}, ParsePointsBinary},
      {"cameras.txt", {}, ParseCamerasText},
      {"images.txt", {}, ParseImagesText},
      {"points3D.txt", {}, ParsePointsText},
  };
  for (File& file : files) file.bytes = ReadFile(folder / file.name);
  return files;
}

// True when the bytes were refused with a UserError; any other exception goes
// through and fails the test.
bool Refused(const File& file, std::string_view bytes) {
  ColmapModel model;
  try {
    file.parse(bytes, file.name, &model);
  } catch (const UserError&) {
    return true;
  }
  return false;
}

TEST(ColmapDamage, EveryTruncationOfABinaryFileIsRefused) {
  for (const File& file : ExampleFiles()) {
    EXPECT_FALSE(Refused(file, file.bytes)) << file.name;
    for (size_t size = 0; size < file.bytes.size(); ++size) {
      const bool refused =
          Refused(file, std::string_view(file.bytes).substr(0, size));
      if (file.name.ends_with(".bin")) {
        EXPECT_TRUE(refused) << file.name << " cut to " << size;
      }
    }
  }
}

TEST(ColmapDamage, TrailingBytesAreRefused) {
  for (const File& file : ExampleFiles()) {
    if (!file.name.ends_with(".bin")) continue;
    EXPECT_TRUE(Refused(file, file.bytes + '\0')) << file.name;
  }
}

// A count of nearly 2^64 must not be believed, nor multiplied into overflow.
TEST(ColmapDamage, HugeCountsAreRefusedBeforeAllocation) {
  for (const File& file : ExampleFiles()) {
    if (!file.name.ends_with(".bin")) continue;
    for (size_t at = 0; at + 8 <= file.bytes.size(); ++at) {
      std::string bytes = file.bytes;
      bytes.replace(at, 8, 8, '\xff');
      Refused(file, bytes);
      bytes.replace(at, 8, std::string("\0\0\0\0\0\0\0\x20", 8));
      Refused(file, bytes);
    }
    std::string bytes = file.bytes;
    bytes.replace(0, 8, 8, '\xff');
    EXPECT_TRUE(Refused(file, bytes)) << file.name;
  }
}

TEST(ColmapDamage, RandomChangesNeverCrash) {
  Random random(3);
  for (const File& file : ExampleFiles()) {
    for (int i = 0; i < 3000; ++i) {
      std::string bytes = file.bytes;
      for (int k = 0; k <= i % 4; ++k) {
        const size_t at = random.Below(bytes.size());
        switch (random.Below(3)) {
          case 0:
            bytes[at] = static_cast<char>(random.Bits());
            break;
          case 1:
            bytes.erase(at, random.Below(9));
            break;
          default:
            bytes.insert(
                at, 1 + random.Below(9), static_cast<char>(random.Bits()));
        }
        if (bytes.empty()) break;
      }
      Refused(file, bytes);
    }
  }
}

TEST(ColmapDamage, RealTruncatedModelIsRefused) {
  NERFPIPE_NEEDS_REAL_DATA();
  const std::filesystem::path folder = RealData() / "bad/colmap_truncated";
  try {
    ReadColmapModel(folder);
    FAIL() << "read without complaint";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("images.bin"));
  }
  ColmapModel model;
  EXPECT_THROW(colmap_files::ParsePointsBinary(
                   ReadFile(folder / "points3D.bin"), "points3D.bin", &model),
               UserError);
}

}  // namespace
}  // namespace nerfpipe
