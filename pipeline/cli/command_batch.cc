#include "pipeline/base/atomic_file.h"
#include "pipeline/base/child_process.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/json_text.h"
#include "pipeline/base/text.h"
#include "pipeline/cli/commands.h"
#include "stages/media/file_kind.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <set>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace nerfpipe {

namespace fs = std::filesystem;

namespace {

struct Capture {
  fs::path path;
  fs::path workspace;
};

bool HoldsPictures(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() &&
        (IsImageFile(entry.path()) || HasVideoSuffix(entry.path()))) {
      return true;
    }
  }
  return false;
}

// Videos, and folders of photos or videos, by name; two captures of the same
// name get workspaces that keep the suffix.
std::vector<Capture> FindCaptures(const fs::path& folder,
                                  const fs::path& into) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const bool hidden = entry.path().filename().string()[0] == '.';
    if (!hidden && !Workspace::Exists(entry.path()) &&
        (entry.is_directory() ? HoldsPictures(entry.path())
                              : HasVideoSuffix(entry.path()))) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Capture> captures;
  std::set<std::string> names;
  for (const fs::path& path : paths) {
    std::string name = fs::is_directory(path) ? path.filename().string()
                                              : path.stem().string();
    if (!names.insert(name).second ||
        fs::weakly_canonical(into / name) == fs::weakly_canonical(path)) {
      name = path.filename().string() + "-nerf";
      names.insert(name);
    }
    captures.push_back({path, into / name});
  }
  return captures;
}

std::vector<std::string> RunCommand(const Capture& capture,
                                    const CommonFlags& common) {
  std::vector<std::string> command = {ThisProgram().string(),
                                      "run",
                                      capture.path.string(),
                                      "-w",
                                      capture.workspace.string()};
  const std::vector<std::string> flags = FlagsForRun(common);
  command.insert(command.end(), flags.begin(), flags.end());
  return command;
}

nlohmann::ordered_json ReadSummary(const fs::path& workspace) {
  try {
    return nlohmann::ordered_json::parse(ReadFile(workspace / "summary.json"));
  } catch (const std::exception&) {
    return nlohmann::ordered_json::object();
  }
}

std::string FailureIn(const nlohmann::ordered_json& summary) {
  if (summary.contains("stages")) {
    for (const auto& [name, stage] : summary.at("stages").items()) {
      if (stage.contains("failure")) {
        return stage.at("failure");
      }
    }
  }
  return "see its log";
}

// "50/50", or "-" when the capture did not come so far.
std::string RegisteredText(const nlohmann::ordered_json& summary) {
  const auto registered =
      nlohmann::ordered_json::json_pointer("/frames/registered");
  const auto kept = nlohmann::ordered_json::json_pointer("/frames/kept");
  return summary.contains(registered) && summary.contains(kept)
             ? summary.at(registered).dump() + "/" + summary.at(kept).dump()
             : "-";
}

// Of the scene that is shown.
std::string PsnrText(const nlohmann::ordered_json& summary) {
  using Pointer = nlohmann::ordered_json::json_pointer;
  const Pointer method("/render/method");
  if (!summary.contains(method)) return "-";
  const Pointer psnr =
      Pointer("/training") / summary.at(method).get<std::string>() / "psnr";
  char text[32] = "-";
  if (summary.contains(psnr) && summary.at(psnr).is_number()) {
    std::snprintf(text, sizeof(text), "%.2f", summary.at(psnr).get<double>());
  }
  return text;
}

int Batch(const std::string& folder, const CommonFlags& common) {
  if (!fs::is_directory(folder)) {
    throw UserError("there is no folder '" + folder + "'",
                    "give a folder with videos, or with folders of photos",
                    ExitCode::kUsage);
  }
  Session session(common);
  session.Resolve(std::nullopt);  // mistakes in options show at once
  const fs::path into = common.workspace.empty() ? fs::current_path()
                                                 : fs::path(common.workspace);
  const std::vector<Capture> captures = FindCaptures(folder, into);
  if (captures.empty()) {
    throw UserError("there is no capture in '" + folder + "'",
                    "put videos, or folders of photos, into it",
                    ExitCode::kUsage);
  }
  fs::create_directories(into);

  Table table;
  table.header = {"capture", "state", "time", "registered", "PSNR", "result"};
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  bool all_done = true;
  for (size_t i = 0; i < captures.size(); ++i) {
    const Capture& capture = captures[i];
    session.console().Info("--- " + std::to_string(i + 1) + " of " +
                           std::to_string(captures.size()) + ": " +
                           ShownPath(capture.path));
    const ChildResult child = RunChild(RunCommand(capture, common));
    if (child.exit_code == static_cast<int>(ExitCode::kInterrupted)) {
      throw Interrupted();
    }
    const bool done = child.signal == 0 && child.exit_code == 0;
    all_done = all_done && done;
    const nlohmann::ordered_json summary = ReadSummary(capture.workspace);
    table.rows.push_back(
        {capture.path.filename().string(),
         done ? "done" : "failed",
         HumanDuration(child.seconds),
         RegisteredText(summary),
         PsnrText(summary),
         done ? ShownPath(capture.workspace) : FailureIn(summary)});
    json.push_back({{"capture", capture.path.string()},
                    {"workspace", capture.workspace.string()},
                    {"state", done ? "done" : "failed"},
                    {"seconds", child.seconds},
                    {"summary", summary}});
    WriteFileAtomically(into / "batch.json", JsonForPeople(json, 2) + "\n");
  }
  session.console().Info("");
  session.console().Show(table);
  session.console().Info("  all figures: " + ShownPath(into / "batch.json"));
  if (common.json) {
    std::cout << JsonForPeople(json, 2) << std::endl;
  }
  return static_cast<int>(all_done ? ExitCode::kDone : ExitCode::kFailed);
}

}  // namespace

std::function<int(const CommonFlags&)> DeclareBatch(CLI::App& app) {
  const auto folder = std::make_shared<std::string>();
  app.add_option("DIR", *folder, "A folder of videos and folders of photos")
      ->required();
  app.footer(
      "Examples:\n"
      "  nerfpipe batch captures/\n"
      "  nerfpipe batch captures/ -w results/ --config quick\n"
      "\n"
      "Goes on after a failure. Each capture gets its own workspace, in the\n"
      "current folder or in -w DIR; batch.json there tells how each ended.");
  return [folder](const CommonFlags& common) { return Batch(*folder, common); };
}

}  // namespace nerfpipe
