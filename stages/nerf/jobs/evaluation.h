#pragma once

// Renders the held-out views of a scene and compares them with the truth.

#include "pipeline/base/report.h"
#include "stages/nerf/trainer.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

struct ViewScore {
  std::string name;
  double psnr = 0;
  double ssim = 0;
  double ms_ssim = 0;
  // After ColourCorrected().
  double corrected_psnr = 0;
  double corrected_ssim = 0;
};

struct Scores {
  std::vector<ViewScore> views;
  // Means over the views; 0 without any.
  double psnr = 0;
  double ssim = 0;
  double ms_ssim = 0;
  double corrected_psnr = 0;
  double corrected_ssim = 0;
};

// Writes NAME.png (rendered, then truth) for each view into `folder` and shows
// a table.
Scores Evaluate(nerf::Trainer& trainer,
                const std::vector<nerf::View>& views,
                const std::filesystem::path& folder,
                Report& report);

}  // namespace nerfpipe
