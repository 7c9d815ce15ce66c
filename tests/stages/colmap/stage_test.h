#pragma once

// Runs the stage `colmap` on the synthetic corner, as the engine does.

#include "stages/colmap/colmap_stage.h"
#include "stages/common/capture_file.h"
#include "stages/media/image_file.h"
#include "tests/listener.h"
#include "tests/stages/colmap/corner_scene.h"
#include "tests/temporary_folder.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace nerfpipe::sfm {

class ColmapStageTest : public ::testing::Test {
 protected:
  using Settings = std::map<std::string, std::string>;

  void SetUp() override {
    std::filesystem::create_directories(root_ / "frames");
  }

  void AddFrame(const std::string& name) {
    CaptureFrame frame;
    frame.name = name;
    const ImageSize size = ReadImageSize(root_ / "frames" / name);
    frame.width = size.width;
    frame.height = size.height;
    capture_.frames.push_back(frame);
  }

  void AddCornerFrames(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string name = std::to_string(10001 + i) + ".jpg";
      WriteImage(RenderCorner(CornerPose(i, count)), root_ / "frames" / name);
      AddFrame(name);
    }
  }

  StageResult Run(const std::string& kind,
                  int threads,
                  const char* scratch,
                  const Settings& settings = {}) {
    capture_.kind = kind;
    WriteCaptureFile(capture_, root_ / "capture.json");
    StageContext context;
    context.workspace = root_;
    context.out = root_ / "out";
    context.scratch = root_ / scratch;
    std::filesystem::remove_all(context.out);
    std::filesystem::create_directories(context.out);
    std::filesystem::create_directories(context.scratch);
    context.threads = threads;
    context.memory = context.memory_limit = memory_;
    context.report = teller_;
    const std::unique_ptr<Stage> stage = MakeColmapStage();
    const std::vector<OptionGroup> groups = stage->Options();
    // Fast, and enough for small pictures.
    groups[0].Find("max_features")->set("1000");
    for (const auto& [option, value] : settings) {
      EXPECT_FALSE(groups[0].Find(option)->set(value).has_value());
    }
    return stage->Run(context);
  }

  const TemporaryFolder root_;
  CaptureFile capture_;
  int64_t memory_ = 0;
  Listener report_;
  Report* teller_ = &report_;
};

}  // namespace nerfpipe::sfm
