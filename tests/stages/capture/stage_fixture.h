#pragma once

// The two stages on a workspace of their own, and what they say.

#include "pipeline/base/error.h"
#include "stages/capture/check_stage.h"
#include "stages/capture/extract_stage.h"
#include "stages/capture/frame_list.h"
#include "stages/common/capture_file.h"
#include "tests/listener.h"
#include "tests/temporary_folder.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe {

class CaptureStages : public ::testing::Test {
 protected:
  CaptureStages() {
    context_.workspace = folder_.path() / "workspace";
    context_.out = context_.workspace;
    context_.threads = 2;
    context_.report = &ears_;
    std::filesystem::create_directories(context_.workspace);
  }

  static void Set(Stage& stage,
                  const std::string& name,
                  const std::string& value) {
    bool found = false;
    for (const OptionGroup& group : stage.Options()) {
      if (const OptionField* field = group.Find(name)) {
        EXPECT_EQ(field->set(value), std::nullopt);
        found = true;
      }
    }
    EXPECT_TRUE(found) << name;
  }

  // The words of the UserError that extracting `capture` must throw.
  std::string ExtractProblem(const std::filesystem::path& capture) {
    context_.capture = capture;
    try {
      MakeExtractStage()->Run(context_);
    } catch (const UserError& error) {
      return error.what();
    }
    return "no error";
  }

  FrameList Listed() const {
    return ReadFrameList(context_.workspace / kFrameListFile);
  }
  std::filesystem::path Frame(const std::string& name) const {
    return context_.workspace / kFrameFolder / name;
  }
  CaptureFile Capture() const {
    return ReadCaptureFile(context_.workspace / "capture.json");
  }
  std::vector<std::string> Dropped() const {
    std::vector<std::string> lines;
    for (const CaptureFrame& frame : Capture().frames) {
      if (!frame.kept) lines.push_back(frame.name + ": " + frame.reason);
    }
    return lines;
  }

  TemporaryFolder folder_;
  Listener ears_;
  StageContext context_;
};

}  // namespace nerfpipe
