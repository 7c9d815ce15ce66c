#include "stages/colmap/refinement/lens_choice.h"

#include "pipeline/base/median.h"
#include "stages/colmap/mapping/bundle_adjustment.h"
#include "stages/colmap/mapping/lens.h"
#include "stages/colmap/mapping/reconstruction_copy.h"
#include "stages/colmap/refinement/undistortion.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <colmap/scene/camera.h>
#include <colmap/sfm/observation_manager.h>
#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

struct Step {
  const char* name;
  int model_id;
  bool square_pixels;
  double worth;  // of the price: another kind of lens wants better reasons
};

constexpr Step kSteps[] = {{"a second radial term", kRadial, true, 1},
                           {"a fisheye's projection", kRadialFisheye, true, 4},
                           {"decentring", kOpenCv, true, 1},
                           {"pixels that are not square", kOpenCv, false, 1}};

constexpr double kMostAspect = 0.05;  // from 1

// Most of what parameters gain they gain at once: they are followed to the end
// only where they may come to be worth their price.
constexpr int kFirstSteps = 6;
constexpr double kPromising = 0.25;  // of the price

// Parameters that the step adds; 0 where it leads nowhere from this model.
int Added(const Step& step, int model_id) {
  if (model_id == kRadialFisheye) return 0;
  // Another kind of lens, which has to pay as if it had one more.
  if (step.model_id == kRadialFisheye) return model_id <= kRadial ? 1 : 0;
  constexpr int kFree[] = {1, 1, 2, 3, 5};  // with square pixels
  return kFree[step.model_id] - kFree[model_id] + (step.square_pixels ? 0 : 1);
}

// The same lens as a richer model.
void Enrich(int model_id, colmap::Camera* camera) {
  const double fx = camera->FocalLengthX();
  const double fy = camera->FocalLengthY();
  const double cx = camera->PrincipalPointX();
  const double cy = camera->PrincipalPointY();
  std::vector<double> terms;  // k1, k2
  const int old_id = static_cast<int>(camera->model_id);
  if (old_id == kSimpleRadial || old_id == kRadial) {
    terms.assign(camera->params.begin() + 3, camera->params.end());
  } else if (old_id == kOpenCv) {
    terms.assign(camera->params.begin() + 4, camera->params.end());
  }
  terms.resize(4);
  camera->model_id = static_cast<colmap::CameraModelId>(model_id);
  if (model_id == kRadialFisheye) {
    // An angle is its tangent less a third of the tangent's cube, and so on.
    camera->params = {(fx + fy) / 2, cx, cy, terms[0] + 1.0 / 3, 0};
  } else if (model_id == kRadial) {
    camera->params = {(fx + fy) / 2, cx, cy, terms[0], terms[1]};
  } else {
    camera->params = {fx, fy, cx, cy, terms[0], terms[1], terms[2], terms[3]};
  }
}

std::vector<colmap::camera_t> CamerasOfMany(
    const colmap::Reconstruction& model) {
  constexpr int kMany = 8;
  std::map<colmap::camera_t, int> images;
  for (const colmap::image_t id : model.RegImageIds()) {
    ++images[model.Image(id).CameraId()];
  }
  std::vector<colmap::camera_t> cameras;
  for (const auto& [id, count] : images) {
    if (count >= kMany) cameras.push_back(id);
  }
  return cameras;
}

struct Errors {
  double variance = 0;  // of one coordinate, strays aside, in squared pixels
  int64_t observations = 0;
};

struct SquaredError {
  colmap::image_t image = 0;
  double square = 0;  // of both coordinates
};

std::vector<SquaredError> SquaredErrorsOf(const colmap::Reconstruction& model) {
  std::vector<SquaredError> errors;
  for (const auto& [id, point] : model.Points3D()) {
    for (const colmap::TrackElement& seen : point.track.Elements()) {
      const colmap::Image& image = model.Image(seen.image_id);
      const Eigen::Vector3d p = image.CamFromWorld() * point.xyz;
      errors.push_back(
          {seen.image_id,
           (model.Camera(image.CameraId()).ImgFromCam(p.hnormalized()) -
            image.Point2D(seen.point2D_idx).xy)
               .squaredNorm()});
    }
  }
  return errors;
}

Errors ErrorsOf(const colmap::Reconstruction& model) {
  // Of a normal distribution of two coordinates.
  const double kMedianOfSquares = 2 * std::log(2.0);
  std::vector<double> squares;
  for (const SquaredError& error : SquaredErrorsOf(model)) {
    squares.push_back(error.square);
  }
  if (squares.empty()) return {};
  const auto count = static_cast<int64_t>(squares.size());
  return {UpperMedian(std::move(squares)) / kMedianOfSquares, count};
}

