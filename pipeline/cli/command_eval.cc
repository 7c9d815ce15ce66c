#include "pipeline/cli/commands.h"
#include "pipeline/cli/trainer_module.h"
#include "pipeline/cli/work_folder.h"

#include <functional>

#include <CLI/CLI.hpp>

namespace nerfpipe {
namespace {

int Evaluate(const CommonFlags& common) {
  Session session(common);
  const std::filesystem::path folder = WorkFolderOf(common, "eval");
  const OpenWorkFolder open(session, folder);
  const StageResult result = LoadTrainerLibrary().EvaluateCheckpoint(
      session.StageNamed("train"), open.work());
  return ShowResult(session, folder, result);
}

}  // namespace

std::function<int(const CommonFlags&)> DeclareEval(CLI::App& app) {
  app.footer(
      "Examples:\n"
      "  nerfpipe eval -w car\n"
      "  nerfpipe eval -w car --json\n"
      "\n"
      "PSNR and SSIM of every held-out view, and its render beside the "
      "truth.");
  return Evaluate;
}

}  // namespace nerfpipe
