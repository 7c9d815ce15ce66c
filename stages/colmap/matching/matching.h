#pragma once

// Features and matches of a whole capture. Work is kept in a folder file by
// file, so that a run that was killed goes on where it stopped; results do not
// depend on that, nor on the number of threads.

#include "pipeline/base/report.h"
#include "stages/colmap/features/features.h"
#include "stages/colmap/matching/pair_list.h"
#include "stages/colmap/matching/two_view.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe::sfm {

// How the work is done; none of it changes the results.
struct Workplace {
  std::filesystem::path scratch;
  int threads = 1;
  int search_threads = 1;  // that look for features, as MemoryPlan has it
  Report* report = nullptr;
};

// One entry for each name, in the same order. Of an image with a mask
// (`masks`/STEM.png), only features inside of it (searched_picture.h). Throws
// UserError when an image cannot be read or has another size than its camera,
// and for a mask that has.
std::vector<Features> ExtractAllFeatures(const std::filesystem::path& folder,
                                         const std::filesystem::path& masks,
                                         const std::vector<std::string>& names,
                                         const CameraPriors& cameras,
                                         const FeatureOptions& options,
                                         const Workplace& place);

// Those of the candidates whose largest features alone already match well
// enough that the images probably show the same place; for each image its best
// partners only. Costs a hundredth of matching them all.
std::vector<ImagePair> FilterByLargestFeatures(
    const std::vector<ImagePair>& candidates,
    const std::vector<Features>& features,
    const Workplace& place);

// Matches and verifies; one entry for each of `pairs`, ordered.
std::vector<MatchedPair> MatchAllPairs(const std::vector<std::string>& names,
                                       const std::vector<Features>& features,
                                       const CameraPriors& cameras,
                                       std::vector<ImagePair> pairs,
                                       const Workplace& place);

}  // namespace nerfpipe::sfm
