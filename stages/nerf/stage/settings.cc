#include "stages/nerf/stage/settings.h"

#include <iterator>

namespace nerfpipe {
namespace {

constexpr int kMany = 100'000'000;

OptionGroup TrainGroup(TrainSettings* settings) {
  const std::vector<std::string> methods(std::begin(nerf::kMethodNames),
                                         std::end(nerf::kMethodNames));
  nerf::TrainOptions* train = &settings->options.train;
  OptionGroup group("train");
  group
      .Choice("method",
              &train->method,
              methods,
              "ngp (hash grid, minutes) or nerf (the paper's network, hours)")
      .Integer("steps",
               &train->steps,
               "optimiser steps; 0: the method's own default",
               0,
               kMany)
      .Number("time",
              &train->time,
              "seconds of training after which the run ends, and which the "
              "schedule follows; 0: by steps alone",
              0,
              1e8)
      .Flag("deterministic",
            &train->deterministic,
            "on the CPU, the same result at every run with the same threads: "
            "time counts as steps")
      .Integer("factor",
               &settings->factor,
               "images are used at 1/factor of their size; 0: 4, but 1 for "
               "nerf_synthetic data",
               0,
               64)
      .Integer("llffhold",
               &settings->llffhold,
               "every llffhold-th image is held out for testing; 0: none",
               0,
               kMany)
      .Choice("scene",
              &settings->scene,
              {"auto", "forward-facing", "orbit", "inward", "walk"},
              "kind of scene; auto finds it from the cameras")
      .Integer("seed", &train->seed, "start of every random sequence", 0, kMany)
      .Integer("checkpoint_every",
               &train->checkpoint_every,
               "steps between checkpoints; 0: by time",
               0,
               kMany,
               Effect::kNone)
      .Number("checkpoint_seconds",
              &train->checkpoint_seconds,
              "seconds between checkpoints when they go by time; 0: none",
              0,
              1e6,
              Effect::kNone)
      .Integer("report_every",
               &train->report_every,
               "steps between lines of metrics.jsonl",
               1,
               kMany,
               Effect::kNone);
  return group;
}

OptionGroup NgpGroup(nerf::NgpOptions* ngp) {
  OptionGroup group("ngp");
  group.Integer("levels", &ngp->levels, "resolutions of the hash grid", 1, 32)
      .Integer("features",
               &ngp->features,
               "numbers per entry of the hash grid: 1, 2, 4 or 8",
               1,
               8)
      .Integer("base_resolution",
               &ngp->base_resolution,
               "cells along a side of the coarsest level",
               2,
               1024)
      .Integer("finest_resolution",
               &ngp->finest_resolution,
               "cells along a side of the finest level; 0: 1024 for bounded "
               "scenes, else 2048",
               0,
               1 << 20)
      .Integer("log2_table",
               &ngp->log2_table,
               "entries of a level, as a power of two; 0: by the length of "
               "the run and the scene",
               0,
               24)
      .Integer("hidden", &ngp->hidden, "width of the hidden layers", 8, 512)
      .Integer("geometry", &ngp->geometry, "outputs of the density net", 1, 128)
      .Integer("batch_samples",
               &ngp->batch_samples,
               "trained samples that a step aims at",
               64,
               1 << 24)
      .Integer("max_rays", &ngp->max_rays, "most rays of a step", 1, 1 << 22)
      .Number("min_weight",
              &ngp->min_weight,
              "without roulette, samples that weigh less are left out",
              0,
              1)
      .Number("roulette",
              &ngp->roulette,
              "in training, samples that weigh less are kept by chance; 0: "
              "by min_weight",
              0,
              1)
      .Number("stop_transmittance",
              &ngp->stop_transmittance,
              "in training, a ray ends below this transmittance; 0: by scene",
              0,
              1)
      .Number("learning_rate", &ngp->learning_rate, "of Adam", 0, 10)
      .Number("constant_part",
              &ngp->constant_part,
              "part of the steps before the rate falls",
              0,
              1)
      .Number("final_rate",
              &ngp->final_rate,
              "rate at the last step, against learning_rate",
              0,
              1)
      .Number("beta1", &ngp->beta1, "of Adam, for the nets", 0, 1)
      .Number("beta2", &ngp->beta2, "of Adam, for the nets", 0, 0.9999)
      .Number("table_beta2",
              &ngp->table_beta2,
              "of Adam, for the table, which has no beta1",
              0,
              0.9999)
      .Number("epsilon", &ngp->epsilon, "of Adam", 0, 1)
      .Number("weight_decay",
              &ngp->weight_decay,
              "L2 on the matrices of the nets",
              0,
              1)
      .Choice("loss",
              &ngp->loss,
              {"mse", "huber"},
              "of the difference to the photo")
      .Number("distortion",
              &ngp->distortion,
              "factor of the distortion loss, which pulls samples of a ray "
              "together",
              0,
              10)
      .Number("free_space",
              &ngp->free_space,
              "factor of what is seen where lines of sight to sparse points "
              "are; 0: not looked for",
              0,
              10)
      .Flag("random_background",
            &ngp->random_background,
            "a new colour behind every ray of a step")
      .Flag("fused",
            &ngp->fused,
            "on the CPU: the fast kernels; no: the same in plain LibTorch")
      .Flag("bfloat16",
            &ngp->bfloat16,
            "shorter factors in the nets, where the processor multiplies them")
      .Integer("grid_resolution",
               &ngp->grid_resolution,
               "cells along a side of the occupancy grid",
               8,
               512)
      .Integer("grid_every",
               &ngp->grid_every,
               "steps between updates of the occupancy grid",
               1,
               kMany)
      .Integer("grid_warmup",
               &ngp->grid_warmup,
               "first steps, in which updates visit every cell",
               0,
               kMany)
      .Number("grid_decay", &ngp->grid_decay, "of all cells at an update", 0, 1)
      .Number("grid_threshold",
              &ngp->grid_threshold,
              "a cell is occupied above this optical thickness; 0: by scene",
              0,
              1e6)
      .Integer("grid_refine_every",
               &ngp->grid_refine_every,
               "bounded scenes: steps between looks at eighths of cells; 0: "
               "none",
               0,
               kMany)
      .Number("step",
              &ngp->step,
              "distance between samples against half the scene; 0: by scene",
              0,
              10)
      .Number("cone",
              &ngp->cone,
              "unbounded scenes: the step is at least distance times this",
              0,
              1)
      .Number("far",
              &ngp->far,
              "unbounded scenes: marching goes on to here at least",
              0,
              1e6);
  return group;
}

OptionGroup NerfGroup(nerf::NerfOptions* nerf) {
  OptionGroup group("nerf");
  group.Integer("N_rand", &nerf->N_rand, "rays of a step", 1, 1 << 22)
      .Integer("N_samples", &nerf->N_samples, "coarse samples per ray", 2, 4096)
      .Integer("N_importance",
               &nerf->N_importance,
               "more samples for the fine network; 0: no fine network",
               0,
               4096)
      .Integer("netdepth", &nerf->netdepth, "layers of the network", 1, 64)
      .Integer("netwidth", &nerf->netwidth, "channels per layer", 2, 4096)
      .Integer("netdepth_fine",
               &nerf->netdepth_fine,
               "layers of the fine network",
               1,
               64)
      .Integer("netwidth_fine",
               &nerf->netwidth_fine,
               "channels per layer of the fine network",
               2,
               4096)
      .Integer(
          "multires", &nerf->multires, "frequency bands of the position", 0, 32)
      .Integer("multires_views",
               &nerf->multires_views,
               "frequency bands of the view direction",
               0,
               32)
      .Integer(
          "i_embed", &nerf->i_embed, "0: frequency encoding, -1: none", -1, 0)
      .Flag("use_viewdirs",
            &nerf->use_viewdirs,
            "colour depends on the view direction")
      .Number("raw_noise_std",
              &nerf->raw_noise_std,
              "noise on the raw density in training",
              0,
              100)
      .Number("perturb",
              &nerf->perturb,
              "1: jittered samples, 0: at fixed places",
              0,
              1)
      .Number("lrate", &nerf->lrate, "learning rate of Adam", 0, 10)
      .Integer("lrate_decay",
               &nerf->lrate_decay,
               "thousands of steps for a decay by ten",
               1,
               kMany)
      .Flag("white_bkgd", &nerf->white_bkgd, "white behind the scene")
      .Flag("lindisp", &nerf->lindisp, "sample linearly in disparity")
      .Flag("no_ndc", &nerf->no_ndc, "never normalised device coordinates")
      .Flag("no_batching",
            &nerf->no_batching,
            "all rays of a step from one image")
      .Integer("precrop_iters",
               &nerf->precrop_iters,
               "first steps on the middle of the images only",
               0,
               kMany)
      .Number("precrop_frac",
              &nerf->precrop_frac,
              "part of each side that is the middle",
              0.01,
              1)
      .Integer("chunk",
               &nerf->chunk,
               "rays rendered at once",
               1,
               1 << 24,
               Effect::kNone)
      .Integer("netchunk",
               &nerf->netchunk,
               "points sent through a network at once",
               1,
               1 << 26,
               Effect::kNone)
      .Flag("integer_pixels",
            &nerf->integer_pixels,
            "pixel centres at integers, as nerf-pytorch has them");
  return group;
}

}  // namespace

std::vector<OptionGroup> TrainOptionGroups(TrainSettings* settings) {
  return {TrainGroup(settings),
          NgpGroup(&settings->options.ngp),
          NerfGroup(&settings->options.nerf)};
}

OptionGroup RenderOptionGroup(RenderSettings* settings) {
  OptionGroup group("render");
  group
      .Choice("path",
              &settings->path,
              {"auto", "orbit", "spiral", "interpolate"},
              "way of the camera; auto takes what suits the scene")
      .Integer("frames", &settings->frames, "frames of the video", 1, 100'000)
      .Number("fps", &settings->fps, "frames per second", 1, 240)
      .Number("scale",
              &settings->scale,
              "size against the training images; 0: 1, or 2 for small ones",
              0,
              64)
      .Integer("width",
               &settings->width,
               "width of the frames in pixels; 0: by scale",
               0,
               16384)
      .Integer("height",
               &settings->height,
               "height of the frames in pixels; 0: by scale",
               0,
               16384)
      .Integer("crf",
               &settings->crf,
               "quality of the video, lower is better; 18 looks lossless",
               0,
               51);
  return group;
}

std::vector<std::string> RenderOutputs(const RenderSettings& settings) {
  const std::string name =
      "renders/" + (settings.path == "auto" ? "video" : settings.path);
  return {
      name + ".mp4", name + "_depth.mp4", name + ".png", name + "_depth.png"};
}

std::string ResultOptionsText(const std::vector<OptionGroup>& groups,
                              const std::string& method) {
  std::string text;
  for (const OptionGroup& group : groups) {
    if (!GroupMatters(group, method)) {
      continue;
    }
    for (const OptionField& field : group.fields()) {
      if (field.effect == Effect::kResult) {
        text += group.name() + "." + field.name + "=" + field.get() + "\n";
      }
    }
  }
  return text;
}

bool GroupMatters(const OptionGroup& group, const std::string& method) {
  for (const char* name : nerf::kMethodNames) {
    if (group.name() == name) {
      return name == method;
    }
  }
  return true;
}

}  // namespace nerfpipe
