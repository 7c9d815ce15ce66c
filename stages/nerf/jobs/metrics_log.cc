#include "stages/nerf/jobs/metrics_log.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/json_text.h"

#include <sstream>

#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

using Json = nlohmann::ordered_json;

// The whole lines of steps up to `step`.
std::string LinesUntil(const std::string& text, int64_t step) {
  std::string kept;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("loss") &&
        json.value("step", int64_t{0}) <= step) {
      kept += line + "\n";
    }
  }
  return kept;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, int64_t step)
    : path_(path) {
  const bool there = std::filesystem::exists(path);
  WriteFileAtomically(path, there ? LinesUntil(ReadFile(path), step) : "");
}

void MetricsLog::Add(const nerf::TrainProgress& progress) {
  const Json line = {{"step", progress.step},
                     {"seconds", progress.seconds},
                     {"loss", progress.loss},
                     {"psnr", progress.psnr},
                     {"learning_rate", progress.learning_rate},
                     {"pixels_per_second", progress.pixels_per_second},
                     {"samples_per_second", progress.samples_per_second}};
  AppendToFile(path_, line.dump() + "\n");
}

void MetricsLog::Add(const Scores& scores, int64_t step) {
  Json views = Json::object();
  for (const ViewScore& view : scores.views) {
    views[ToJsonText(view.name)] = {{"psnr", view.psnr},
                                    {"ssim", view.ssim},
                                    {"ms_ssim", view.ms_ssim},
                                    {"corrected_psnr", view.corrected_psnr},
                                    {"corrected_ssim", view.corrected_ssim}};
  }
  const Json line = {{"step", step},
                     {"test_psnr", scores.psnr},
                     {"test_ssim", scores.ssim},
                     {"test_ms_ssim", scores.ms_ssim},
                     {"test_corrected_psnr", scores.corrected_psnr},
                     {"test_corrected_ssim", scores.corrected_ssim},
                     {"test_views", views}};
  AppendToFile(path_, line.dump() + "\n");
}

}  // namespace nerfpipe
