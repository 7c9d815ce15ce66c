#include "stages/nerf/stage/settings.h"

#include "stages/nerf/method_facts.h"
#include "stages/nerf/option_lists.h"

#include <iterator>

namespace nerfpipe {
namespace {

constexpr int kMany = 100'000'000;
constexpr char kNerfGroup[] = "nerf";

void ListShared(OptionGroup& group, TrainSettings* settings) {
  nerf::TrainOptions* train = &settings->options.train;
  group
      .Flag("deterministic",
            &train->deterministic,
            "on the CPU, the same result at every run with the same threads: "
            "time counts as steps")
      .Integer("llffhold",
               &settings->llffhold,
               "every llffhold-th image is held out for testing; 0: none",
               0,
               kMany)
      .Choice("scene",
              &settings->scene,
              {"auto", "forward-facing", "orbit", "inward", "walk"},
              "kind of scene; auto finds it from the cameras")
      .Integer(
          "seed", &train->seed, "start of every random sequence", 0, kMany);
}

void ListSplatRun(OptionGroup& group, SplatRunSettings* run) {
  group
      .Flag("enabled",
            &run->enabled,
            "run: train gaussians as well, and show them",
            Effect::kNone)
      .Integer("steps",
               &run->steps,
               "optimiser steps where train.steps does not say it; 0: by time",
               0,
               kMany)
      .Number("time",
              &run->time,
              "seconds of training where train.time does not say it; 0: as "
              "many steps as two cores take in 120",
              0,
              1e8)
      .Integer(
          "factor", &run->factor, "as train.factor, where that is 0", 0, 64);
}

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
              "splat (gaussians, minutes)")
      .Integer("steps", &train->steps, "optimiser steps; 0: by time", 0, kMany)
      .Number("time",
              &train->time,
              "seconds of training after which the run ends, and which the "
              "schedule follows; 0: by steps alone, as many as two cores take "
              "in 60 where those are 0 too",
              0,
              1e8)
      .Integer("factor",
               &settings->factor,
               "images are used at 1/factor of their size; 0: by the length of "
               "the run, but 1 for nerf_synthetic data",
               0,
               64);
  ListShared(group, settings);
  group
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

TrainSettings RunSettings(const TrainSettings& settings) {
  TrainSettings run = settings;
  nerf::TrainOptions& train = run.options.train;
  if (!nerf::FactsOf(train.method).is_nerf) {
    if (train.time == 0 && train.steps == 0) {
      train.time = run.splat.time;
      train.steps = run.splat.steps;
    }
    if (run.factor == 0) run.factor = run.splat.factor;
  }
  return run;
}

TrainSettings SplatStageSettings(const TrainSettings& settings) {
  TrainSettings run = settings;
  run.options.train.method = kSplatGroup;
  run.options.train.time = 0;
  run.options.train.steps = 0;
  run.factor = 0;
  return RunSettings(run);
}

std::vector<OptionGroup> TrainOptionGroups(TrainSettings* settings) {
  std::vector<OptionGroup> groups = {TrainGroup(settings)};
  nerf::ForEachMethodGroup(settings->options,
                           [&](const std::string& name, const auto& list) {
                             list(groups.emplace_back(name));
                           });
  for (OptionGroup& group : groups) {
    if (group.name() == kNerfGroup) {
      group.Flag("enabled",
                 &settings->nerf_enabled,
                 "run: train a NeRF, of any method",
                 Effect::kNone);
    }
    if (group.name() == kSplatGroup) ListSplatRun(group, &settings->splat);
  }
  return groups;
}

OptionGroup SharedTrainOptions(TrainSettings* settings) {
  OptionGroup group("train");
  ListShared(group, settings);
  return group;
}

OptionGroup RenderOptionGroup(RenderSettings* settings) {
  OptionGroup group("render");
  std::vector<std::string> methods = {"auto"};
  methods.insert(methods.end(),
                 std::begin(nerf::kMethodNames),
                 std::end(nerf::kMethodNames));
  group
      .Choice("method",
              &settings->method,
              methods,
              "which trained scene is shown; auto: the one with the better "
              "held-out views")
      .Choice("path",
              &settings->path,
              {"auto", "orbit", "spiral", "interpolate"},
              "way of the camera; auto takes what suits the scene")
      .Integer("frames", &settings->frames, "frames of the video", 1, 100'000)
      .Number("fps", &settings->fps, "frames per second", 1, 240)
      .Number("scale",
              &settings->scale,
              "size against the training images; 0: the size of the capture, "
              "up to 1920 pixels, or for nerf that of the training images",
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

OptionGroup ExportOptionGroup(ExportSettings* settings) {
  OptionGroup group("export");
  group.Flag("enabled",
             &settings->enabled,
             "run: write the gaussians as exports/scene.ply and .spz",
             Effect::kNone);
  return group;
}

std::vector<std::string> RenderOutputs(const RenderSettings& settings) {
  return VideoFiles("renders/" +
                    (settings.path == "auto" ? "video" : settings.path));
}

std::vector<std::string> VideoFiles(const std::string& name) {
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
