#pragma once

// Every option of `splat`, once; see option_lists.h.

#include "stages/nerf/options.h"

namespace nerfpipe::nerf {

template <class Group>
void ListOptions(Group& group, SplatOptions& o) {
  group
      .Integer("count",
               &o.count,
               "gaussians at the end; 0: by the size of the images and the "
               "length of the run",
               0,
               10'000'000)
      .Integer("first_count",
               &o.first_count,
               "most gaussians at the beginning; 0: most of count",
               0,
               10'000'000)
      .Integer("degree",
               &o.degree,
               "of the spherical harmonics: how finely colour changes with "
               "the direction",
               0,
               3)
      .Integer("crop",
               &o.crop,
               "pixels of the part of an image that a step looks at; 0: by "
               "the size of the images",
               0,
               1 << 28)
      .Number("half_until",
              &o.half_until,
              "part of the run on images of half the size",
              0,
              1)
      .Number("dssim",
              &o.dssim,
              "part of structural dissimilarity in the loss; the rest is L1",
              0,
              1)
      .Number("mean_rate",
              &o.mean_rate,
              "learning rate of the positions, against the reach of the "
              "cameras",
              0,
              1)
      .Number("final_mean_rate",
              &o.final_mean_rate,
              "at the end, against mean_rate",
              0,
              1)
      .Number("scale_rate", &o.scale_rate, "of the sizes", 0, 1)
      .Number("rotation_rate", &o.rotation_rate, "of the rotations", 0, 1)
      .Number("opacity_rate", &o.opacity_rate, "of the opacities", 0, 1)
      .Number("colour_rate", &o.colour_rate, "of the mean colours", 0, 1)
      .Number("harmonics_rate",
              &o.harmonics_rate,
              "of what changes with the direction",
              0,
              1)
      .Number("noise",
              &o.noise,
              "of random steps of faint gaussians; 0: none",
              0,
              100);
}

}  // namespace nerfpipe::nerf
