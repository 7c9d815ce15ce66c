#include "stages/colmap/refinement/final_adjustment.h"

#include "pipeline/base/blas_threads.h"
#include "pipeline/base/median.h"
#include "stages/colmap/mapping/bundle_adjustment.h"
#include "stages/colmap/mapping/reconstruction_copy.h"
#include "stages/colmap/refinement/added_points.h"
#include "stages/colmap/refinement/halves.h"
#include "stages/colmap/refinement/lens_choice.h"
#include "stages/colmap/refinement/observation_alignment.h"

#include <iterator>
#include <map>
#include <memory>

#include <colmap/sfm/observation_manager.h>
#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

// The loss scale: half a pixel is what aligned observations are within.
constexpr TriangulationRules kRules{4, 1.5, 0.5};

// Adjusts all cameras and points together, the second time without the stray
// observations of the first.
void AdjustWhole(bool choose_lens,
                 int threads,
                 Report* report,
                 colmap::Reconstruction* model) {
  constexpr double kMaxErrors[] = {4, 3};  // pixels
  AdjustmentOptions options;
  options.loss_scale = kRules.loss_scale;
  options.max_steps = 100;
  // Where cameras hang together loosely they move far for little gain; where
  // they do not, gains go on that move nothing.
  options.least_gain = 1e-8;
  options.least_turn = 1e-6;
  options.threads = threads;
  const auto progress =
      report->Start("adjusting", std::size(kMaxErrors), "rounds");
  int64_t done = 0;
  colmap::ObservationManager(*model).FilterObservationsWithNegativeDepth();
  if (choose_lens) {
    ChooseLens(options, report, model);
    options.square_pixels = HasSquarePixels(*model);
  }
  for (const double max_error : kMaxErrors) {
    colmap::ObservationManager observations(*model);
    observations.FilterObservationsWithNegativeDepth();
    const AdjustmentResult result = AdjustBundle(options, model);
    report->Detail(fmt::format("adjusted in {} steps, cost {:.5g} to {:.5g}",
                               result.steps,
                               result.cost_before,
                               result.cost_after));
    observations.FilterAllPoints3D(max_error, kRules.min_angle);
    progress->Update(++done);
  }
}

// Near a solution, to see where it would move.
AdjustmentOptions QuickOptions(int threads,
                               const colmap::Reconstruction& model) {
  AdjustmentOptions options;
  options.loss_scale = kRules.loss_scale;
  options.max_steps = 15;
  options.least_gain = 1e-6;
  options.least_turn = 1e-5;
  options.square_pixels = HasSquarePixels(model);
  options.threads = threads;
  return options;
}

// A handful of observations fits a camera in a wrong place as well. Takes such
// images out of the model and of `deviations`: their names.
std::vector<std::string> LeaveOutWeak(
    std::map<colmap::image_t, double>* deviations,
    colmap::Reconstruction* model) {
  constexpr size_t kFewest = 30;
  // Less than a tenth of what the others have, when it is not much or moves.
  constexpr size_t kFew = 60;
  constexpr double kLoose = 0.05;
  std::vector<double> counts;
  for (const colmap::image_t id : model->RegImageIds()) {
    counts.push_back(static_cast<double>(model->Image(id).NumPoints3D()));
  }
  const auto usual = static_cast<size_t>(UpperMedian(std::move(counts)));
  std::vector<std::string> names;
  for (const colmap::image_t id : InOrder(*model)) {
    const size_t count = model->Image(id).NumPoints3D();
    const auto found = deviations->find(id);
    const bool loose = found != deviations->end() && found->second > kLoose;
    if (count >= kFewest &&
        (10 * count >= usual || (count >= kFew && !loose))) {
      continue;
    }
    names.push_back(model->Image(id).Name());
    colmap::ObservationManager(*model).DeRegisterImage(id);
    deviations->erase(id);
  }
  return names;
}

}  // namespace

void FinishModel(const std::filesystem::path& frames,
                 const std::vector<MatchedPair>& pairs,
                 const std::vector<Features>& features,
                 bool choose_lens,
                 const Workplace& place,
                 MappingResult* mapping) {
  UseOneBlasThread();  // the sparse solver calls it
  ColmapModel& chosen = mapping->models[mapping->chosen];
  std::map<uint32_t, const Features*> of_image;
  for (const auto& [id, image] : chosen.images) {
    of_image[id] = &features[id - 1];
  }
  const AlignmentCounts counts = AlignObservations(
      frames, of_image, place.search_threads, place.report, &chosen);
  place.report->Detail(fmt::format(
      "{} of {} observations aligned", counts.aligned, counts.observations));
  const std::shared_ptr<colmap::Reconstruction> model = ToColmap(chosen);
  AdjustWhole(choose_lens, place.threads, place.report, model.get());
  std::map<colmap::image_t, double> deviations =
      DeviationOfHalves(QuickOptions(place.threads, *model), *model);
  AddPoints(pairs, features, kRules, place.threads, model.get());
  RefinePoints(kRules.loss_scale, place.threads, model.get());
  colmap::ObservationManager(*model).FilterAllPoints3D(kRules.max_error,
                                                       kRules.min_angle);
  mapping->weak = LeaveOutWeak(&deviations, model.get());
  for (const auto& [id, deviation] : deviations) {
    mapping->deviations[model->Image(id).Name()] = deviation;
  }
  model->Normalize();
  model->UpdatePoint3DErrors();
  mapping->mean_error = model->ComputeMeanReprojectionError();
  chosen = FromColmap(*model);
  mapping->absurd_lens = WhatIsAbsurd(chosen);
}

}  // namespace nerfpipe::sfm
