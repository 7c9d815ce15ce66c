#include "stages/nerf/jobs/evaluation.h"

#include "pipeline/base/digest.h"
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

// "test/r_0.png" to "test_r_0.png". A path that is longer than a name may be is
// cut, and told from others by its digest.
std::string PictureName(const std::string& view_name) {
  constexpr size_t kLongest = 200;
  std::string name =
      std::filesystem::path(view_name).replace_extension().string();
  std::replace(name.begin(), name.end(), '/', '_');
  if (name.size() > kLongest) {
    name = name.substr(0, kLongest) + "_" + DigestOf(view_name);
  }
  return name + ".png";
}

// Pixels of a view that its photo says something about; undefined: all.
torch::Tensor ComparedPixels(const nerf::View& view) {
  return view.mask.defined() ? view.mask != 0 : torch::Tensor();
}

// Those alone, as an image of one row.
torch::Tensor Compared(const torch::Tensor& image,
                       const torch::Tensor& pixels) {
  return pixels.defined() ? image.index({pixels}).unsqueeze(0) : image;
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
    const torch::Tensor pixels = ComparedPixels(view);
    if (pixels.defined() && !pixels.any().item<bool>()) {
      report.Warn("the mask of " + view.name +
                  " leaves nothing to compare: it is not scored");
      continue;
    }
    torch::Tensor truth =
        OverBackground(view.image, trainer.method().Background());
    // Windows of SSIM reach beyond a mask, where there is no error to be found.
    if (pixels.defined()) {
      truth =
          torch::where(pixels.unsqueeze(2), truth, rendered.to(truth.dtype()));
    }
    const torch::Tensor corrected = nerf::ColourCorrected(rendered, truth);
    ViewScore score = {
        view.name,
        nerf::Psnr(Compared(rendered, pixels), Compared(truth, pixels)),
        nerf::Ssim(rendered, truth),
        nerf::MsSsim(rendered, truth),
        nerf::Psnr(Compared(corrected, pixels), Compared(truth, pixels)),
        nerf::Ssim(corrected, truth)};
    WriteImage(SideBySide(ToImage(rendered), ToImage(truth)),
               folder / PictureName(view.name));
    scores.views.push_back(std::move(score));
    progress->Update(static_cast<int64_t>(scores.views.size()),
                     "psnr " + Rounded(scores.views.back().psnr, "%.1f"));
  }
  const auto count =
      static_cast<double>(std::max<size_t>(1, scores.views.size()));
  for (const ViewScore& score : scores.views) {
    scores.psnr += score.psnr / count;
    scores.ssim += score.ssim / count;
    scores.ms_ssim += score.ms_ssim / count;
    scores.corrected_psnr += score.corrected_psnr / count;
    scores.corrected_ssim += score.corrected_ssim / count;
  }
  ShowScores(scores, report);
  return scores;
}

}  // namespace nerfpipe
