#include "stages/nerf/stage/trained_scenes.h"

#include "pipeline/base/atomic_file.h"
#include "tests/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TrainedScenes, NeedTheImagesOfTheirFactor) {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& method, const std::string& text) {
    std::filesystem::create_directories(folder / "train" / method);
    WriteFileAtomically(folder / "train" / method / "scene.json", text);
  };
  EXPECT_THAT(ImagesOfTrainedScenes(folder.path()), IsEmpty());
  write("ngp", R"({"factor": 4, "train": []})");
  write("nerf", R"({"factor": 1})");
  write("splat", "damaged");
  std::filesystem::create_directories(folder / "train/empty");
  EXPECT_THAT(ImagesOfTrainedScenes(folder.path()),
              ElementsAre("images", "images_4", "masks", "masks_4"));
}

}  // namespace
}  // namespace nerfpipe
