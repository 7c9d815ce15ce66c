#pragma once

// Runs commands of the real program in a folder of their own.

#include "pipeline/base/atomic_file.h"
#include "tests/run_program.h"
#include "tests/scenes/small_captures.h"
#include "tests/temporary_folder.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nerfpipe {

class CommandTest : public ::testing::Test {
 protected:
  using Words = std::vector<std::string>;

  ProgramRun Run(const Words& arguments, int exit_code = 0) const {
    ProgramRun run = RunProgram(folder_.path(), arguments);
    EXPECT_EQ(run.exit_code, exit_code)
        << ::testing::PrintToString(arguments) << "\n"
        << run.err;
    EXPECT_EQ(run.err.find("internal error"), std::string::npos) << run.err;
    return run;
  }

  // What the command prints on standard output, which has to be JSON and
  // nothing else.
  nlohmann::json Json(Words arguments, int exit_code = 0) const {
    arguments.push_back("--json");
    const std::string out = Run(arguments, exit_code).out;
    nlohmann::json json = nlohmann::json::parse(out, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << out;
    return json;
  }

  // The value of an option as `config` resolves it, with these flags.
  std::string Value(const std::string& option, Words flags) const {
    flags.insert(flags.begin(), "config");
    return Json(flags).at(option).at("value");
  }

  // Is this one of the lines of a file of the workspace's configuration?
  bool Saved(const std::string& workspace, const std::string& line) const {
    std::istringstream text(ReadFile(folder_ / workspace / "nerfpipe.yaml"));
    for (std::string one; std::getline(text, one);) {
      if (one.find("  " + line + " ") == 0) return true;
    }
    return false;
  }

  bool Exists(const std::string& path) const {
    return std::filesystem::exists(folder_ / path);
  }

  const TemporaryFolder folder_;
};

}  // namespace nerfpipe
