#include "stages/capture/capture_size.h"

#include "pipeline/base/atomic_file.h"
#include "tests/scenes/small_captures.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

TEST(CaptureSize, OfVideosAndPhotos) {
  const TemporaryFolder folder;
  WriteClip(folder / "walk.mp4", 14);
  // 213 x 149 pixels; a video has even sides, filled up.
  const CaptureSize clip = {true, 14, 214, 150};
  EXPECT_EQ(MeasureCapture(folder / "walk.mp4"), clip);
  WritePhotos(folder / "photos", 9);
  EXPECT_EQ(MeasureCapture(folder / "photos"),
            (CaptureSize{false, 9, 213, 149}));

  fs::create_directories(folder / "clips");
  fs::copy_file(folder / "walk.mp4", folder / "clips/a.mp4");
  WriteClip(folder / "clips/b.mp4", 5);
  WritePhotos(folder / "clips", 7);  // covers of the videos
  EXPECT_EQ(MeasureCapture(folder / "clips"),
            (CaptureSize{true, 19, 214, 150}));
  WritePhotos(folder / "clips", 8);
  EXPECT_EQ(MeasureCapture(folder / "clips"),
            (CaptureSize{false, 8, 213, 149}));
}

TEST(CaptureSize, OfWhatExtractWouldRefuse) {
  const TemporaryFolder folder;
  EXPECT_EQ(MeasureCapture(folder.path()), std::nullopt);
  EXPECT_EQ(MeasureCapture(folder / "missing.mp4"), std::nullopt);
  WriteFileAtomically(folder / "text.mp4", "no video");
  EXPECT_EQ(MeasureCapture(folder / "text.mp4"), std::nullopt);
  WriteFileAtomically(folder / "photos.jpg", "no photo");
  EXPECT_EQ(MeasureCapture(folder / "photos.jpg"), std::nullopt);
}

}  // namespace
}  // namespace nerfpipe
