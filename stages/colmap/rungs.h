#pragma once

// Ways to a better solution. Each makes one from the best so far, or nothing
// when it has nothing to add.

#include "stages/colmap/solution.h"

#include <optional>

namespace nerfpipe::sfm {

std::optional<Solution> WithLessParallax(const SolveJob& job,
                                         const Solution& best);
std::optional<Solution> WithMorePairs(const SolveJob& job,
                                      const Solution& best);
// Among the features where the geometry that is known allows them.
std::optional<Solution> WithGuidedMatching(const SolveJob& job,
                                           const Solution& best);
// Of the clip, where the walk breaks.
std::optional<Solution> WithFramesBetween(const SolveJob& job,
                                          const Solution& best);
std::optional<Solution> WithMoreFeatures(const SolveJob& job,
                                         const Solution& best);
// As many, found again from farther aside (affine_features.h).
std::optional<Solution> WithEllipses(const SolveJob& job, const Solution& best);
// Where many parameters were asked for, with one focal length and one term of
// distortion.
std::optional<Solution> WithSimplerLens(const SolveJob& job,
                                        const Solution& best);
// Where the model was left to be chosen, with two terms of distortion.
std::optional<Solution> WithRicherLens(const SolveJob& job,
                                       const Solution& best);

}  // namespace nerfpipe::sfm
