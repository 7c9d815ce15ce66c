#include "stages/nerf/jobs/evaluation.h"

#include "pipeline/base/interrupt.h"
#include "stages/media/image_file.h"
#include "stages/nerf/colour_correction.h"
#include "stages/nerf/jobs/images.h"
#include "stages/nerf/metrics.h"

#include <algorithm>
#include <cstdio>

namespace nerfpipe {
namespace {

std::string Rounded(double value, const char* format) {
  char text[32];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

// "test/r_0.png" to "test_r_0.png".
std::string PictureName(const std::string& view_name) {
  std::string name =
      std::filesystem::path(view_name).replace_extension(".png").string();
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

void ShowScores(const Scores& scores, Report& report) {
  Table table;
  table.header = {"held-out view",
                  "PSNR (dB)",
                  "SSIM",
                  "MS-SSIM",
                  "corrected PSNR",
                  "corrected SSIM"};
  for (const ViewScore& view : scores.views) {
    table.rows.push_back({view.name,
                          Rounded(view.psnr, "%.2f"),
                          Rounded(view.ssim, "%.4f"),
                          Rounded(view.ms_ssim, "%.4f"),
                          Rounded(view.corrected_psnr, "%.2f"),
                          Rounded(view.corrected_ssim, "%.4f")});
  }
  table.rows.push_back({"mean of " + std::to_string(scores.views.size()),
                        Rounded(scores.psnr, "%.2f"),
                        Rounded(scores.ssim, "%.4f"),
                        Rounded(scores.ms_ssim, "%.4f"),
                        Rounded(scores.corrected_psnr, "%.2f"),
                        Rounded(scores.corrected_ssim, "%.4f")});
  report.Show(table);
}

}  // namespace

Scores Evaluate(nerf::Trainer& trainer,
                const std::vector<nerf::View>& views,
                const std::filesystem::path& folder,
                Report& report) {
  Scores scores;
  if (views.empty()) {
    return scores;
  }
  std::filesystem::create_directories(folder);
  const std::unique_ptr<Progress> progress =
      report.Start("Testing", static_cast<int64_t>(views.size()), "views");
  for (const nerf::View& view : views) {
    ThrowIfInterrupted();
    const torch::Tensor rendered =
        trainer.RenderView(view.camera).rgb.clamp(0, 1);
    const torch::Tensor truth =
        OverBackground(view.image, trainer.method().Background());
    const torch::Tensor corrected = nerf::ColourCorrected(rendered, truth);
    ViewScore score = {view.name,
                       nerf::Psnr(rendered, truth),
                       nerf::Ssim(rendered, truth),
                       nerf::MsSsim(rendered, truth),
                       nerf::Psnr(corrected, truth),
                       nerf::Ssim(corrected, truth)};
    WriteImage(SideBySide(ToImage(rendered), ToImage(truth)),
               folder / PictureName(view.name));
    const auto count = static_cast<double>(views.size());
    scores.psnr += score.psnr / count;
    scores.ssim += score.ssim / count;
    scores.ms_ssim += score.ms_ssim / count;
    scores.corrected_psnr += score.corrected_psnr / count;
    scores.corrected_ssim += score.corrected_ssim / count;
    scores.views.push_back(std::move(score));
    progress->Update(static_cast<int64_t>(scores.views.size()),
                     "psnr " + Rounded(scores.views.back().psnr, "%.1f"));
  }
  ShowScores(scores, report);
  return scores;
}

}  // namespace nerfpipe
