// Help, version, and the flags that say how much is said.

#include "tests/pipeline/cli/command_test.h"
#include "tests/wait_until.h"

#include <future>

namespace nerfpipe {
namespace {

using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Flags = CommandTest;

const std::vector<std::string> kCommands = {"run",
                                            "check",
                                            "stage",
                                            "status",
                                            "batch",
                                            "train",
                                            "render",
                                            "eval",
                                            "export",
                                            "config",
                                            "clean"};

TEST_F(Flags, VersionAndHelpOfTheProgram) {
  EXPECT_EQ(Run({"--version"}).out, "nerfpipe " NERFPIPE_VERSION "\n");
  const std::string help = Run({"--help"}).out;
  for (const std::string& command : kCommands) {
    EXPECT_THAT(help, ContainsRegex("\n  " + command + " +[A-Z]"));
  }
  EXPECT_EQ(Run({}, 2).out, help);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(Flags, HelpOfEachCommandNamesItsFlags) {
  const std::map<std::string, Words> own = {
      {"run", {"CAPTURE", "--until", "--time", "--deterministic"}},
      {"check", {"CAPTURE"}},
      {"stage",
       {"extract, check, colmap, poses, downsample, train, splat, export, "
        "render"}},
      {"batch", {"DIR"}},
      {"train",
       {"-d,--dataset", "--method", "--steps", "--time", "--deterministic"}},
      {"render",
       {"--method", "--path", "--frames", "--size", "--scene", "--up"}},
      {"eval", {"-d,--dataset"}},
      {"export", {"WHAT", "--format", "-o,--output"}},
      {"config", {"--yaml"}},
      {"clean", {"--yes", "--images", "--saved"}}};
  for (const std::string& command : kCommands) {
    const std::string help = Run({command, "--help"}).out;
    Words flags = {"-w,--workspace",
                   "--config",
                   "--set",
                   "--threads",
                   "--mem",
                   "--device",
                   "-q,--quiet",
                   "-v,--verbose",
                   "--json"};
    const auto found = own.find(command);
    if (found != own.end()) {
      flags.insert(flags.end(), found->second.begin(), found->second.end());
    }
    for (const std::string& flag : flags) {
      EXPECT_THAT(help, HasSubstr(flag)) << command;
    }
    EXPECT_THAT(help, HasSubstr("Examples:\n  nerfpipe " + command));
  }
}

TEST_F(Flags, QuietAndVerboseAndTheLog) {
  WritePhotos(folder_ / "photos", 9);
  WriteFileAtomically(folder_ / "photos/damaged.jpg", "not a picture");
  const Words check = {"check", "photos", "-w", "w"};
  const ProgramRun first = Run(check);
  EXPECT_THAT(
      first.err,
      StartsWith("nerfpipe " NERFPIPE_VERSION "  photos -> w/\n[1/9] extract"));
  EXPECT_THAT(first.err, HasSubstr("[2/9] check"));
  EXPECT_THAT(first.err, HasSubstr("warning: "));
  EXPECT_THAT(first.err, HasSubstr("all figures: w/summary.json"));
  EXPECT_THAT(first.err, HasSubstr("9 extracted, 9 kept"));
  EXPECT_THAT(first.err, ContainsRegex("check +w/check.html"));
  EXPECT_EQ(first.out, "");

  const ProgramRun again = Run(check);
  EXPECT_THAT(again.err, HasSubstr("Nothing to do: w is up to date."));
  EXPECT_THAT(again.err, Not(HasSubstr("[1/9]")));
  const ProgramRun verbose = Run({"check", "photos", "-w", "w", "--verbose"});
  EXPECT_THAT(verbose.err, ContainsRegex("\\[1/9\\] extract +up to date"));
  EXPECT_THAT(Run({"check", "photos", "-w", "w", "-v"}).err,
              HasSubstr("up to date"));
  EXPECT_EQ(Run({"check", "photos", "-w", "w", "-q"}).err, "");

  std::filesystem::remove_all(folder_ / "w");
  const std::string quiet = Run({"check", "photos", "-w", "w", "--quiet"}).err;
  EXPECT_THAT(quiet, HasSubstr("damaged.jpg"));
  std::istringstream lines(quiet);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_THAT(line, StartsWith("warning: "));
  }
  // The log has all of it, quiet or not.
  const std::string log = ReadFile(folder_ / "w/.nerfpipe/logs/nerfpipe.log");
  EXPECT_THAT(log, HasSubstr(" info [1/9] extract"));
  EXPECT_THAT(log, HasSubstr(" warning "));
}

TEST_F(Flags, JsonOfAFailureHoldsTheLine) {
  const nlohmann::json usage = Json({"run", "no.mp4"}, 2);
  EXPECT_EQ(usage.at("error").at("problem"),
            "there is no file or folder 'no.mp4'");
  EXPECT_EQ(usage.at("error").at("remedy"), "check the name of the capture");
  WritePhotos(folder_ / "photos", 3);
  const nlohmann::json failed = Json({"check", "photos", "-w", "w"}, 1);
  EXPECT_EQ(failed.at("stages").at("extract").at("state"), "done");
  EXPECT_EQ(failed.at("stages").at("check").at("state"), "failed");
  EXPECT_THAT(std::string(failed.at("stages").at("check").at("failure")),
              HasSubstr("only 3 of 3 frames"));
}

TEST_F(Flags, MistakesInTheCommandLineAreTold) {
  WritePhotos(folder_ / "photos", 3);
  struct Mistake {
    Words words;
    std::string line;
  };
  for (const Mistake& mistake : std::vector<Mistake>{
           {{"photos"},
            "nerfpipe: there is no command 'photos', did you mean 'nerfpipe "
            "run photos'?; 'nerfpipe --help' lists the commands"},
           {{"--threads", "2"}, "'nerfpipe --help' shows how it is used"},
           {{"eval", "--steps", "2"},
            "'nerfpipe eval --help' shows how it is used"},
           {{"config", "--set"}, "--set"},
           {{"config", "--set", "train.steps"},
            "--set train.steps cannot be read"},
           {{"config", "a", "b"}, "'nerfpipe config --help' shows"}}) {
    EXPECT_THAT(LastLine(Run(mistake.words, 2)), HasSubstr(mistake.line));
  }
  // What the disk refuses.
  EXPECT_THAT(
      LastLine(Run({"batch", "photos/..", "-w", "photos/IMG 5.jpg/x"}, 1)),
      ::testing::AllOf(HasSubstr("Not a directory"),
                       HasSubstr("check that it exists")));
}

// The account of a failure stands before its line.
TEST_F(Flags, FailuresAreAccountedFor) {
  WritePhotos(folder_ / "photos", 3);
  const ProgramRun run = Run({"check", "photos", "-w", "w"}, 1);
  EXPECT_THAT(run.err, HasSubstr("\n      the frames and what was measured: "));
  EXPECT_THAT(LastLine(run), StartsWith("nerfpipe: only 3 of 3 frames"));
  EXPECT_THAT(ReadFile(folder_ / "w/.nerfpipe/logs/nerfpipe.log"),
              HasSubstr(" detail failed: only 3 of 3 frames"));
}

// The child process of colmap tells what it may take; the same from an option,
// a flag, and the configuration of the workspace.
TEST_F(Flags, ThreadsAndMemoryReachTheChildOfColmap) {
  WritePhotos(folder_ / "photos", 8);
  int features = 500;
  const auto told = [&](const Words& flags) {
    // Another option each time, for a reason to run.
    Words run = {"run", "photos", "-w", "w", "--until", "colmap", "-v"};
    run.push_back("--set");
    run.push_back("colmap.max_features=" + std::to_string(++features));
    run.insert(run.end(), flags.begin(), flags.end());
    const std::string err = RunProgram(folder_.path(), run).err;
    const size_t at = err.find("memory: about ");
    return at == std::string::npos ? "nothing: " + err
                                   : err.substr(at, err.find('\n', at) - at);
  };
  EXPECT_THAT(told({"--mem", "1200M", "--threads", "1"}),
              EndsWith("of the 1.2 GB that may be taken (--mem), 1 threads"));
  EXPECT_THAT(
      told({"--set", "machine.threads=3", "--set", "machine.memory=1300M"}),
      EndsWith("of the 1.3 GB that may be taken (--mem), 3 threads"));
  EXPECT_THAT(told({"--mem", "900M", "--threads", "2"}),
              EndsWith("of the 900 MB that may be taken (--mem), 2 threads"));
  EXPECT_THAT(told({}),
              EndsWith("of the 1.3 GB that may be taken (--mem), 3 threads"));
}

// The record of the stage tells of the options that its parent read.
TEST_F(Flags, AnEditDuringARunDoesNotReachTheChildOfColmap) {
  WritePhotos(folder_ / "photos", 8);
  const auto told = [](const std::string& err) {
    const size_t at = err.find("memory: about ");
    return at == std::string::npos ? "nothing: " + err
                                   : err.substr(at, err.find('\n', at) - at);
  };
  const auto run = [&](const std::string& workspace) {
    return RunProgram(folder_.path(),
                      {"run",
                       "photos",
                       "-w",
                       workspace,
                       "--until",
                       "colmap",
                       "-v",
                       "--threads",
                       "1",
                       "--mem",
                       "2G"})
        .err;
  };
  auto edited = std::async(std::launch::async, run, "edited");
  WaitUntil([&] { return Exists("edited/nerfpipe.yaml"); });
  WriteFileAtomically(folder_ / "edited/nerfpipe.yaml",
                      "colmap:\n  max_features: 60000\n");
  const std::string left_alone = told(run("left alone"));
  EXPECT_THAT(left_alone, StartsWith("memory: about "));
  EXPECT_EQ(told(edited.get()), left_alone);
}

}  // namespace
}  // namespace nerfpipe