// The part of each image in the cost with a loss of one pixel.
std::map<colmap::image_t, double> CostsByImage(
    const colmap::Reconstruction& model) {
  std::map<colmap::image_t, double> costs;
  for (const SquaredError& error : SquaredErrorsOf(model)) {
    costs[error.image] += std::log1p(error.square) / 2;
  }
  return costs;
}

double LargestGain(const std::map<colmap::image_t, double>& before,
                   const std::map<colmap::image_t, double>& after) {
  double largest = 0;
  for (const auto& [id, cost] : before) {
    largest = std::max(largest, cost - after.at(id));
  }
  return largest;
}

// What the cost has to fall by, over the variance, for so many parameters more.
double PriceOf(int more, const Errors& errors) {
  // Neighbouring observations err alike: they tell less than their number.
  constexpr double kMargin = 30;
  return kMargin * more * std::log(static_cast<double>(errors.observations)) /
         2;
}

void GiveEachImageItsCamera(colmap::Reconstruction* model) {
  colmap::camera_t next = 1;
  for (const auto& [id, camera] : model->Cameras()) {
    next = std::max(next, id + 1);
  }
  for (const colmap::image_t id : model->RegImageIds()) {
    colmap::Camera own = model->Camera(model->Image(id).CameraId());
    own.camera_id = next++;
    model->AddCamera(own);
    model->Image(id).SetCameraId(own.camera_id);
  }
}

}  // namespace

std::string WhatIsAbsurd(const ColmapCamera& camera) {
  const bool two_focals = HasTwoFocals(camera.model_id);
  const double fx = camera.params[0];
  const double fy = two_focals ? camera.params[1] : fx;
  if (!(fx > 0) || !(fy > 0)) return "a focal length that is not positive";
  if (std::abs(fy / fx - 1) > kMostAspect) {
    return fmt::format("pixels {:.2f} times as high as wide", fx / fy);
  }
  // From a view of 160 degrees across the diagonal to one of 3.
  constexpr double kShortest = 0.088;
  constexpr double kLongest = 19;
  const double focal = fx / std::hypot(static_cast<double>(camera.width),
                                       static_cast<double>(camera.height));
  if (focal < kShortest || focal > kLongest) {
    return fmt::format("a focal length of {:.2f} diagonals", focal);
  }
  if (!PlanPinhole(camera)) {
    return "a distortion that leaves no rectangle to cut out";
  }
  return "";
}

std::string WhatIsAbsurd(const ColmapModel& model) {
  for (const auto& [id, camera] : model.cameras) {
    std::string absurd = WhatIsAbsurd(camera);
    if (!absurd.empty()) return absurd;
  }
  return "";
}

bool ChooseLens(const AdjustmentOptions& options,
                Report* report,
                colmap::Reconstruction* model) {
  constexpr double kAspectHeld = 0.01;
  AdjustmentOptions as_it_is = options;
  as_it_is.square_pixels = HasSquarePixels(*model);
  double cost = AdjustBundle(as_it_is, model).cost_after;
  const std::vector<colmap::camera_t> cameras = CamerasOfMany(*model);
  bool changed = false;
  for (const Step& step : kSteps) {
    colmap::Reconstruction richer = *model;
    int more = 0;
    for (const colmap::camera_t id : cameras) {
      colmap::Camera& camera = richer.Camera(id);
      const auto had = static_cast<int>(camera.model_id);
      const int added = Added(step, had);
      more += added;
      if (added > 0) Enrich(step.model_id, &camera);
    }
    if (more <= 0) continue;
    AdjustmentOptions with_step = options;
    with_step.square_pixels = step.square_pixels;
    AdjustmentOptions first_steps = with_step;
    first_steps.max_steps = std::min(kFirstSteps, with_step.max_steps);
    AdjustmentResult adjusted = AdjustBundle(first_steps, &richer);
    Errors errors = ErrorsOf(richer);
    const double price = step.worth * PriceOf(more, errors);
    const auto gain_of = [&] {
      return (cost - adjusted.cost_after) / errors.variance;
    };
    if (gain_of() > kPromising * price) {
      adjusted = AdjustBundle(with_step, &richer);
      errors = ErrorsOf(richer);
    }
    const double gain = gain_of();
    bool sound = true;
    for (const colmap::camera_t id : cameras) {
      sound = sound && WhatIsAbsurd(FromColmap(richer.Camera(id))).empty();
    }
    const double aspect =
        3 * std::sqrt(errors.variance) * adjusted.aspect_deviation;
    const bool held = step.square_pixels || aspect < kAspectHeld;
    const bool kept = gain > price && sound && held;
    report->Detail(fmt::format(
        "lens with {}: gain {:.0f} for {:.0f}{}{}: {}",
        step.name,
        gain,
        price,
        sound ? "" : ", absurd",
        held ? "" : fmt::format(", held within {:.2f} % only", 100 * aspect),
        kept ? "kept" : "left"));
    if (!kept) continue;
    *model = std::move(richer);
    cost = adjusted.cost_after;
    changed = true;
  }
  return changed;
}

