#pragma once

// A workspace with the toy pipeline in it, for tests.

#include "pipeline/base/interrupt.h"
#include "pipeline/engine/runner.h"
#include "tests/pipeline/engine/toy_pipeline.h"
#include "tests/temporary_folder.h"

#include <fstream>

#include <gtest/gtest.h>

namespace nerfpipe {

class ToyWorkspace : public ::testing::Test {
 protected:
  using Kind = Disturbance::Kind;

  ToyWorkspace() {
    std::filesystem::create_directories(capture_);
    std::ofstream(capture_ / "1.jpg") << "photo 1";
    std::ofstream(capture_ / "2.jpg") << "photo 2";
  }

  Runner MakeRunner(Report& report = SilentReport()) {
    return Runner(workspace_, toy_.Stages(), {}, {}, report);
  }
  // Afterwards Notes() are those of this run.
  RunOutcome Run(const std::string& until = "") {
    std::filesystem::remove(toy_.notes);
    return MakeRunner().RunUntil(until);
  }
  RunOutcome RunAgain(const std::string& stage) {
    std::filesystem::remove(toy_.notes);
    return MakeRunner().RunAgain(stage);
  }
  // Runs until that part of that stage.
  void RunInterrupted(const std::string& stage, int part) {
    toy_.disturbance = {Kind::kInterrupt, stage, part};
    EXPECT_THROW(Run(), Interrupted);
    RequestInterrupt(false);
    toy_.disturbance = {};
  }
  std::vector<std::string> Notes() const { return toy_.Notes(); }

  // Each stage's state and first reason, as "cut done", "look stale: ...".
  std::vector<std::string> Status() {
    static const char* const kStates[] = {
        " done", " stale", " waiting", " off"};
    std::vector<std::string> lines;
    for (const StageStatus& status : MakeRunner().Status()) {
      lines.push_back(status.name + kStates[static_cast<int>(status.state)] +
                      (status.reasons.empty() ? "" : ": ") +
                      (status.reasons.empty() ? "" : status.reasons[0]));
    }
    return lines;
  }
  FileTree Visible() const { return VisibleFiles(root_); }
  // What a fresh workspace has under the same options and capture.
  FileTree Fresh() {
    const TemporaryFolder fresh(FastPlace());
    const Workspace workspace = Workspace::OpenOrCreate(fresh / "w", capture_);
    Runner(workspace, toy_.Stages(), {}, {}, SilentReport()).RunUntil("");
    return VisibleFiles(fresh / "w");
  }

  TemporaryFolder folder_{FastPlace()};
  std::filesystem::path capture_ = folder_ / "capture";
  std::filesystem::path root_ = folder_ / "w";
  Workspace workspace_ = Workspace::OpenOrCreate(root_, capture_);
  ToyPipeline toy_{folder_ / "notes"};
};

}  // namespace nerfpipe
