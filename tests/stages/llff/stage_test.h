#pragma once

// Runs a stage of this folder as the engine does.

#include "pipeline/engine/stage.h"
#include "tests/listener.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace nerfpipe {

class LlffStageTest : public testing::Test {
 protected:
  LlffStageTest() {
    context_.workspace = workspace_;
    context_.out = workspace_ / "out";
    context_.capture = "some/where/car.mp4";
    context_.threads = 2;
    context_.report = &report_;
    std::filesystem::create_directories(context_.out);
  }

  static void Set(Stage* stage, const char* option, const char* value) {
    for (const OptionGroup& group : stage->Options()) {
      const OptionField* field = group.Find(option);
      ASSERT_NE(field, nullptr);
      EXPECT_FALSE(field->set(value).has_value());
    }
  }

  const TemporaryFolder workspace_;
  StageContext context_;
  Listener report_;
};

}  // namespace nerfpipe
