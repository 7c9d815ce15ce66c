#pragma once

// How the light of a capture changes, by what its views share: the same places,
// seen lighter or darker. A thing that fills more of a dark picture is no
// change of light.

#include "stages/capture/compared_views.h"

#include <cstddef>
#include <vector>

namespace nerfpipe {

// The light of each of `count` views in stops, such that the differences agree
// with most of `pairs`. 0 is the median of the views that hang together; a view
// that hangs together with none is at 0.
std::vector<LightStep> LightOfViews(size_t count,
                                    const std::vector<ComparedPair>& pairs);

}  // namespace nerfpipe
