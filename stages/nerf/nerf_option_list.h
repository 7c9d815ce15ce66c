#pragma once

// Every option of `nerf`, once; see option_lists.h.

#include "stages/nerf/options.h"

namespace nerfpipe::nerf {

template <class Group>
void ListOptions(Group& group, NerfOptions& o) {
  constexpr int kMany = 100'000'000;
  group.Integer("N_rand", &o.N_rand, "rays of a step", 1, 1 << 22)
      .Integer("N_samples", &o.N_samples, "coarse samples per ray", 2, 4096)
      .Integer("N_importance",
               &o.N_importance,
               "more samples for the fine network; 0: no fine network",
               0,
               4096)
      .Integer("netdepth", &o.netdepth, "layers of the network", 1, 64)
      .Integer("netwidth", &o.netwidth, "channels per layer", 2, 4096)
      .Integer("netdepth_fine",
               &o.netdepth_fine,
               "layers of the fine network",
               1,
               64)
      .Integer("netwidth_fine",
               &o.netwidth_fine,
               "channels per layer of the fine network",
               2,
               4096)
      .Integer(
          "multires", &o.multires, "frequency bands of the position", 0, 32)
      .Integer("multires_views",
               &o.multires_views,
               "frequency bands of the view direction",
               0,
               32)
      .Integer("i_embed", &o.i_embed, "0: frequency encoding, -1: none", -1, 0)
      .Flag("use_viewdirs",
            &o.use_viewdirs,
            "colour depends on the view direction")
      .Number("raw_noise_std",
              &o.raw_noise_std,
              "noise on the raw density in training",
              0,
              100)
      .Number("perturb",
              &o.perturb,
              "1: jittered samples, 0: at fixed places",
              0,
              1)
      .Number("lrate", &o.lrate, "learning rate of Adam", 0, 10)
      .Integer("lrate_decay",
               &o.lrate_decay,
               "thousands of steps for a decay by ten",
               1,
               kMany)
      .Flag("white_bkgd", &o.white_bkgd, "white behind the scene")
      .Flag("lindisp", &o.lindisp, "sample linearly in disparity")
      .Flag("no_ndc", &o.no_ndc, "never normalised device coordinates")
      .Flag("no_batching", &o.no_batching, "all rays of a step from one image")
      .Integer("precrop_iters",
               &o.precrop_iters,
               "first steps on the middle of the images only",
               0,
               kMany)
      .Number("precrop_frac",
              &o.precrop_frac,
              "part of each side that is the middle",
              0.01,
              1)
      .Integer("chunk",
               &o.chunk,
               "rays rendered at once",
               1,
               1 << 24,
               Group::kNoEffect)
      .Integer("netchunk",
               &o.netchunk,
               "points sent through a network at once",
               1,
               1 << 26,
               Group::kNoEffect)
      .Flag("integer_pixels",
            &o.integer_pixels,
            "pixel centres at integers, as nerf-pytorch has them");
}

}  // namespace nerfpipe::nerf
