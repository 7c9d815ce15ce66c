#include "stages/colmap/scene_verdict.h"

#include "pipeline/base/median.h"
#include "pipeline/base/text.h"
#include "stages/common/verdict_file.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

class Judgement {
 public:
  void Add(SceneGrade grade, std::string reason) {
    verdict_.grade = std::max(verdict_.grade, grade);
    verdict_.reasons.push_back(std::move(reason));
  }
  SceneVerdict Finish() { return std::move(verdict_); }

 private:
  SceneVerdict verdict_;
};

// Images whose matches fit each other but not their cameras.
void JudgeContradictions(const ModelChecks& checks,
                         const std::vector<std::string>& names,
                         bool video,
                         Judgement* judgement) {
  if (checks.contradictions.empty()) return;
  const Contradiction& worst = *std::max_element(
      checks.contradictions.begin(),
      checks.contradictions.end(),
      [](const auto& a, const auto& b) { return a.matches < b.matches; });
  const std::string example = fmt::format(
      "for example {} and {}", names[worst.first], names[worst.second]);
  constexpr double kManyNeighbours = 0.02;
  if (video &&
      checks.contradicting_neighbours > kManyNeighbours * checks.neighbours) {
    judgement->Add(
        SceneGrade::kBad,
        fmt::format(
            "{} of {} pairs of frames that follow each other do not "
            "fit their cameras ({}): something in view repeats itself, "
            "and the walk was folded; film it in parts, or from farther "
            "away",
            checks.contradicting_neighbours,
            checks.neighbours,
            example));
    return;
  }
  constexpr double kMany = 0.1;
  if (checks.doubtful_images > kMany * checks.judged_images) {
    judgement->Add(
        SceneGrade::kFair,
        fmt::format("{} of {} images do not fit those that they share the most "
                    "with ({}): something in view repeats itself; look whether "
                    "all its sides are there",
                    checks.doubtful_images,
                    checks.judged_images,
                    example));
  }
}

void JudgeDeviations(const MappingResult& mapping, Judgement* judgement) {
  constexpr double kLoose = 0.02;
  constexpr double kBroken = 0.05;
  std::vector<double> deviations;
  std::string worst;
  int loose = 0;
  double most = 0;
  for (const auto& [name, deviation] : mapping.deviations) {
    deviations.push_back(deviation);
    loose += deviation > kLoose;
    if (deviation <= most) continue;
    most = deviation;
    worst = name;
  }
  if (deviations.empty()) return;
  const double median = UpperMedian(deviations);
  if (median > kBroken) {
    judgement->Add(
        SceneGrade::kBad,
        fmt::format("two halves of the points put the cameras {:.0f} "
                    "% of their radius apart; move the camera more "
                    "to the side, with more texture in view",
                    200 * median));
  } else if (loose > 0) {
    judgement->Add(
        SceneGrade::kFair,
        fmt::format("the cameras of {} are held to {:.1f} % of the radius only "
                    "({}); look at them, or leave them out",
                    Counted(loose, "image"),
                    100 * most,
                    worst));
  }
}

void JudgeLenses(const ModelChecks& checks,
                 const MappingResult& mapping,
                 const std::vector<std::string>& names,
                 const std::vector<ImageLens>& lenses,
                 Judgement* judgement) {
  constexpr double kUnexplained = 0.5;  // pixels
  constexpr double kZoom = 1.05;
  if (checks.lens_error > kUnexplained) {
    judgement->Add(
        SceneGrade::kFair,
        fmt::format("the lens is not described well: over parts of the picture "
                    "points are off by {:.1f} px in the mean; try --set "
                    "colmap.camera_model=OPENCV",
                    checks.lens_error));
  }
  if (mapping.focal_range > kZoom) {
    judgement->Add(
        SceneGrade::kFair,
        fmt::format(
            "the focal length seems to change by {:.0f} % over the "
            "images: a zoom, or several lenses; capture without zooming",
            100 * (mapping.focal_range - 1)));
  }
  constexpr double kUnlike = 1.2;
  const ColmapModel& model = mapping.models[mapping.chosen];
  for (const auto& [id, image] : model.images) {
    const size_t place = id - 1;
    if (lenses.size() != names.size() || lenses[place].focal == 0) continue;
    const ColmapCamera& camera = model.cameras.at(image.camera_id);
    const double told = lenses[place].focal *
                        std::hypot(lenses[place].width, lenses[place].height);
    const double ratio = camera.params[0] / told;
    if (std::max(ratio, 1 / ratio) < kUnlike) continue;
    judgement->Add(
        SceneGrade::kFair,
        fmt::format("the focal length came out at {:.0f} px, where EXIF tells "
                    "{:.0f} px ({}): a picture that was cropped, or a wrong "
                    "solution",
                    camera.params[0],
                    told,
                    names[place]));
    return;
  }
}

}  // namespace

const char* NameOf(SceneGrade grade) {
  constexpr const char* kNames[] = {"good", "fair", "bad"};
  return kNames[static_cast<int>(grade)];
}

SceneVerdict JudgeScene(const ModelChecks& checks,
                        const MappingResult& mapping,
                        const std::vector<std::string>& names,
                        const std::vector<ImageLens>& lenses,
                        bool video) {
  Judgement judgement;
  if (!mapping.absurd_lens.empty()) {
    judgement.Add(SceneGrade::kBad,
                  "the lens came out with " + mapping.absurd_lens +
                      "; capture with more turns and from more sides");
  }
  JudgeContradictions(checks, names, video, &judgement);
  JudgeDeviations(mapping, &judgement);
  JudgeLenses(checks, mapping, names, lenses, &judgement);
  constexpr double kNarrow = 0.08;
  if (checks.spread < kNarrow) {
    judgement.Add(SceneGrade::kFair,
                  fmt::format("the cameras rest on {:.0f} % of the picture "
                              "only; textured things around the subject help",
                              100 * checks.spread));
  }
  return judgement.Finish();
}

void TellVerdict(const SceneVerdict& verdict,
                 const std::filesystem::path& file,
                 Report* report,
                 StageResult* result) {
  nlohmann::ordered_json& facts = result->facts["reconstruction"];
  facts["verdict"] = NameOf(verdict.grade);
  facts["reasons"] = verdict.reasons;
  WriteVerdict({NameOf(verdict.grade), verdict.reasons}, file);
  for (const std::string& reason : verdict.reasons) report->Warn(reason);
  if (verdict.grade != SceneGrade::kGood) {
    result->line += fmt::format("; {}", NameOf(verdict.grade));
  }
}

}  // namespace nerfpipe::sfm