bool ChooseLensOf(int threads, Report* report, ColmapModel* model) {
  const std::shared_ptr<colmap::Reconstruction> whole = ToColmap(*model);
  colmap::ObservationManager(*whole).FilterObservationsWithNegativeDepth();
  AdjustmentOptions options;
  options.loss_scale = 1;
  options.max_steps = 20;
  options.least_gain = 1e-4;
  options.threads = threads;
  if (!ChooseLens(options, report, whole.get())) return false;
  *model = FromColmap(*whole);
  return true;
}

FocalLengths SurveyFocalLengths(int threads,
                                Report* report,
                                const ColmapModel& model) {
  constexpr size_t kFewest = 8;
  constexpr double kAlike = 1.1;
  const std::shared_ptr<colmap::Reconstruction> whole = ToColmap(model);
  if (whole->NumRegImages() < kFewest) return {};
  colmap::ObservationManager(*whole).FilterObservationsWithNegativeDepth();
  AdjustmentOptions options;
  options.loss_scale = 1;
  options.max_steps = 30;
  options.least_gain = 1e-4;
  options.square_pixels = HasSquarePixels(*whole);
  options.threads = threads;
  const double shared = AdjustBundle(options, whole.get()).cost_after;
  const std::map<colmap::image_t, double> shared_costs = CostsByImage(*whole);
  const size_t lenses = whole->NumCameras();
  GiveEachImageItsCamera(whole.get());
  AdjustmentOptions first_steps = options;
  first_steps.max_steps = kFirstSteps;
  double own = AdjustBundle(first_steps, whole.get()).cost_after;
  std::map<colmap::image_t, double> own_costs = CostsByImage(*whole);
  Errors errors = ErrorsOf(*whole);
  const int more = static_cast<int>(whole->NumRegImages() - lenses);
  if (shared - own > kPromising * PriceOf(more, errors) * errors.variance ||
      LargestGain(shared_costs, own_costs) >
          kPromising * PriceOf(1, errors) * errors.variance) {
    own = AdjustBundle(options, whole.get()).cost_after;
    own_costs = CostsByImage(*whole);
    errors = ErrorsOf(*whole);
  }
  const double gain = (shared - own) / errors.variance;
  const double price = PriceOf(more, errors);
  // Against the lens that they share with others.
  std::map<uint32_t, double> ratios;
  std::vector<double> sorted;
  for (const auto& [id, image] : model.images) {
    ratios[id] = whole->Camera(whole->Image(id).CameraId()).MeanFocalLength() /
                 model.cameras.at(image.camera_id).params[0];
    sorted.push_back(ratios[id]);
  }
  std::sort(sorted.begin(), sorted.end());
  const double median = sorted[sorted.size() / 2];
  const size_t outer = sorted.size() / 20;
  const double range = sorted[sorted.size() - 1 - outer] / sorted[outer];
  report->Detail(
      fmt::format("a focal length for each image: gain {:.0f} for {:.0f}, they "
                  "differ by {:.1f} %",
                  gain,
                  price,
                  100 * (range - 1)));
  FocalLengths result;
  if (gain > price) {
    result.range = range;
    for (const auto& [id, ratio] : ratios) result.apart.push_back(id);
    return result;
  }
  const double price_of_one = PriceOf(1, errors);
  for (const auto& [id, ratio] : ratios) {
    const double from_median = std::max(ratio / median, median / ratio);
    if (from_median <= kAlike || !shared_costs.contains(id)) continue;
    const double saved =
        (shared_costs.at(id) - own_costs.at(id)) / errors.variance;
    report->Detail(fmt::format(
        "image {}: a focal length {:.2f} times the others', gain {:.0f} for "
        "{:.0f}",
        id,
        ratio / median,
        saved,
        price_of_one));
    if (saved <= price_of_one) continue;
    result.range = std::max(result.range, from_median);
    result.apart.push_back(id);
  }
  return result;
}

}  // namespace nerfpipe::sfm
