// The short form: some calls of every kind fail, and some kills come, at points
// that are the same in every run. The long form is the program `faults`.

#include "tests/faults/campaign.h"
#include "tests/faults/scenes.h"
#include "tests/run_program.h"
#include "tests/temporary_folder.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::HasSubstr;

// One call of each kind, or of these, and some kills.
void TryShort(const std::string& name,
              int kills,
              const std::set<std::string>& kinds = {}) {
  const TemporaryFolder folder(FastPlace());
  const std::unique_ptr<Scene> scene = MakeScene(name, folder.path());
  CampaignOptions options;
  options.points = 1;
  options.every_error = false;
  options.kills = kills;
  options.kinds = kinds;
  const auto tallies =
      Try(*scene, options, [](const std::string& fault, const Trial& trial) {
        EXPECT_EQ(trial.problem, "") << fault;
      });
  int64_t told = 0;
  for (const Tally& tally : tallies) told += tally.told;
  EXPECT_GT(told, 0);
}

TEST(Faults, InPhotos) { TryShort("photos", 3); }

TEST(Faults, InAClip) {
  TryShort("clip", 2, {"open", "read", "allocate", "thread"});
}

TEST(Faults, AmongWhatTheUserAltered) {
  TryShort("again", 4, {"write", "rename", "room"});
}

TEST(Faults, InTheChildOfColmap) { TryShort("colmap", 0, {"open"}); }

TEST(Faults, InTraining) { TryShort("train", 1, {"write"}); }

// A script must not take half of the output for all of it.
TEST(Faults, OutputThatCannotBeWrittenIsAFailure) {
  const TemporaryFolder folder;
  ProgramCall call;
  call.cwd = folder.path();
  call.program = "/bin/sh";
  call.arguments = {"-c", "exec '" + BuiltProgram() + "' config > /dev/full"};
  const ProgramRun run = RunProgram(call);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(LastLine(run),
              HasSubstr("cannot write all of the output (No space left on "
                        "device)"));
}

}  // namespace
}  // namespace nerfpipe
