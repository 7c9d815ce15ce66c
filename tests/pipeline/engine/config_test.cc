#include "pipeline/engine/config.h"

#include "pipeline/base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::ElementsAre;
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
    try {
      config_.ReadYaml(yaml, "a.yaml", {"capture"});
    } catch (const UserError& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::kUsage);
      return error.what();
    }
    return "";
  }

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

TEST_F(ConfigTest, LaterFilesWin) {
  EXPECT_EQ(ErrorOf("extract:\n  every: 3\n  ratio: 0.25\n"), "");
  EXPECT_EQ(ErrorOf("extract:\n\n  every: 4\n"), "");
  EXPECT_EQ(values_.every, 4);
  EXPECT_EQ(values_.ratio, 0.25);
  EXPECT_EQ(config_.Entries()[0].origin, "a.yaml:3");
  EXPECT_EQ(config_.Entries()[1].origin, "a.yaml:3");
}

// What is as it would be anyway did not come from anywhere.
TEST_F(ConfigTest, DefaultSetByHandIsADefault) {
  config_.Set("extract.every=7");
  config_.Set("extract.every=0");
  config_.Set("extract.ratio=0.50");
  EXPECT_EQ(config_.Entries()[0].origin, "default");
  EXPECT_EQ(config_.Entries()[1].origin, "default");
  EXPECT_EQ(config_.Entries()[1].value, "0.5");
}

TEST_F(ConfigTest, EntriesAreAllOptionsInOrder) {
  config_.Set("extract.note=hello");
  std::vector<std::string> lines;
  for (const Config::Entry& entry : config_.Entries()) {
    lines.push_back(entry.name + "=" + entry.value + " " + entry.field->help);
  }
  EXPECT_THAT(lines,
              ElementsAre("extract.every=0 every Nth frame",
                          "extract.ratio=0.5 a share",
                          "extract.rotate=yes turn upright",
                          "extract.model=OPENCV camera",
                          "extract.note=hello anything"));
}

TEST_F(ConfigTest, YamlHasDefaultsAsComments) {
  config_.Set("extract.ratio=0.25");
  EXPECT_EQ(config_.ToYaml(),
            "\nextract:\n"
            "  # every: 0                    # every Nth frame\n"
            "  ratio: 0.25                   # a share\n"
            "  # rotate: yes                 # turn upright\n"
            "  # model: OPENCV               # camera\n"
            "  # note: \"\"                    # anything\n");
  EXPECT_THAT(config_.ReadYaml(config_.ToYaml(), "a.yaml"),
              ElementsAre("extract.ratio"));
  values_.note = std::string(40, 'x');
  EXPECT_THAT(config_.ToYaml(),
              HasSubstr("  note: " + values_.note + "  # anything\n"));
}

TEST_F(ConfigTest, ListsAreJoined) {
  EXPECT_EQ(ErrorOf("extract:\n  note: [a, b c, 3]\n"), "");
  EXPECT_EQ(values_.note, "a,b c,3");
  EXPECT_THAT(ErrorOf("extract:\n  note: {a: b}\n"),
              HasSubstr("a.yaml:2: a single value is needed here"));
}

TEST_F(ConfigTest, EmptyFilesAndGroupsAreFine) {
  EXPECT_EQ(ErrorOf(""), "");
  EXPECT_EQ(ErrorOf("# nothing\n"), "");
  EXPECT_EQ(ErrorOf("extract:\ncapture: [1, 2]\n"), "");
  EXPECT_THAT(ErrorOf("camera: x\n"), HasSubstr("no group of options"));
  // Groups without options have no place in a file.
  EXPECT_EQ(Config({OptionGroup("empty")}).ToYaml(), "");
}

TEST_F(ConfigTest, SetNamesTheMistake) {
  const auto error_of = [&](const std::string& assignment) {
    try {
      config_.Set(assignment);
    } catch (const UserError& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::kUsage);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(error_of("extract.evry=3"),
              HasSubstr("--set extract.evry=3: there is no option "
                        "'extract.evry', did you mean 'extract.every'?"));
  EXPECT_THAT(error_of("extrct.every=3"), HasSubstr("did you mean 'extract'?"));
  EXPECT_THAT(error_of("extract.every=1001"),
              HasSubstr("extract.every 1001 is outside 0 to 1000"));
  EXPECT_THAT(error_of("every=extract.3"), HasSubstr("cannot be read"));
  EXPECT_EQ(values_.every, 0);
}

TEST_F(ConfigTest, ReadYamlTellsWhatItSets) {
  EXPECT_THAT(
      config_.ReadYaml("extract:\n  ratio: 0.5\n  every: 2\n", "a.yaml"),
      ElementsAre("extract.ratio", "extract.every"));
  EXPECT_THAT(config_.ReadYaml("", "a.yaml"), ElementsAre());
}

// It counts now, and is not written.
TEST_F(ConfigTest, WhatIsSetForThisRunIsNotKept) {
  config_.Set("extract.every=7");
  const std::string kept = config_.ToYaml();
  config_.SetForThisRun("extract.every", "9", "--every");
  config_.SetForThisRun("extract.every", "8", "--every");
  config_.SetForThisRun("extract.note", "x", "--note");
  EXPECT_EQ(values_.every, 8);
  EXPECT_EQ(config_.Entries()[0].origin, "--every");
  EXPECT_EQ(config_.ToYaml(), kept);
  try {
    config_.SetForThisRun("extract.every", "-1", "--every");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(error.problem(),
              "--every -1: extract.every -1 is outside 0 to 1000");
  }
}

TEST_F(ConfigTest, ResetGivesTheDefaultBack) {
  config_.Set("extract.every=7");
  config_.Reset("extract.every");
  config_.Reset("extract.gone");
  config_.Reset("nothing.here");
  EXPECT_EQ(values_.every, 0);
  EXPECT_EQ(config_.Entries()[0].origin, "default");
}

// Another process ends up with the same values.
TEST_F(ConfigTest, AssignmentsSetTheSameElsewhere) {
  config_.Set("extract.note=a = \"b\"\n");
  config_.Set("extract.ratio=0.1");
  config_.SetForThisRun("extract.rotate", "off", "--rotate");
  const std::vector<std::string> assignments = config_.Assignments();
  EXPECT_THAT(assignments,
              ElementsAre("extract.ratio=0.1",
                          "extract.rotate=no",
                          "extract.note=a = \"b\"\n"));
  Values there;
  Config other(Groups(&there));
  for (const std::string& assignment : assignments) other.Set(assignment);
  EXPECT_EQ(there.ratio, 0.1);
  EXPECT_FALSE(there.rotate);
  EXPECT_EQ(there.note, values_.note);
  EXPECT_EQ(other.Assignments(), assignments);
}

TEST_F(ConfigTest, GroupsAreNamedOnce) {
  EXPECT_THROW(Config({OptionGroup("a"), OptionGroup("a")}), CheckFailed);
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
