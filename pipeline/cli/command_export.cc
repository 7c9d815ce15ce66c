#include "pipeline/base/error.h"
#include "pipeline/base/text.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/trainer_module.h"
#include "pipeline/cli/work_folder.h"

#include <algorithm>
#include <functional>
#include <memory>

#include <CLI/CLI.hpp>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

struct ExportFlags {
  std::string what;
  std::string format;
  std::string file;
};

// What can be written, the formats of each, the first one by default, and how.
struct Exporter {
  const char* name;
  std::vector<std::string> formats;
  StageResult (*write)(const WorkFolder& work,
                       const std::string& format,
                       const fs::path& file);
};

StageResult ExportSplats(const WorkFolder& work,
                         const std::string& format,
                         const fs::path& file) {
  ExportJob job;
  job.trained = work.folder / "train/splat";
  job.transform = work.folder / "scene_transform.json";
  job.files = {{format, file}};
  job.report = work.report;
  return LoadTrainerLibrary().Export(job);
}

const std::vector<Exporter>& Exporters() {
  static const std::vector<Exporter> table = {
      {"splats", {"ply", "spz", "splat", "glb"}, &ExportSplats},
  };
  return table;
}

const Exporter& ExporterNamed(const std::string& name) {
  std::vector<std::string> names;
  for (const Exporter& exporter : Exporters()) {
    if (exporter.name == name) return exporter;
    names.push_back(exporter.name);
  }
  throw UserError("'" + name + "' cannot be exported" + DidYouMean(name, names),
                  "what can be is " + ListOf(names),
                  ExitCode::kUsage);
}

// That of --format, or of the file's name, or the first one.
std::string FormatFor(const Exporter& exporter, const ExportFlags& flags) {
  std::string format = flags.format;
  if (format.empty() && !flags.file.empty()) {
    format = fs::path(flags.file).extension().string();
    format.erase(0, 1);
  }
  if (format.empty()) return exporter.formats.front();
  if (std::find(exporter.formats.begin(), exporter.formats.end(), format) ==
      exporter.formats.end()) {
    throw UserError(flags.what + " cannot be written as '" + format + "'" +
                        DidYouMean(format, exporter.formats),
                    "use --format with one of " + ListOf(exporter.formats),
                    ExitCode::kUsage);
  }
  return format;
}

int Export(const ExportFlags& flags, const CommonFlags& common) {
  const Exporter& exporter = ExporterNamed(flags.what);
  const std::string format = FormatFor(exporter, flags);
  Session session(common);
  const fs::path folder = WorkFolderOf(common, "export");
  const OpenWorkFolder open(session, folder);
  const fs::path file = flags.file.empty()
                            ? folder / "exports" / ("scene." + format)
                            : fs::path(flags.file);
  StageResult result = exporter.write(open.work(), format, file);
  result.facts["results"] = {{"scene", fs::absolute(file).string()}};
  return ShowResult(session, folder, result);
}

}  // namespace

std::function<int(const CommonFlags&)> DeclareExport(CLI::App& app) {
  const auto flags = std::make_shared<ExportFlags>();
  app.add_option("WHAT", flags->what, "splats: the trained gaussians")
      ->required();
  app.add_option("--format", flags->format, "ply, spz, splat or glb")
      ->type_name("F");
  app.add_option("-o,--output",
                 flags->file,
                 "The file; exports/scene.FORMAT in the workspace without it")
      ->type_name("FILE");
  app.footer(
      "Examples:\n"
      "  nerfpipe export splats -w car                   exports/scene.ply\n"
      "  nerfpipe export splats -w car -o car.spz\n"
      "  nerfpipe export splats -w car --format glb\n"
      "\n"
      "All files stand in one frame: upright, centred, y up. How it comes "
      "from\n"
      "the coordinates of sparse/0 is in scene_transform.json.");
  return [flags](const CommonFlags& common) { return Export(*flags, common); };
}

}  // namespace nerfpipe
