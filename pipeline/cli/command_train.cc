#include "pipeline/base/error.h"
#include "pipeline/base/text.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/trainer_module.h"
#include "pipeline/cli/work_folder.h"

#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

struct TrainFlags {
  std::string dataset;
  std::string method;
  std::string steps;
  std::string time;
  bool deterministic = false;
};

// Named after the data set, in the current folder, or beside the data set where
// that lies in it: nothing is written there unasked.
fs::path ResultFolder(const fs::path& dataset) {
  const fs::path set = fs::canonical(fs::is_directory(dataset)
                                         ? dataset
                                         : fs::absolute(dataset).parent_path());
  const fs::path relative =
      fs::canonical(fs::current_path()).lexically_relative(set);
  if (relative.empty() || *relative.begin() == "..") {
    return DefaultWorkspace(dataset);
  }
  return set.parent_path() / (set.filename().string() + "-nerf");
}

int Train(const TrainFlags& flags, const CommonFlags& common) {
  if (!fs::exists(flags.dataset)) {
    throw UserError("there is no data set '" + flags.dataset + "'",
                    "check the name of the folder",
                    ExitCode::kUsage);
  }
  CommonFlags all = common;
  if (!flags.method.empty()) {
    all.sets.push_back("train.method=" + flags.method);
  }
  if (!flags.steps.empty()) {
    all.sets.push_back("train.steps=" + flags.steps);
  }
  if (!flags.time.empty()) {
    all.sets.push_back(TimeOption("train.time", flags.time));
  }
  if (flags.deterministic) all.sets.push_back("train.deterministic=true");
  Session session(all);
  const fs::path folder = all.workspace.empty() ? ResultFolder(flags.dataset)
                                                : fs::path(all.workspace);
  OpenWorkFolder open(session, folder);
  LoadTrainerLibrary().CheckDataset(flags.dataset);  // before anything is made
  open.Make();
  const StageResult result = LoadTrainerLibrary().TrainDataset(
      session.StageNamed("train"), flags.dataset, open.work());
  return ShowResult(session, folder, result);
}

}  // namespace

std::string TimeOption(const std::string& option, const std::string& time) {
  const std::optional<double> seconds = ParseDuration(time);
  if (!seconds) {
    throw UserError("--time cannot be '" + time + "'",
                    "give seconds, minutes or hours: 90s, 5m, 1.5h",
                    ExitCode::kUsage);
  }
  char value[32];
  std::snprintf(value, sizeof(value), "%.17g", *seconds);
  return option + "=" + value;
}

void DeclareBudget(CLI::App& app, std::string* time, bool* deterministic) {
  app.add_option("--time",
                 *time,
                 "Train for so long, by a schedule that fits: 90s, 5m, 1.5h")
      ->type_name("TIME");
  app.add_flag("--deterministic",
               *deterministic,
               "Train to the same result at every run on this machine, bit by\n"
               "bit: --time counts as steps, at the pace of two cores");
}

std::function<int(const CommonFlags&)> DeclareTrain(CLI::App& app) {
  const auto flags = std::make_shared<TrainFlags>();
  app.add_option("-d,--dataset",
                 flags->dataset,
                 "LLFF, COLMAP or nerf_synthetic folder, or a transforms.json")
      ->type_name("DATASET")
      ->required();
  app.add_option("--method", flags->method, "ngp, nerf or splat")
      ->type_name("NAME");
  app.add_option("--steps", flags->steps, "Optimiser steps")->type_name("N");
  DeclareBudget(app, &flags->time, &flags->deterministic);
  app.footer(
      "Examples:\n"
      "  nerfpipe train -d fern/ -w fern-nerf --method nerf --set "
      "train.factor=8\n"
      "  nerfpipe train -d lego/ -w lego-nerf --config lego\n"
      "  nerfpipe train -d lego/ -w lego-nerf --time 5m\n"
      "\n"
      "Nothing is written into the data set: without -w the results are in a\n"
      "folder of its name in the current one, or beside it. Run the same "
      "command\n"
      "again to go on after Ctrl-C, or, with --time, to train for as long "
      "again\n"
      "(not with --deterministic). What was trained on other data or by other\n"
      "options is kept in .nerfpipe/saved/ there.");
  return [flags](const CommonFlags& common) { return Train(*flags, common); };
}

}  // namespace nerfpipe
