#pragma once

// Which frames to keep, decided from what was measured. Pure functions.

#include "stages/common/capture_file.h"

#include <functional>
#include <vector>

namespace nerfpipe {

// Each value divided by the median of its neighbours: five on either side,
// more on one side at the ends, itself left out. 1 where there is nothing to
// compare with.
std::vector<double> RelativeToNeighbours(const std::vector<double>& values);

// Drops what has another size than most frames.
void DropOtherSizes(CaptureFile* capture);

// Drops kept frames that show the same view as the last kept one: motion below
// `least`. `motion_between(i, j)` is asked for pairs i < j.
void DropDuplicates(double least,
                    const std::function<double(size_t, size_t)>& motion_between,
                    CaptureFile* capture);

// Sets relative_sharpness of the kept frames and drops those below `least`,
// the worst first, as long as no more than two in a row and no more than a
// fifth of them go.
void DropBlurred(double least, CaptureFile* capture);

// Between the extremes of the values, the outer twentieths aside; 0 for none.
double RangeOfMost(std::vector<double> values);

// Sets exposure_drift from `light` (mean linear light of each frame) and
// returns the range in stops that all but the extreme twentieths of the kept
// frames lie in.
double MeasureExposureDrift(const std::vector<double>& light,
                            CaptureFile* capture);

}  // namespace nerfpipe
