#include "pipeline/cli/commands.h"
#include "pipeline/cli/trainer_module.h"
#include "pipeline/cli/work_folder.h"

#include <functional>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

namespace nerfpipe {
namespace {

int Evaluate(const std::string& dataset, const CommonFlags& common) {
  Session session(common);
  const std::filesystem::path folder = WorkFolderOf(common, "eval");
  const OpenWorkFolder open(session, folder);
  WorkFolder work = open.work();
  work.dataset = dataset;
  const StageResult result = LoadTrainerLibrary().EvaluateCheckpoint(
      session.StageNamed("train"), work);
  return ShowResult(session, folder, result);
}

}  // namespace

std::function<int(const CommonFlags&)> DeclareEval(CLI::App& app) {
  const auto dataset = std::make_shared<std::string>();
  app.add_option("-d,--dataset",
                 *dataset,
                 "Where the data set is, if it has moved since training")
      ->type_name("DATASET");
  app.footer(
      "Examples:\n"
      "  nerfpipe eval -w car\n"
      "  nerfpipe eval -w car --json\n"
      "  nerfpipe eval -w lego-nerf -d /new/place/lego\n"
      "\n"
      "PSNR and SSIM of every held-out view, and its render beside the "
      "truth.");
  return [dataset](const CommonFlags& common) {
    return Evaluate(*dataset, common);
  };
}

}  // namespace nerfpipe
