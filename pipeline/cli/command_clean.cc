#include "pipeline/base/error.h"
#include "pipeline/base/text.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/spare_files.h"
#include "stages/nerf/stage/trained_scenes.h"

#include <functional>
#include <iostream>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

using Kind = SpareFiles::Kind;

struct CleanFlags {
  bool yes = false;
  bool images = false;
  bool saved = false;
};

bool IsChosen(const SpareFiles& files, const CleanFlags& flags) {
  return files.kind == Kind::kQuick   ? flags.images
         : files.kind == Kind::kSaved ? flags.saved
                                      : true;
}

const char* NameOf(Kind kind) {
  switch (kind) {
    case Kind::kUnfinished:
      return "unfinished";
    case Kind::kUnused:
      return "unused";
    case Kind::kScored:
      return "scored";
    case Kind::kQuick:
      return "images";
    case Kind::kSaved:
      return "saved";
  }
  return "";
}

const char* FlagsFor(Kind kind) {
  return kind == Kind::kQuick   ? "--images --yes"
         : kind == Kind::kSaved ? "--saved --yes"
                                : "--yes";
}

// What it is, or what becomes of it.
std::string Meaning(const SpareFiles& files) {
  const std::string whose = files.stage.empty() ? "a command" : files.stage;
  switch (files.kind) {
    case Kind::kUnfinished:
      return "unfinished work of " + whose + ", which begins anew";
    case Kind::kUnused:
      return "of " + whose + ", by options that hold no longer";
    case Kind::kScored:
      return "'nerfpipe eval' makes it again";
    case Kind::kQuick:
      return whose + " makes it again in seconds at the next run";
    case Kind::kSaved:
      return "replaced: altered by hand, or trained otherwise";
  }
  return "";
}

// One that frees; with what these flags chose.
std::string CommandFor(const Workspace& workspace, const CleanFlags& flags) {
  return "nerfpipe clean -w " + ShownPath(workspace.root()) +
         (flags.images ? " --images" : "") + (flags.saved ? " --saved" : "") +
         " --yes";
}

void Show(const Workspace& workspace,
          const std::vector<SpareFiles>& found,
          const CleanFlags& flags) {
  Table table;
  table.header = {"what", "size", "freed by", "what it is"};
  int64_t chosen = 0;
  for (const SpareFiles& files : found) {
    if (IsChosen(files, flags)) chosen += files.bytes;
    if (flags.yes && !IsChosen(files, flags)) continue;
    table.rows.push_back({files.path,
                          HumanBytes(files.bytes),
                          FlagsFor(files.kind),
                          Meaning(files)});
  }
  if (!table.rows.empty()) std::cout << FormatTable(table);
  const std::string place = ShownPath(workspace.root());
  if (found.empty() || (flags.yes && chosen == 0)) {
    std::cout << "There is nothing to free in " << place << ".\n";
  } else if (flags.yes) {
    std::cout << "Freed " << HumanBytes(chosen) << ".\n";
  } else if (chosen == 0) {
    std::cout << "Each goes by its own flag; nothing was removed.\n";
  } else {
    std::cout << "'" << CommandFor(workspace, flags) << "' frees "
              << HumanBytes(chosen) << "; nothing was removed.\n";
  }
}

void ShowJson(const std::vector<SpareFiles>& found, const CleanFlags& flags) {
  nlohmann::ordered_json items = nlohmann::ordered_json::array();
  for (const SpareFiles& files : found) {
    items.push_back({{"path", files.path},
                     {"bytes", files.bytes},
                     {"kind", NameOf(files.kind)},
                     {"freed", flags.yes && IsChosen(files, flags)}});
  }
  std::cout << items.dump(2) << "\n";
}

int Clean(const CleanFlags& flags, const CommonFlags& common) {
  Session session(common);
  if (common.workspace.empty()) {
    throw UserError("'clean' needs a workspace",
                    "name it: nerfpipe clean -w DIR",
                    ExitCode::kUsage);
  }
  const Workspace workspace = Workspace::Open(common.workspace);
  std::optional<WorkspaceLock> lock;
  if (flags.yes) lock.emplace(workspace.root());
  session.Resolve(workspace);
  Runner runner = session.MakeRunner(workspace);
  if (flags.yes) runner.FinishCommits();

  const std::vector<StageStatus> statuses = runner.Status();
  SpareRules rules;
  rules.quick_stages = {"extract", "downsample"};
  rules.needed = ImagesOfTrainedScenes(workspace.root());
  const std::vector<SpareFiles> found =
      FindSpareFiles(workspace, session.stages(), statuses, rules);
  if (flags.yes) {
    session.console().LogTo(workspace.LogPath("nerfpipe"));
    for (const SpareFiles& files : found) {
      if (!IsChosen(files, flags)) continue;
      RemoveSpareFiles(workspace, files);
      session.console().Detail("removed " + files.path);
    }
  }
  if (common.json) {
    ShowJson(found, flags);
  } else {
    Show(workspace, found, flags);
  }
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace

std::function<int(const CommonFlags&)> DeclareClean(CLI::App& app) {
  const auto flags = std::make_shared<CleanFlags>();
  app.add_flag("--yes", flags->yes, "Remove it; without, it is only listed");
  app.add_flag(
      "--images",
      flags->images,
      "Also frames and smaller images, which the next run makes again");
  app.add_flag("--saved",
               flags->saved,
               "Also what was kept when it was replaced: outputs altered by "
               "hand, and what was trained with other data or options");
  app.footer(
      "Examples:\n"
      "  nerfpipe clean -w car                    what can go, and how large\n"
      "  nerfpipe clean -w car --yes\n"
      "  nerfpipe clean -w car --images --yes\n"
      "\n"
      "Results, and what they need, stay. What is up to date stays up to "
      "date;\n"
      "after --images the next run makes the images again, and nothing else.");
  return [flags](const CommonFlags& common) { return Clean(*flags, common); };
}

}  // namespace nerfpipe
