#pragma once

// A few steps of the stage `train`, and all that they leave.

#include "stages/nerf/trainer.h"
#include "tests/pipeline/cli/options/option_table.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nerfpipe {

// The irregular scene as data sets.
enum class TestSet {
  kUnbounded,  // transforms.json
  kPoints,     // COLMAP, with sparse points
  kBox,        // nerf_synthetic, transparent behind the objects
};

struct RenderedAgain {
  torch::Tensor rgb;       // of the second training view
  int64_t operations = 0;  // of LibTorch, for that
};

struct TrainingRun {
  std::string folder;  // "train/ngp"
  bool enabled = true;
  std::vector<std::string> inputs;
  // Of the checkpoint: parameters, moments, occupancy grid and the like.
  std::map<std::string, torch::Tensor> state;
  std::vector<nlohmann::json> lines;  // of metrics.jsonl, one a report
  nlohmann::json scene;               // scene.json
  nlohmann::json facts;               // of the stage
  // Steps that were done when a checkpoint of the unfinished run was first
  // there; 0: not before the end.
  int64_t first_checkpoint = 0;
  std::unique_ptr<nerf::Trainer> trainer;  // from the checkpoint

  double Loss(size_t report) const { return lines.at(report).at("loss"); }
  double Psnr(size_t report) const { return lines.at(report).at("psnr"); }
  double Rate(size_t report) const {
    return lines.at(report).at("learning_rate");
  }
  // Of the step, with a report a step.
  int64_t Rays(size_t report) const { return Count("pixels", report); }
  int64_t Samples(size_t report) const { return Count("samples", report); }
  int64_t RaysWanted() const {
    return state.at("rays_per_step").item<int64_t>();
  }
  const torch::Tensor& Table() const { return state.at("table"); }
  RenderedAgain Render() const;

 private:
  int64_t Count(const std::string& what, size_t report) const;
};

// Tensors whose names begin with one of the words are equal, bit by bit, and
// there are such.
bool Equal(const TrainingRun& a,
           const TrainingRun& b,
           const std::vector<std::string>& words);

// Trains on one thread; runs with the same arguments are made once.
const TrainingRun& TrainWith(TestSet set, const std::vector<Setting>& settings);

}  // namespace nerfpipe
