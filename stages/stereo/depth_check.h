#pragma once

// Which depths several views agree on, and what may be assumed elsewhere.

#include "stages/stereo/stereo_view.h"

#include <vector>

namespace nerfpipe::stereo {

struct CheckRules {
  float least_score = 0.6f;
  float tolerance = 0.02f;  // of the depth
};

// Fills in `agreeing` of all maps.
void CheckDepths(const std::vector<View>& views,
                 const std::vector<std::vector<int>>& neighbours,
                 const CheckRules& rules,
                 int threads,
                 std::vector<DepthMap>* maps);

// Inverse depths of all cells of a view: where some view agrees its own, else
// what the known ones around come to, near ones counting most ("push-pull",
// Gortler et al. 1996). All of them least_inverse_depth when nothing is known.
std::vector<float> FillDepths(const View& view, const DepthMap& map);

}  // namespace nerfpipe::stereo
