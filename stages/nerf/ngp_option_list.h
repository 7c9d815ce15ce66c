#pragma once

// Every option of `ngp`, once; see option_lists.h.

#include "stages/nerf/options.h"

namespace nerfpipe::nerf {

template <class Group>
void ListOptions(Group& group, NgpOptions& o) {
  constexpr int kMany = 100'000'000;
  group.Integer("levels", &o.levels, "resolutions of the hash grid", 1, 32)
      .Integer("features",
               &o.features,
               "numbers per entry of the hash grid: 1, 2, 4 or 8",
               1,
               8)
      .Integer("base_resolution",
               &o.base_resolution,
               "cells along a side of the coarsest level",
               2,
               1024)
      .Integer("finest_resolution",
               &o.finest_resolution,
               "cells along a side of the finest level; 0: by the size of a "
               "pixel",
               0,
               1 << 20)
      .Integer("log2_table",
               &o.log2_table,
               "entries of a level, as a power of two; 0: by the length of "
               "the run and the images",
               0,
               24)
      .Integer("hidden", &o.hidden, "width of the hidden layers", 8, 512)
      .Integer("geometry", &o.geometry, "outputs of the density net", 1, 128)
      .Integer("batch_samples",
               &o.batch_samples,
               "trained samples that a step aims at",
               64,
               1 << 24)
      .Integer("max_rays", &o.max_rays, "most rays of a step", 1, 1 << 22)
      .Number("min_weight",
              &o.min_weight,
              "without roulette, samples that weigh less are left out",
              0,
              1)
      .Number("roulette",
              &o.roulette,
              "in training, samples that weigh less are kept by chance; 0: "
              "by min_weight",
              0,
              1)
      .Number("stop_transmittance",
              &o.stop_transmittance,
              "in training, a ray ends below this transmittance; 0: by scene",
              0,
              1)
      .Number("learning_rate", &o.learning_rate, "of Adam", 0, 10)
      .Number("constant_part",
              &o.constant_part,
              "part of the steps before the rate falls",
              0,
              1)
      .Number("final_rate",
              &o.final_rate,
              "rate at the last step, against learning_rate",
              0,
              1)
      .Number("beta1", &o.beta1, "of Adam, for the nets", 0, 1)
      .Number("beta2", &o.beta2, "of Adam, for the nets", 0, 0.9999)
      .Number("table_beta2",
              &o.table_beta2,
              "of Adam, for the table, which has no beta1",
              0,
              0.9999)
      .Number("epsilon", &o.epsilon, "of Adam", 0, 1)
      .Number("weight_decay",
              &o.weight_decay,
              "L2 on the matrices of the nets",
              0,
              1)
      .Choice(
          "loss", &o.loss, {"mse", "huber"}, "of the difference to the photo")
      .Number("distortion",
              &o.distortion,
              "factor of the distortion loss, which pulls samples of a ray "
              "together",
              0,
              10)
      .Number("free_space",
              &o.free_space,
              "factor of what is seen where lines of sight to sparse points "
              "are; 0: not looked for",
              0,
              10)
      .Flag("random_background",
            &o.random_background,
            "a new colour behind every ray of a step")
      .Flag("fused",
            &o.fused,
            "the fast kernels, where they can: on the CPU, in their sizes; no: "
            "plain LibTorch")
      .Flag("bfloat16",
            &o.bfloat16,
            "shorter factors in the nets, where the processor multiplies them")
      .Integer("grid_resolution",
               &o.grid_resolution,
               "cells along a side of the occupancy grid",
               8,
               512)
      .Integer("grid_every",
               &o.grid_every,
               "steps between updates of the occupancy grid",
               1,
               kMany)
      .Integer("grid_warmup",
               &o.grid_warmup,
               "first steps, in which updates visit every cell",
               0,
               kMany)
      .Number("grid_decay", &o.grid_decay, "of all cells at an update", 0, 1)
      .Number("grid_threshold",
              &o.grid_threshold,
              "a cell is occupied above this optical thickness; 0: by scene",
              0,
              1e6)
      .Integer("grid_refine_every",
               &o.grid_refine_every,
               "bounded scenes: steps between looks at eighths of cells; 0: "
               "none",
               0,
               kMany)
      .Number("step",
              &o.step,
              "distance between samples against half the scene; 0: by scene",
              0,
              10)
      .Number("cone",
              &o.cone,
              "unbounded scenes: the step is at least distance times this; 0: "
              "by the size of a pixel",
              0,
              1)
      .Number("far",
              &o.far,
              "unbounded scenes: marching goes on to here at least",
              0,
              1e6);
}

}  // namespace nerfpipe::nerf
