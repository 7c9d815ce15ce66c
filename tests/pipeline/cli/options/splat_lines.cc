// What the options of the method `splat` do.

#include "tests/pipeline/cli/options/trainer_lines.h"

namespace nerfpipe {
namespace {

using Run = TrainingRun;
using Line = TrainingLine;

// Rows `first` to `end` - 1 of all gaussians, gaussians x rows.
torch::Tensor Rows(const Run& run, int64_t first, int64_t end) {
  const int64_t count = run.state.at("splat_counts")[0].item<int64_t>();
  return run.state.at("splat_values")
      .slice(1, first, end)
      .permute({0, 2, 1})
      .reshape({-1, end - first})
      .slice(0, 0, count);
}

bool Same(const Run& a, const Run& b, int64_t first, int64_t end) {
  return torch::equal(Rows(a, first, end), Rows(b, first, end));
}

// Do the axes of each gaussian differ by splits alone? One makes an axis
// shorter by the square root of 3/4.
bool OnlySplitsShape(const Run& run) {
  const torch::Tensor scales = Rows(run, 3, 6);
  const torch::Tensor splits =
      (scales.amax({1}) - scales.amin({1})) / (0.5 * std::log(4.0 / 3));
  return (splits - splits.round()).abs().max().item<double>() < 1e-3;
}

int64_t FirstCount(const Run& run) {
  return run.state.at("splat_counts")[1].item<int64_t>();
}

int64_t DifferentOpacities(const Run& run) {
  return std::get<0>(torch::_unique2(Rows(run, 10, 11))).numel();
}

}  // namespace

const std::vector<TrainingLine>& SplatLines() {
  static const std::vector<Line> lines = {
      {"splat.enabled",
       "no",
       "leaves the stage out",
       [](const Run& without, const Run& with) {
         return without.enabled && !with.enabled;
       }},
      {"splat.steps",
       "3",
       "ends after three steps",
       [](const Run& without, const Run& with) {
         return without.facts.at("steps") == 4 && with.facts.at("steps") == 3;
       }},
      {"splat.time",
       "0.006",
       "ends before four steps, at 416 a second for so few pixels",
       [](const Run& without, const Run& with) {
         return without.facts.at("steps") == 4 && with.facts.at("steps") == 3;
       },
       {{"train.deterministic", "yes"}}},
      {"splat.factor",
       "2",
       "halves the images",
       [](const Run& without, const Run& with) {
         return without.facts.at("width") == 53 &&
                with.facts.at("width") == 27 && with.facts.at("factor") == 2;
       }},
      {"splat.count",
       "500",
       "is the number of gaussians at the end",
       [](const Run& without, const Run& with) {
         return Rows(without, 0, 1).size(0) <= 304 &&
                Rows(with, 0, 1).size(0) > 320;
       },
       {{"splat.steps", "20"}}},
      {"splat.first_count",
       "30",
       "is the number of gaussians at the beginning",
       [](const Run& without, const Run& with) {
         return FirstCount(without) > 50 && FirstCount(with) <= 30;
       }},
      {"splat.degree",
       "1",
       "has four harmonics instead of nine",
       [](const Run& without, const Run& with) {
         return Size(without, "splat_values", 1) == 11 + 3 * 9 &&
                Size(with, "splat_values", 1) == 11 + 3 * 4;
       }},
      {"splat.crop",
       "700",
       "looks at parts of the images",
       [](const Run& without, const Run& with) {
         return without.Rays(3) == 53 * 37 && with.Rays(3) < 1200;
       }},
      {"splat.half_until",
       "0",
       "looks at whole images from the beginning",
       [](const Run& without, const Run& with) {
         return without.Rays(0) == 26 * 18 && with.Rays(0) == 53 * 37 &&
                with.Rays(3) == without.Rays(3);
       }},
      {"splat.dssim",
       "0.8",
       "weighs structure more than difference",
       [](const Run& without, const Run& with) {
         return with.Loss(0) > 1.2 * without.Loss(0) &&
                with.Psnr(0) == without.Psnr(0);
       }},
      {"splat.mean_rate",
       "9.6e-4",
       "is twice the default",
       [](const Run& without, const Run& with) {
         return Near(with.Rate(0), 2 * without.Rate(0)) &&
                !Same(without, with, 0, 3);
       }},
      {"splat.final_mean_rate",
       "1",
       "does not fall",
       [](const Run& without, const Run& with) {
         // The second step has twice the rate of the first, but for the fall.
         return Near(with.Rate(1), 2 * with.Rate(0)) &&
                without.Rate(1) < 0.7 * with.Rate(1);
       }},
      {"splat.scale_rate",
       "0",
       "leaves them as round as they began",
       [](const Run& without, const Run& with) {
         return !OnlySplitsShape(without) && OnlySplitsShape(with);
       },
       {{"splat.count", "48"}, {"splat.steps", "60"}}},
      {"splat.rotation_rate",
       "0",
       "leaves them as they stood",
       [](const Run& without, const Run& with) {
         return !AllZero(Rows(without, 7, 10)) && AllZero(Rows(with, 7, 10));
       }},
      {"splat.opacity_rate",
       "0",
       "leaves the opacities that they began with",
       [](const Run& without, const Run& with) {
         return DifferentOpacities(without) > 6 &&
                DifferentOpacities(with) <= 4;
       },
       {{"splat.count", "48"}}},
      {"splat.colour_rate",
       "0",
       "leaves the mean colours alone",
       [](const Run& without, const Run& with) {
         // Of a first gaussian it is the mean of whole bytes of 16 pixels.
         const auto whole = [](const Run& run) {
           const torch::Tensor sums =
               (Rows(run, 11, 14) * 0.28209479177 + 0.5) * (255 * 16);
           return (sums - sums.round()).abs().lt(0.02).to(torch::kFloat).mean();
         };
         return whole(without).item<double>() < 0.5 &&
                whole(with).item<double>() > 0.8;
       },
       {{"splat.count", "48"}}},
      {"splat.harmonics_rate",
       "0",
       "has no colour by direction",
       [](const Run& without, const Run& with) {
         return !AllZero(Rows(without, 14, 38)) && AllZero(Rows(with, 14, 38));
       }},
      {"splat.noise",
       "0",
       "moves the faint by their gradient alone",
       [](const Run& without, const Run& with) {
         return !Same(without, with, 0, 3);
       },
       {{"splat.steps", "60"}, {"splat.opacity_rate", "1"}}},
  };
  return lines;
}

}  // namespace nerfpipe
