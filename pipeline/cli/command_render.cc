#include "pipeline/base/error.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/trainer_module.h"
#include "pipeline/cli/work_folder.h"
#include "stages/nerf/stage/render_stage.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <set>

#include <CLI/CLI.hpp>

namespace nerfpipe {
namespace {

struct RenderFlags {
  std::string method;
  std::string path;
  std::string frames;
  std::string size;
  std::string scene;
  std::string up = "auto";
  std::string output;
};

// Somebody else's splats: no workspace, and the video in the current folder.
int RenderForeign(const RenderFlags& flags, const CommonFlags& all) {
  namespace fs = std::filesystem;
  if (!fs::is_regular_file(flags.scene)) {
    throw UserError("there is no file '" + flags.scene + "'",
                    "give splats as a .ply, .spz or .splat file",
                    ExitCode::kUsage);
  }
  const std::set<std::string> ups = {"auto", "x", "-x", "y", "-y", "z", "-z"};
  if (ups.count(flags.up) == 0) {
    throw UserError("--up cannot be '" + flags.up + "'",
                    "use x, -x, y, -y, z or -z",
                    ExitCode::kUsage);
  }
  Session session(all);
  session.Resolve(std::nullopt);
  const fs::path video = flags.output.empty()
                             ? fs::path(flags.scene).stem().string() + ".mp4"
                             : flags.output;
  RenderJob job;
  job.foreign = flags.scene;
  job.up = flags.up;
  job.settings =
      dynamic_cast<const RenderStage&>(session.StageNamed("render")).settings();
  job.out = fs::absolute(video).parent_path();
  job.name = video.stem().string();
  job.threads = ThreadsOf(session.machine());
  job.device = session.machine().device;
  job.report = &session.console();
  return ShowResult(session, job.out, LoadTrainerLibrary().Render(job));
}

int Render(const RenderFlags& flags, const CommonFlags& common) {
  CommonFlags all = common;
  if (!flags.method.empty()) {
    all.sets.push_back("render.method=" + flags.method);
  }
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
  if (!flags.scene.empty()) return RenderForeign(flags, all);
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
  app.add_option("--method",
                 flags->method,
                 "Scene of this method: auto, ngp, nerf or splat")
      ->type_name("NAME");
  app.add_option("--path", flags->path, "auto, orbit, spiral or interpolate")
      ->type_name("NAME");
  app.add_option("--frames", flags->frames, "Frames of the video")
      ->type_name("N");
  app.add_option("--size", flags->size, "Size of the video")->type_name("WxH");
  app.add_option("--scene",
                 flags->scene,
                 "Splats of another program, .ply, .spz or .splat, instead of "
                 "-w")
      ->type_name("FILE");
  app.add_option("--up",
                 flags->up,
                 "With --scene: which way is up, x, -x, y, -y, z or -z")
      ->type_name("AXIS");
  app.add_option("-o,--output",
                 flags->output,
                 "With --scene: the video; SCENE.mp4 here without it")
      ->type_name("FILE");
  app.footer(
      "Examples:\n"
      "  nerfpipe render -w car --path orbit\n"
      "  nerfpipe render --scene other.ply\n"
      "  nerfpipe render -w car --size 1280x720 --frames 240");
  return [flags](const CommonFlags& common) { return Render(*flags, common); };
}

}  // namespace nerfpipe
