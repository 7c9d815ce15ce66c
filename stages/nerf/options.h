#pragma once

// What a user can set about training: plain structs, defaults at the field.
// Names of the `nerf` group are nerf-pytorch's, so that its files read across.

#include <cstdint>
#include <string>

namespace nerfpipe::nerf {

// The methods, each with a group of options of its own name. What else there
// is to a method stands in methods.h.
inline constexpr const char* kMethodNames[] = {"ngp", "nerf", "splat"};

// Group `train`: what all methods share.
struct TrainOptions {
  // One of kMethodNames.
  std::string method = "ngp";
  // Optimiser steps of the whole run; 0 takes the method's own default. The
  // learning-rate schedule of `ngp` ends at this step.
  int steps = 0;
  // Seconds of training after which the run ends, whatever the steps; schedules
  // follow what comes first. 0: steps alone count.
  double time = 0;
  // `time` counts as steps, at the pace of the method on two cores, so that the
  // clock has no say in the result. A GPU takes LibTorch's repeatable
  // operations where there are such, and is not held to more.
  bool deterministic = false;
  // Start of every random sequence.
  int seed = 1;
  // Threads of LibTorch and of our loops; 0: one per core. The fused kernels
  // come to the same result with any number.
  int threads = 0;
  // Steps between checkpoints; 0: none but the last.
  int checkpoint_every = 0;
  // Seconds between checkpoints when checkpoint_every is 0; 0: none.
  double checkpoint_seconds = 30;
  // Steps between progress reports and metrics.
  int report_every = 100;
};

// Group `ngp`: hash grid, two small nets, occupancy grid (Mueller et al. 2022,
// instant-ngp's configs/nerf/base.json where nothing else is said).
struct NgpOptions {
  int levels = 8;             // resolutions of the hash grid
  int features = 4;           // numbers per entry: 1, 2, 4 or 8
  int base_resolution = 16;   // of the coarsest level
  int finest_resolution = 0;  // of the finest; 0: by the size of a pixel
  // Entries of one level, as a power of two. 0: by the length of the run and
  // the images; a small table learns faster and a large one gets further.
  int log2_table = 0;
  int hidden = 64;    // width of the hidden layers of both nets
  int geometry = 16;  // outputs of the density net, density first

  int batch_samples = 8192;  // trained samples that a step aims at
  int max_rays = 8192;       // most rays of a step
  // In training, by Russian roulette: samples below this weight are kept by
  // chance and weigh this then. It falls with the learning rate. 0: by
  // min_weight.
  double roulette = 0.02;
  double min_weight = 5e-4;  // without roulette, samples below it are left out
  // A ray ends below this in training: what lies behind need not learn.
  // 0: 0.02 bounded, 0.01 unbounded.
  double stop_transmittance = 0;

  double learning_rate = 1e-2;
  double constant_part = 0.85;  // of the steps, before the rate falls
  double final_rate = 0.1;      // of learning_rate, at the last step
  double beta1 = 0.9;           // of the nets
  double beta2 = 0.99;
  double table_beta2 = 0.95;  // of the table, which has no beta1
  double epsilon = 1e-15;
  double weight_decay = 0;  // L2 on the nets' matrices only

  std::string loss = "mse";  // or "huber" (delta 0.1)
  // Factor of the distortion loss, which pulls the samples of a ray together.
  double distortion = 0.01;
  // Factor of the weight in cells that lines of sight to sparse points pass
  // through; with 0 those are not looked at.
  double free_space = 0.003;
  bool random_background = true;  // a new colour behind every ray of a step
  // By the fused kernels where they can, on the CPU and in their sizes, and a
  // line says so where they cannot; false: in plain LibTorch, on any device.
  bool fused = true;
  // Factors of the nets' products in bfloat16, where fused kernels run on a
  // processor that has instructions for it; sums stay float.
  bool bfloat16 = true;

  int grid_resolution = 128;  // cells along a side of the occupancy grid
  int grid_every = 32;        // steps between updates of it
  int grid_warmup = 256;      // steps in which every cell is visited
  double grid_decay = 0.98;   // of all cells at an update
  // Optical thickness of a step: occupied above. 0: 0.005 bounded, 0.01
  // unbounded.
  double grid_threshold = 0;
  // In a box the fused kernels march through eighths of cells, which are looked
  // for every so many steps; 0: never.
  int grid_refine_every = 1024;
  // Distance between samples in frame units; 0: the box's diagonal / 512
  // bounded, 1/256 unbounded.
  double step = 0;
  // Unbounded scenes: the step grows to distance times this. 0: by the size of
  // a pixel.
  double cone = 0;
  // Unbounded scenes: marching ends here at the least, in frame units.
  double far = 64;
};

// Group `nerf`: coarse and fine network of Mildenhall et al. 2020, with
// nerf-pytorch's names and defaults (run_nerf.py, config_parser).
struct NerfOptions {
  int N_rand = 1024;      // rays of a step
  int N_samples = 64;     // coarse samples per ray
  int N_importance = 64;  // more samples for the fine network; 0: no such
  int netdepth = 8;       // layers; input joins again after the fifth
  int netwidth = 256;     // channels per layer
  int netdepth_fine = 8;  // the same of the fine network
  int netwidth_fine = 256;
  int multires = 10;       // frequency bands of the position
  int multires_views = 4;  // frequency bands of the view direction
  int i_embed = 0;         // 0: frequency encoding; -1: none
  bool use_viewdirs = true;
  double raw_noise_std = 0;  // noise on the raw density in training
  double perturb = 1;        // 0: samples at fixed places, 1: jittered
  double lrate = 5e-4;
  int lrate_decay = 250;      // thousands of steps for a decay by ten
  bool white_bkgd = false;    // opaque images: white behind the scene. Images
                              // with alpha always get the data set's colour
  bool lindisp = false;       // sample in disparity (also when the frame says)
  bool no_ndc = false;        // never normalised device coordinates
  bool no_batching = false;   // all rays of a step from one random image
  int precrop_iters = 0;      // first steps on the middle of the images only
  double precrop_frac = 0.5;  // how much of each side that is
  int chunk = 32768;          // rays rendered at once
  int netchunk = 65536;       // points sent through a network at once
  bool integer_pixels = false;  // parity: pixel centres at integers
};

// Group `splat`: gaussians (Kerbl et al. 2023). Learning rates are those of
// Adam; all but that of the means fall to a third in the second half.
struct SplatOptions {
  int count = 0;              // at the end; 0: by pixels and length of the run
  int first_count = 0;        // at the beginning, at the most; 0: by count
  int degree = 2;             // of the spherical harmonics
  int crop = 0;               // pixels that a step looks at; 0: by the images
  double half_until = 0.3;    // of the run, on images of half the size
  double dssim = 0.3;         // part of 1 - SSIM in the loss
  double mean_rate = 4.8e-4;  // against the reach of the cameras
  double final_mean_rate = 0.01;  // of mean_rate, at the last step
  double scale_rate = 4e-2;
  double rotation_rate = 8e-3;
  double opacity_rate = 5e-2;
  double colour_rate = 5e-3;
  double harmonics_rate = 6e-4;
  double noise = 1;  // steps of faint gaussians at random
};

struct Options {
  TrainOptions train;
  NgpOptions ngp;
  NerfOptions nerf;
  SplatOptions splat;
};

}  // namespace nerfpipe::nerf
