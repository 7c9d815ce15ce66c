#include "stages/nerf/stage/settings.h"

#include "stages/nerf/option_lists.h"

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
              "ngp (hash grid, minutes), nerf (the paper's network, hours) or "
              "splat "
              "(gaussians, minutes)")
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

}  // namespace

std::vector<OptionGroup> TrainOptionGroups(TrainSettings* settings) {
  std::vector<OptionGroup> groups = {TrainGroup(settings)};
  nerf::ForEachMethodGroup(settings->options,
                           [&](const std::string& name, const auto& list) {
                             list(groups.emplace_back(name));
                           });
  return groups;
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
