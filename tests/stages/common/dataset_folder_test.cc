#include "stages/common/dataset_folder.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "tests/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ImagesFolderName, HasTheFactorUnlessItIsOne) {
  EXPECT_EQ(ImagesFolderName(1), "images");
  EXPECT_EQ(ImagesFolderName(2), "images_2");
  EXPECT_EQ(ImagesFolderName(16), "images_16");
}

TEST(SortedFileNames, AreTheVisibleFilesInTheOrderOfTheirBytes) {
  const TemporaryFolder folder;
  for (const char* name : {"IMG 9.jpg",
                           "IMG 10.jpg",
                           "a.png",
                           "Z.png",
                           "\xe8\xbd\xa6.jpg",
                           ".a"}) {
    WriteFileAtomically(folder / name, "x");
  }
  std::filesystem::create_directories(folder / "M.jpg" / "inside");
  EXPECT_THAT(
      SortedFileNames(folder),
      ElementsAre(
          "IMG 10.jpg", "IMG 9.jpg", "Z.png", "a.png", "\xe8\xbd\xa6.jpg"));
}

TEST(SortedFileNames, AFolderThatIsNotThereIsNamed) {
  const TemporaryFolder folder;
  try {
    SortedFileNames(folder / "gone");
    FAIL() << "listed";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("cannot list " + (folder / "gone").string()));
  }
}

}  // namespace
}  // namespace nerfpipe
