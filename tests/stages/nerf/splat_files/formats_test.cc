#include "stages/nerf/splat_files/formats.h"

#include "pipeline/base/atomic_file.h"
#include "tests/stages/nerf/splat_files/example_cloud.h"
#include "tests/temporary_folder.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::splats {
namespace {

using testing::HasSubstr;

TEST(Formats, AreFoundByNameAndByFile) {
  std::vector<std::string> names;
  for (const Format& format : Formats()) {
    names.push_back(format.name);
    EXPECT_EQ(&FormatNamed(format.name), &format);
    EXPECT_EQ(&FormatOfFile(std::string("/a.b/c d.") + format.name), &format);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"ply", "spz", "splat", "glb"}));
  EXPECT_STREQ(FormatOfFile("A.SpZ").name, "spz");
}

TEST(Formats, WhatIsUnknownIsRefusedWithAList) {
  EXPECT_THAT(Complaint([] { FormatNamed("obj"); }),
              HasSubstr("called 'obj'; choose ply, spz, splat or glb"));
  EXPECT_THAT(Complaint([] { FormatNamed(""); }), HasSubstr("called ''"));
  for (const char* file : {"a.obj", "ply", ".ply", "a.ply.gz", "a.", ""}) {
    EXPECT_THAT(Complaint([&] { FormatOfFile(file); }),
                HasSubstr("give a file that ends in .ply, .spz or .splat"))
        << file;
  }
}

TEST(Formats, FilesAreReadByTheirNames) {
  const TemporaryFolder folder;
  const SplatCloud cloud = ExampleCloud(0);
  for (const Format& format : Formats()) {
    const std::filesystem::path file =
        folder / (std::string("scene.") + format.name);
    WriteFileAtomically(file, format.bytes(cloud));
    if (format.read == nullptr) {
      EXPECT_THAT(Complaint([&] { ReadSplats(file); }),
                  HasSubstr("scene.glb: splats are written to .glb files, but "
                            "not read from them; give a file that ends in "
                            ".ply, .spz or .splat"));
    } else {
      EXPECT_EQ(ReadSplats(file).count(), kExampleCount) << format.name;
    }
  }
  EXPECT_THAT(Complaint([&] { ReadSplats(folder / "none.ply"); }),
              HasSubstr("none.ply"));
  WriteFileAtomically(folder / "b.spz", "ply\n");
  EXPECT_THAT(Complaint([&] { ReadSplats(folder / "b.spz"); }),
              HasSubstr("b.spz: is not an SPZ file"));
}

// Viewers show a file upside down when this is wrong.
TEST(Formats, PlyAndSplatStandAsColmapHasTheWorld) {
  EXPECT_TRUE(FormatNamed("ply").y_down);
  EXPECT_TRUE(FormatNamed("splat").y_down);
  EXPECT_FALSE(FormatNamed("spz").y_down);
  EXPECT_FALSE(FormatNamed("glb").y_down);
}

}  // namespace
}  // namespace nerfpipe::splats
