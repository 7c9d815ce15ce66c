#include "pipeline/base/error.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/trainer_module.h"
#include "pipeline/cli/work_folder.h"

#include <functional>
#include <memory>

#include <CLI/CLI.hpp>

namespace nerfpipe {
namespace {

struct RenderFlags {
  std::string path;
  std::string frames;
  std::string size;
};

int Render(const RenderFlags& flags, const CommonFlags& common) {
  CommonFlags all = common;
  if (!flags.path.empty()) {
    all.sets.push_back("render.path=" + flags.path);
  }
  if (!flags.frames.empty()) {
    all.sets.push_back("render.frames=" + flags.frames);
  }
  if (!flags.size.empty()) {
    const size_t cross = flags.size.find('x');
    if (cross == std::string::npos) {
      throw UserError("--size " + flags.size + " cannot be read",
                      "write it as 1280x720",
                      ExitCode::kUsage);
    }
    all.sets.push_back("render.width=" + flags.size.substr(0, cross));
    all.sets.push_back("render.height=" + flags.size.substr(cross + 1));
  }
  Session session(all);
  const std::filesystem::path folder = WorkFolderOf(all, "render");
  const OpenWorkFolder open(session, folder);
  const StageResult result = LoadTrainerLibrary().RenderCheckpoint(
      session.StageNamed("render"), open.work());
  return ShowResult(session, folder, result);
}

}  // namespace

std::function<int(const CommonFlags&)> DeclareRender(CLI::App& app) {
  const auto flags = std::make_shared<RenderFlags>();
  app.add_option("--path", flags->path, "auto, orbit, spiral or interpolate")
      ->type_name("NAME");
  app.add_option("--frames", flags->frames, "Frames of the video")
      ->type_name("N");
  app.add_option("--size", flags->size, "Size of the video")->type_name("WxH");
  app.footer(
      "Examples:\n"
      "  nerfpipe render -w car --path orbit\n"
      "  nerfpipe render -w car --size 1280x720 --frames 240");
  return [flags](const CommonFlags& common) { return Render(*flags, common); };
}

}  // namespace nerfpipe
