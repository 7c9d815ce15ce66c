#pragma once

// Stages set to train a few steps on the tiny scene, for the tests of this
// folder.

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/engine/stage.h"
#include "stages/nerf/jobs/linked_trainer.h"
#include "stages/nerf/stage/render_stage.h"
#include "stages/nerf/stage/train_stage.h"
#include "stages/nerf/trainer.h"
#include "tests/stages/nerf/known_fields.h"

#include <filesystem>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace nerfpipe {

// Sets "group.option" of a stage.
inline void Set(Stage& stage,
                const std::string& name,
                const std::string& value) {
  const std::string group_name = name.substr(0, name.find('.'));
  for (const OptionGroup& group : stage.Options()) {
    if (group.name() == group_name) {
      const OptionField* field = group.Find(name.substr(group_name.size() + 1));
      if (field != nullptr && !field->set(value)) {
        return;
      }
    }
  }
  throw std::runtime_error("cannot set " + name);
}

inline std::unique_ptr<TrainStage> TinyTrainStage(const std::string& method) {
  std::unique_ptr<TrainStage> stage = MakeTrainStage(LinkedTrainerLibrary);
  const std::vector<std::pair<std::string, std::string>> options = {
      {"train.method", method},     {"train.steps", "40"},
      {"train.factor", "1"},        {"train.report_every", "10"},
      {"ngp.log2_table", "10"},     {"ngp.levels", "4"},
      {"ngp.hidden", "16"},         {"ngp.batch_samples", "512"},
      {"ngp.max_rays", "64"},       {"ngp.grid_resolution", "16"},
      {"ngp.grid_every", "8"},      {"ngp.step", "0.05"},
      {"ngp.cone", "0.05"},         {"nerf.N_rand", "16"},
      {"nerf.N_samples", "8"},      {"nerf.N_importance", "8"},
      {"nerf.netdepth", "2"},       {"nerf.netwidth", "16"},
      {"nerf.netdepth_fine", "2"},  {"nerf.netwidth_fine", "16"},
      {"nerf.raw_noise_std", "1.0"}};
  for (const auto& [name, value] : options) {
    Set(*stage, name, value);
  }
  return stage;
}

// Spoils a checkpoint of `nerf`: from the next step on its loss is not a
// number.
inline void Spoil(const std::filesystem::path& checkpoint) {
  const auto trainer = nerf::Trainer::FromCheckpoint(checkpoint, 1);
  nerf::Parameter(trainer->method(), "coarse.colour.bias")
      .fill_(std::numeric_limits<double>::quiet_NaN());
  trainer->Save(checkpoint);
}

// Asks for an end, as Ctrl-C does, once `after` units of work are done.
class Interrupter : public Report {
 public:
  explicit Interrupter(std::string what, int64_t after)
      : what_(std::move(what)), after_(after) {}

  void Info(std::string_view line) override { lines.emplace_back(line); }
  void Warn(std::string_view line) override { lines.emplace_back(line); }
  void Detail(std::string_view) override {}
  void Show(const Table&) override {}
  std::unique_ptr<Progress> Start(std::string_view what,
                                  int64_t,
                                  std::string_view) override {
    const bool counts = what.substr(0, what_.size()) == what_;
    return std::make_unique<Counter>(counts ? after_ : int64_t{1} << 60);
  }

  std::vector<std::string> lines;

 private:
  class Counter : public Progress {
   public:
    explicit Counter(int64_t after) : after_(after) {}
    void Update(int64_t done, std::string_view) override {
      if (done >= after_) {
        RequestInterrupt(true);
      }
    }

   private:
    int64_t after_;
  };

  std::string what_;
  int64_t after_;
};

}  // namespace nerfpipe
