// Where the values of options come from: presets, files, --set and the flags
// that stand for an option, on a new workspace and on one that is there.

#include "tests/pipeline/cli/command_test.h"

#include <map>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Config = CommandTest;

// "group.option" to value, of a file with one option a line.
std::map<std::string, std::string> ReadSimpleYaml(const fs::path& file) {
  std::map<std::string, std::string> values;
  std::istringstream text(ReadFile(file));
  std::string group;
  for (std::string line; std::getline(text, line);) {
    line = line.substr(0, line.find('#'));
    line = line.substr(0, line.find_last_not_of(' ') + 1);
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    if (line[0] != ' ') {
      group = line.substr(0, colon);
    } else {
      values[group + "." + line.substr(2, colon - 2)] = line.substr(colon + 2);
    }
  }
  return values;
}

TEST_F(Config, EachPresetSetsWhatItsFileSaysAndNothingElse) {
  const nlohmann::json defaults = Json({"config"});
  std::set<std::string> presets;
  for (const auto& entry : fs::directory_iterator(NERFPIPE_CONFIGS)) {
    const std::string name = entry.path().stem();
    SCOPED_TRACE(name);
    presets.insert(name);
    const auto said = ReadSimpleYaml(entry.path());
    EXPECT_EQ(said.empty(), name == "default");
    const nlohmann::json found = Json({"config", "--config", name});
    EXPECT_EQ(found.size(), defaults.size());
    for (const auto& [option, entry_found] : found.items()) {
      const auto wanted = said.find(option);
      EXPECT_EQ(entry_found.at("value"),
                wanted == said.end() ? defaults.at(option).at("value")
                                     : nlohmann::json(wanted->second))
          << option;
      EXPECT_EQ(entry_found.at("origin") != "default",
                entry_found.at("value") != entry_found.at("default"))
          << option;
    }
  }
  EXPECT_THAT(presets, ElementsAre("car", "default", "fern", "lego", "quick"));
  // Those that the help names are those that are there.
  const std::string help = Run({"config", "--help"}).out;
  const std::string no_preset =
      Run({"config", "--config", "nothing-like-it"}, 2).err;
  for (const std::string& name : presets) {
    EXPECT_THAT(help, HasSubstr(name));
    EXPECT_THAT(no_preset, HasSubstr(name));
  }
}

TEST_F(Config, LaterSourcesWin) {
  WriteFileAtomically(folder_ / "mine.yaml",
                      "train:\n  factor: 2\n  seed: 5\n  steps: 70\n"
                      "machine:\n  threads: 3\n");
  const nlohmann::json mine = Json({"config",
                                    "--config",
                                    "mine.yaml",
                                    "--set",
                                    "train.seed=6",
                                    "--set",
                                    "train.steps=80",
                                    "--set",
                                    "train.steps=90",
                                    "--set",
                                    "machine.memory=3G",
                                    "--threads",
                                    "2",
                                    "--mem",
                                    "1500M",
                                    "--device",
                                    "cpu"});
  const auto expect = [&](const std::string& option,
                          const std::string& value,
                          const std::string& origin) {
    EXPECT_EQ(mine.at(option).at("value"), value) << option;
    EXPECT_EQ(mine.at(option).at("origin"), origin) << option;
  };
  expect("train.factor", "2", "mine.yaml:2");
  expect("train.seed", "6", "--set");
  expect("train.steps", "90", "--set");
  expect("machine.threads", "2", "--threads");
  expect("machine.memory", "1500M", "--mem");
  expect("machine.device", "cpu", "--device");
  expect("train.llffhold", "8", "default");
  EXPECT_EQ(mine.at("train.method").at("type"), "ngp|nerf|splat");
  EXPECT_THAT(std::string(mine.at("train.llffhold").at("help")),
              HasSubstr("held out"));

  const std::string table = Run({"config", "--set", "render.frames=17"}).out;
  EXPECT_THAT(table,
              ::testing::ContainsRegex("render.frames +17 +--set +frames of"));
  EXPECT_THAT(table, HasSubstr("(ngp|nerf|splat)"));
}

// The options of each group are tried in options/; those of the computer in
// flags_test.cc (threads and memory) and in what refuses them below (device).
// A group that is not here has nobody who tries it.
TEST_F(Config, HasTheGroupsWhoseOptionsAreTried) {
  std::set<std::string> groups;
  std::set<std::string> machine;
  const nlohmann::json found = Json({"config"});
  for (const auto& [option, entry] : found.items()) {
    const std::string group = option.substr(0, option.find('.'));
    groups.insert(group);
    if (group == "machine") machine.insert(option);
  }
  EXPECT_THAT(groups,
              ElementsAre("check",
                          "colmap",
                          "downsample",
                          "export",
                          "extract",
                          "machine",
                          "nerf",
                          "ngp",
                          "poses",
                          "render",
                          "splat",
                          "train"));
  EXPECT_THAT(
      machine,
      ElementsAre("machine.device", "machine.memory", "machine.threads"));
}

