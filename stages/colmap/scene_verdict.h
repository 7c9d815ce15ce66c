#pragma once

// The word on cameras that were found: can they be trusted?

#include "pipeline/base/report.h"
#include "pipeline/engine/stage.h"
#include "stages/colmap/mapping/mapping.h"
#include "stages/colmap/matching/camera_prior.h"
#include "stages/colmap/model_checks.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe::sfm {

enum class SceneGrade { kGood, kFair, kBad };

// "good", "fair", "bad": the words of the report card.
const char* NameOf(SceneGrade grade);

struct SceneVerdict {
  SceneGrade grade = SceneGrade::kGood;
  // What speaks against the cameras, and what to look at; empty when good.
  std::vector<std::string> reasons;
};

// `names` are those that the places in `checks` number, `lenses` the kept
// frames', `video` whether the names are in the order of one walk.
SceneVerdict JudgeScene(const ModelChecks& checks,
                        const MappingResult& mapping,
                        const std::vector<std::string>& names,
                        const std::vector<ImageLens>& lenses,
                        bool video);

// Into summary.json, the stage's line and `file`; what is not good is a
// warning.
void TellVerdict(const SceneVerdict& verdict,
                 const std::filesystem::path& file,
                 Report* report,
                 StageResult* result);

}  // namespace nerfpipe::sfm
