// The long form: lets the calls of all scenes fail, kills the program, and
// prints what came of it as a table for docs/RELIABILITY.md.
//
//   faults [--points N] [--kills N] [--kind KIND] [--verbose] [SCENE...]
//
// --points N   calls of each kind that fail, at most: at equal steps, or all
// --kills N    how often the program is killed
// --kind KIND  only calls of this kind
// --verbose    each trial, with the last line of the program
//
// Without them it takes about twenty minutes of a core.

#include "tests/faults/campaign.h"
#include "tests/faults/scenes.h"
#include "tests/temporary_folder.h"

#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

namespace nerfpipe {
namespace {

struct Plan {
  int points = 1;
  int kills = 0;
  int kills_in_time = 0;
  bool threads = true;  // LibTorch waits for ever for one that is refused
};

// By what a trial costs.
Plan PlanFor(const std::string& scene) {
  static const std::map<std::string, Plan> kPlans = {
      {"photos", {12, 40, 0}},
      {"clip", {8, 40, 0}},
      {"again", {12, 50, 0}},
      {"llff", {6, 20, 0}},
      {"train", {2, 5, 10, false}},
      {"splat", {1, 0, 10, false}},
      {"render", {1, 5, 5, false}},
      {"colmap", {1, 5, 10}},
  };
  return kPlans.at(scene);
}

struct Arguments {
  int points = -1;
  int kills = -1;
  std::string kind;
  bool verbose = false;
  std::vector<std::string> scenes;
};

Arguments Parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--points") {
      arguments.points = std::stoi(words.at(++i));
    } else if (words[i] == "--kills") {
      arguments.kills = std::stoi(words.at(++i));
    } else if (words[i] == "--kind") {
      arguments.kind = words.at(++i);
    } else if (words[i] == "--verbose") {
      arguments.verbose = true;
    } else {
      arguments.scenes.push_back(words[i]);
    }
  }
  if (arguments.scenes.empty()) arguments.scenes = SceneNames();
  return arguments;
}

void Add(const Tally& more, Tally* sum) {
  sum->what = more.what;
  sum->points += more.points;
  sum->tried += more.tried;
  sum->same += more.same;
  sum->told += more.told;
  sum->killed += more.killed;
  sum->missed += more.missed;
  sum->wrong += more.wrong;
}

void Print(const Tally& tally) {
  std::printf("| %s", tally.what.c_str());
  for (const int64_t number : {tally.points,
                               tally.tried,
                               tally.same,
                               tally.told,
                               tally.killed,
                               tally.missed,
                               tally.wrong}) {
    std::printf(" | %lld", static_cast<long long>(number));
  }
  std::printf(" |\n");
}

std::vector<Tally> TryScene(const std::string& name,
                            const Arguments& arguments) {
  const TemporaryFolder folder(FastPlace());
  const std::unique_ptr<Scene> scene = MakeScene(name, folder.path());
  std::printf("%s: %.2f s undisturbed\n", name.c_str(), scene->seconds());
  const Plan plan = PlanFor(name);
  CampaignOptions options;
  if (!arguments.kind.empty()) options.kinds = {arguments.kind};
  options.threads = plan.threads;
  options.points = arguments.points >= 0 ? arguments.points : plan.points;
  options.kills = arguments.kills >= 0 ? arguments.kills : plan.kills;
  options.kills_in_time = arguments.kills >= 0 ? 0 : plan.kills_in_time;
  return Try(*scene, options, [&](const std::string& what, const Trial& trial) {
    if (!trial.problem.empty()) {
      std::printf("  WRONG %s: %s\n", what.c_str(), trial.problem.c_str());
    } else if (arguments.verbose) {
      std::printf("  %s: %s\n", what.c_str(), trial.said.c_str());
    }
  });
}

int Main(const Arguments& arguments) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  std::vector<std::string> order;
  std::map<std::string, Tally> sums;
  Tally all;
  for (const std::string& name : arguments.scenes) {
    for (const Tally& tally : TryScene(name, arguments)) {
      if (!sums.contains(tally.what)) order.push_back(tally.what);
      Add(tally, &sums[tally.what]);
      Add(tally, &all);
    }
  }
  std::printf(
      "\n| call, error | calls | tried | went on | told | killed | did not "
      "come "
      "| wrong |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n");
  for (const std::string& what : order) Print(sums.at(what));
  all.what = "all";
  Print(all);
  return all.wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace nerfpipe

int main(int argc, char** argv) {
  try {
    return nerfpipe::Main(nerfpipe::Parse({argv + 1, argv + argc}));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