TEST_F(Config, IsWrittenAsYamlThatReadsBack) {
  WriteFileAtomically(
      folder_ / "lego.yaml",
      Run({"config", "--config", "lego", "--set", "render.fps=23.5", "--yaml"})
          .out);
  const nlohmann::json direct =
      Json({"config", "--config", "lego", "--set", "render.fps=23.5"});
  const nlohmann::json read = Json({"config", "--config", "lego.yaml"});
  for (const auto& [option, entry] : direct.items()) {
    EXPECT_EQ(read.at(option).at("value"), entry.at("value")) << option;
  }
  // A file beats a preset of its name.
  EXPECT_EQ(Value("render.fps", {"--config", "lego.yaml"}), "23.5");
}

// On a new workspace and on one that is there, by a file and by name.
TEST_F(Config, IsKeptWithTheWorkspaceAndChangedByLaterRuns) {
  WritePhotos(folder_ / "photos", 8);
  WriteFileAtomically(folder_ / "mine.yaml",
                      "train:\n  factor: 2\nrender:\n  frames: 31\n");
  const Words run = {"run", "photos", "-w", "w", "--until", "extract"};
  const auto with = [&](Words more) {
    Words all = run;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  Run(with({"--config", "mine.yaml", "--set", "train.seed=9"}));
  EXPECT_TRUE(Saved("w", "factor: 2"));
  EXPECT_TRUE(Saved("w", "frames: 31"));
  EXPECT_EQ(Value("render.frames", {"-w", "w"}), "31");
  EXPECT_THAT(
      std::string(Json({"config", "-w", "w"}).at("render.frames").at("origin")),
      ::testing::MatchesRegex("w/nerfpipe.yaml:[0-9]+"));

  // quick.yaml: 2400 steps, frames 60. It takes the place of the other.
  Run(with({"--config", "quick"}));
  EXPECT_TRUE(Saved("w", "steps: 2400"));
  EXPECT_TRUE(Saved("w", "frames: 60"));
  EXPECT_EQ(Value("train.factor", {"-w", "w"}), "0");
  EXPECT_TRUE(Saved("w", "seed: 9")) << "what was chosen beside it stays";

  Run(with({"--config", "quick", "--set", "render.frames=12"}));
  EXPECT_TRUE(Saved("w", "frames: 12"));
  Run(with({"--config", "mine.yaml"}));
  EXPECT_TRUE(Saved("w", "factor: 2"));
  EXPECT_TRUE(Saved("w", "frames: 31"));
  EXPECT_FALSE(Saved("w", "steps: 2400"));

  // What only looks, changes nothing.
  const std::string before = ReadFile(folder_ / "w/nerfpipe.yaml");
  EXPECT_THAT(Run({"status", "-w", "w", "--config", "quick"}).out,
              HasSubstr("extract"));
  EXPECT_EQ(Value("train.steps", {"-w", "w", "--config", "quick"}), "2400");
  EXPECT_EQ(ReadFile(folder_ / "w/nerfpipe.yaml"), before);

  // Edited by hand.
  std::string edited = before;
  edited.replace(edited.find("frames: 31"), 10, "frames: 77");
  WriteFileAtomically(folder_ / "w/nerfpipe.yaml", edited);
  EXPECT_EQ(Value("render.frames", {"-w", "w"}), "77");
  // That is a choice of its own, which another preset without it leaves.
  Run(with({"--config", "car"}));
  EXPECT_TRUE(Saved("w", "frames: 77"));
  EXPECT_EQ(Value("train.factor", {"-w", "w"}), "0");
}

// A better default reaches a workspace whose owner chose nothing.
TEST_F(Config, DefaultsAreNotKept) {
  WritePhotos(folder_ / "photos", 1);
  const Words run = {"run", "photos", "-w", "w", "--until", "extract"};
  Run(run);
  const std::string text = ReadFile(folder_ / "w/nerfpipe.yaml");
  EXPECT_THAT(text, HasSubstr("\n  # frames: 240 "));
  EXPECT_THAT(ReadSimpleYaml(folder_ / "w/nerfpipe.yaml"),
              ::testing::IsEmpty());
  // One of a version that wrote all of them, with one that is another now, one
  // that was chosen, and one that is the same.
  WriteFileAtomically(
      folder_ / "w/nerfpipe.yaml",
      "# The configuration of this workspace as it was resolved. Edit it and\n"
      "# run again: only what depends on the change is done anew.\n"
      "\nextract:\n  target: 100   # frames\n"
      "\nrender:\n  frames: 120   # of the video\n  fps: 24\n");
  const char* const line =
      "w/nerfpipe.yaml is of an earlier version; its defaults are those of "
      "this one now: render.frames 120 is 240\n";
  EXPECT_THAT(Run({"status", "-w", "w"}).err, HasSubstr(line));
  EXPECT_THAT(Run(run).err, HasSubstr(line));
  EXPECT_EQ(Run({"status", "-w", "w"}).err, "");
  EXPECT_EQ(ReadSimpleYaml(folder_ / "w/nerfpipe.yaml"),
            (std::map<std::string, std::string>{{"render.fps", "24"}}));
}

// Flags that say what the run may take of the computer; --set is for good.
TEST_F(Config, FlagsOfTheMachineHoldForOneRun) {
  WritePhotos(folder_ / "photos", 1);
  const Words run = {"run", "photos", "-w", "w", "--until", "extract", "-v"};
  const auto machine = [&](const Words& flags) {
    Words words = run;
    words.insert(words.end(), flags.begin(), flags.end());
    const std::string err = Run(words).err;
    const size_t at = err.find("machine: ");
    return err.substr(at, err.find('\n', at) - at);
  };
  EXPECT_EQ(machine({"--threads", "3", "--mem", "900M", "--device", "cpu"}),
            "machine: threads 3, memory 900M, device cpu");
  EXPECT_EQ(machine({}), "machine: threads 0, memory 0, device auto");
  EXPECT_EQ(machine({"--set", "machine.threads=2", "--threads", "1"}),
            "machine: threads 1, memory 0, device auto");
  EXPECT_EQ(machine({}), "machine: threads 2, memory 0, device auto");
}

// Before anything is made, whatever stage the option belongs to.
TEST_F(Config, ValuesThatNoStageCanUseAreRefusedAtOnce) {
  WritePhotos(folder_ / "photos", 2);
  struct Mistake {
    Words flags;
    std::string problem;
  };
  for (const Mistake& mistake : std::vector<Mistake>{
           {{"--set", "downsample.factors=x"}, "downsample.factors is 'x'"},
           {{"--set", "downsample.factors=2,1"}, "downsample.factors is '2,1'"},
           {{"--set", "train.llffhold=1"}, "train.llffhold is 1, which leaves"},
           {{"--set", "ngp.features=3"}, "ngp.features is 3"},
           {{"--set", "ngp.grid_resolution=33"}, "ngp.grid_resolution is 33"},
           {{"--set",
             "ngp.base_resolution=32",
             "--set",
             "ngp.finest_resolution=16"},
            "ngp.finest_resolution is below"},
           {{"--set", "train.factor=5"}, "stage train reads images_5"},
           {{"--device", "gpu"}, "machine.device cannot be 'gpu'"},
           {{"--device", "cuda:999"}, "there is no device 'cuda:999' here"},
           {{"--mem", "much"}, "machine.memory cannot be 'much'"},
           {{"--mem", "499M"}, "machine.memory cannot be '499M'"},
           {{"--threads", "-1"}, "machine.threads -1 is outside 0 to 1024"},
           {{"--time", "soon"}, "--time cannot be 'soon'"},
           {{"--until", "tarin"}, "there is no stage 'tarin', did you mean"}}) {
    Words run = {"run", "photos", "-w", "w"};
    run.insert(run.end(), mistake.flags.begin(), mistake.flags.end());
    const ProgramRun refused =
        Run(run, mistake.flags.at(1) == "cuda:999" ? 1 : 2);
    EXPECT_THAT(LastLine(refused), HasSubstr(mistake.problem));
    EXPECT_FALSE(Exists("w")) << mistake.problem;
  }
  // In a combination that the workspace makes sound, they are taken.
  Run({"run",
       "photos",
       "-w",
       "w",
       "--until",
       "extract",
       "--set",
       "downsample.factors=5",
       "--set",
       "train.factor=5",
       "--mem",
       "500M"});
  Run({"run", "-w", "w", "--until", "extract", "--set", "train.factor=1"});
  EXPECT_THAT(LastLine(Run({"run", "-w", "w", "--set", "train.factor=4"}, 2)),
              HasSubstr("reads images_4"));
  EXPECT_TRUE(Saved("w", "factor: 1")) << "what was refused is not kept";
}

}  // namespace
}  // namespace nerfpipe
