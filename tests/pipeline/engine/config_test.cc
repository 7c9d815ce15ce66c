#include "pipeline/engine/config.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "tests/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::HasSubstr;

struct Values {
  int every = 0;
  double ratio = 0.5;
  bool rotate = true;
  std::string model = "OPENCV";
  std::string note;
};

class ConfigTest : public ::testing::Test {
 protected:
  static std::vector<OptionGroup> Groups(Values* values) {
    OptionGroup group("extract");
    group.Integer("every", &values->every, "every Nth frame", 0, 1000)
        .Number("ratio", &values->ratio, "a share", 0, 1)
        .Flag("rotate", &values->rotate, "turn upright")
        .Choice("model", &values->model, {"OPENCV", "PINHOLE"}, "camera")
        .Text("note", &values->note, "anything");
    return {group};
  }

  std::string ErrorOf(const std::string& yaml) {
    WriteFileAtomically(folder_ / "a.yaml", yaml);
    try {
      config_.ReadYaml(folder_ / "a.yaml", "a.yaml", {"capture"});
    } catch (const UserError& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::kUsage);
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
  Values values_;
  Config config_{Groups(&values_)};
};

TEST_F(ConfigTest, LaterSourcesWinAndOriginsAreKept) {
  EXPECT_EQ(ErrorOf("capture: x.mp4\nextract:\n  every: 3\n  ratio: 0.25\n"),
            "");
  config_.Set("extract.every=7");
  EXPECT_EQ(values_.every, 7);
  EXPECT_EQ(values_.ratio, 0.25);
  const auto entries = config_.Entries();
  EXPECT_EQ(entries[0].origin, "--set");
  EXPECT_EQ(entries[1].origin, "a.yaml:4");
  EXPECT_EQ(entries[2].origin, "default");
}

TEST_F(ConfigTest, WhatItWritesItReads) {
  values_ = {5, 0.1, false, "PINHOLE", "yes: # \"quoted\" \xe8\xbd\xa6"};
  const std::string yaml = config_.ToYaml();
  values_ = {};
  EXPECT_EQ(ErrorOf(yaml), "");
  EXPECT_EQ(values_.every, 5);
  EXPECT_EQ(values_.ratio, 0.1);
  EXPECT_FALSE(values_.rotate);
  EXPECT_EQ(values_.model, "PINHOLE");
  EXPECT_EQ(values_.note, "yes: # \"quoted\" \xe8\xbd\xa6");
}

TEST_F(ConfigTest, MistakesNameFileLineAndRemedy) {
  EXPECT_THAT(ErrorOf("extract:\n  evry: 3\n"),
              HasSubstr("a.yaml:2: there is no option 'extract.evry', did you "
                        "mean 'extract.every'?"));
  EXPECT_THAT(ErrorOf("\nextrakt:\n  every: 3\n"),
              HasSubstr("a.yaml:2: there is no group of options named "
                        "'extrakt', did you mean 'extract'?"));
  EXPECT_THAT(ErrorOf("extract:\n  every: 2000\n"),
              HasSubstr("a.yaml:2: extract.every 2000 is outside 0 to 1000"));
  EXPECT_THAT(ErrorOf("extract:\n  every: 3.5\n"),
              HasSubstr("needs a whole number, not '3.5'"));
  EXPECT_THAT(ErrorOf("extract:\n  model: PINHOL\n"),
              HasSubstr("did you mean 'PINHOLE'?"));
  EXPECT_THAT(ErrorOf("extract: 3\n"), HasSubstr("is a group of options"));
  EXPECT_THAT(ErrorOf("extract: [\n"), HasSubstr("a.yaml:"));
  EXPECT_THAT(ErrorOf("- a\n"), HasSubstr("not a list of groups"));
}

TEST_F(ConfigTest, SetMustBeWellFormed) {
  EXPECT_THROW(config_.Set("extract.every"), UserError);
  EXPECT_THROW(config_.Set("every=3"), UserError);
  EXPECT_THROW(config_.Set("extract.ratio=nan"), UserError);
  config_.Set("extract.note=a=b");
  EXPECT_EQ(values_.note, "a=b");
}

}  // namespace
}  // namespace nerfpipe
