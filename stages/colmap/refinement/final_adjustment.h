#pragma once

// The model that was found, made as exact as the pictures allow.

#include "stages/colmap/features/features.h"
#include "stages/colmap/mapping/mapping.h"
#include "stages/colmap/matching/matching.h"

#include <filesystem>
#include <vector>

namespace nerfpipe::sfm {

// Moves the observations of the chosen model to where the pictures agree,
// adjusts all cameras and points together, and adds the points that `pairs`
// show beside those that the cameras were found from. With `choose_lens` the
// lenses get what the pictures show of them (lens_choice.h). `features` of all
// images in the order of their identifiers in the model, which begin at 1.
// Deterministic. Throws as AlignObservations.
void FinishModel(const std::filesystem::path& frames,
                 const std::vector<MatchedPair>& pairs,
                 const std::vector<Features>& features,
                 bool choose_lens,
                 const Workplace& place,
                 MappingResult* mapping);

}  // namespace nerfpipe::sfm
