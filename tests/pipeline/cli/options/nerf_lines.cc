// What the options of the method `nerf` do.

#include "stages/nerf/ray_method.h"
#include "tests/pipeline/cli/options/trainer_lines.h"

namespace nerfpipe {
namespace {

using Run = TrainingRun;
using Line = TrainingLine;

nerf::RayRules RulesOf(const Run& run) {
  return dynamic_cast<const nerf::RayMethod&>(run.trainer->method()).Rules();
}

bool SamplesAre(const Run& run, int64_t coarse, int64_t more) {
  const int64_t each = more > 0 ? 2 * coarse + more : coarse;
  return run.Samples(0) == run.Rays(0) * each;
}

bool SameInMoreParts(const Run& without, const Run& with) {
  const RenderedAgain whole = without.Render();
  const RenderedAgain parts = with.Render();
  return parts.operations > 3 * whole.operations &&
         torch::allclose(parts.rgb, whole.rgb, 1e-4, 1e-5);
}

}  // namespace

const std::vector<Line>& NerfLines() {
  static const std::vector<Line> lines = {
      {"nerf.enabled",
       "no",
       "leaves the stage out",
       [](const Run& without, const Run& with) {
         return without.enabled && !with.enabled;
       }},
      {"nerf.N_rand",
       "21",
       "is the number of rays",
       [](const Run& without, const Run& with) {
         return without.Rays(0) == 16 && with.Rays(0) == 21;
       }},
      {"nerf.N_samples",
       "11",
       "is the number of coarse samples",
       [](const Run& without, const Run& with) {
         return SamplesAre(without, 8, 8) && SamplesAre(with, 11, 8);
       }},
      {"nerf.N_importance",
       "5",
       "is the number of fine samples",
       [](const Run& without, const Run& with) {
         return SamplesAre(without, 8, 8) && SamplesAre(with, 8, 5);
       }},
      {"nerf.N_importance",
       "0",
       "does without a fine network",
       [](const Run& without, const Run& with) {
         return Has(without, "fine_") && !Has(with, "fine_") &&
                SamplesAre(with, 8, 0);
       }},
      {"nerf.netdepth",
       "3",
       "is the depth of the coarse network",
       [](const Run& without, const Run& with) {
         return !Has(without, "coarse_layer2") && Has(with, "coarse_layer2") &&
                !Has(with, "fine_layer2");
       }},
      {"nerf.netwidth",
       "12",
       "is the width of the coarse network",
       [](const Run& without, const Run& with) {
         return Size(without, "coarse_layer1_weight", 0) == 16 &&
                Size(with, "coarse_layer1_weight", 0) == 12 &&
                Size(with, "fine_layer1_weight", 0) == 16;
       }},
      {"nerf.netdepth_fine",
       "3",
       "is the depth of the fine network",
       [](const Run& without, const Run& with) {
         return !Has(without, "fine_layer2") && Has(with, "fine_layer2") &&
                !Has(with, "coarse_layer2");
       }},
      {"nerf.netwidth_fine",
       "12",
       "is the width of the fine network",
       [](const Run& without, const Run& with) {
         return Size(without, "fine_layer1_weight", 0) == 16 &&
                Size(with, "fine_layer1_weight", 0) == 12 &&
                Size(with, "coarse_layer1_weight", 0) == 16;
       }},
      {"nerf.multires",
       "3",
       "is the number of bands of the position",
       [](const Run& without, const Run& with) {
         return Size(without, "coarse_layer0_weight", 1) == 3 * (1 + 2 * 10) &&
                Size(with, "coarse_layer0_weight", 1) == 3 * (1 + 2 * 3);
       }},
      {"nerf.multires_views",
       "2",
       "is the number of bands of the direction",
       [](const Run& without, const Run& with) {
         return Size(without, "coarse_view_weight", 1) -
                    Size(with, "coarse_view_weight", 1) ==
                3 * 2 * (4 - 2);
       }},
      {"nerf.i_embed",
       "-1",
       "hands the position on as it is",
       [](const Run&, const Run& with) {
         return Size(with, "coarse_layer0_weight", 1) == 3;
       }},
      {"nerf.use_viewdirs",
       "no",
       "has no layer for the direction",
       [](const Run& without, const Run& with) {
         return Has(without, "coarse_view") && !Has(with, "coarse_view");
       }},
      {"nerf.raw_noise_std", "2", "disturbs the first step", OtherFirstLoss},
      {"nerf.perturb", "0", "takes samples at fixed places", OtherFirstLoss},
      {"nerf.lrate",
       "0.002",
       "is that of the first step",
       [](const Run& without, const Run& with) {
         return Near(without.Rate(0), 5e-4) && Near(with.Rate(0), 0.002);
       }},
      {"nerf.lrate_decay",
       "2",
       "divides the rate by ten in two thousand steps",
       [](const Run& without, const Run& with) {
         return Near(without.Rate(3), 5e-4 * std::pow(0.1, 3 / 250e3)) &&
                Near(with.Rate(3), 5e-4 * std::pow(0.1, 3 / 2e3));
       }},
      {"nerf.white_bkgd",
       "yes",
       "is white behind the scene, in training and in the render",
       [](const Run& without, const Run& with) {
         return OtherFirstLoss(without, with) &&
                without.trainer->method().Background()[1] == 0 &&
                with.trainer->method().Background()[1] == 1 &&
                with.Render().rgb.mean().item<float>() >
                    without.Render().rgb.mean().item<float>();
       }},
      {"nerf.lindisp",
       "yes",
       "takes samples elsewhere",
       OtherFirstLoss,
       {},
       TestSet::kBox},
      {"nerf.no_ndc",
       "yes",
       "keeps a forward-facing scene in space",
       [](const Run& without, const Run& with) {
         return without.trainer->frame().ndc && !with.trainer->frame().ndc;
       },
       {{"train.scene", "forward-facing"}}},
      {"nerf.no_batching",
       "yes",
       "takes all rays of one image",
       OtherFirstLoss},
      {"nerf.precrop_iters",
       "1",
       "takes the first step from the middle of the images",
       OtherFirstLoss},
      {"nerf.precrop_iters",
       "2",
       "takes the second step from there as well",
       [](const Run& without, const Run& with) {
         return without.Loss(0) == with.Loss(0) &&
                without.Loss(1) != with.Loss(1);
       },
       {{"nerf.precrop_iters", "1"}}},
      {"nerf.precrop_frac",
       "0.9",
       "makes the middle larger",
       OtherFirstLoss,
       {{"nerf.precrop_iters", "1"}}},
      {"nerf.chunk", "5", "renders the same in more parts", SameInMoreParts},
      {"nerf.netchunk",
       "16",
       "renders the same in more parts",
       SameInMoreParts},
      {"nerf.integer_pixels",
       "yes",
       "sends rays through the corners of pixels",
       [](const Run& without, const Run& with) {
         return OtherFirstLoss(without, with) && RulesOf(with).integer_pixels;
       }},
  };
  return lines;
}

}  // namespace nerfpipe
