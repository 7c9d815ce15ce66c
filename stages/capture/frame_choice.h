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

// The numbers of the kept frames of the size that most of them have.
std::vector<size_t> OfMostCommonSize(const CaptureFile& capture);

// Drops what has another size than most frames.
void DropOtherSizes(CaptureFile* capture);

// Are photos whose neighbours moved by so much, as a share of the width, the
// frames of a clip one after the other? Hardly any of them is another view than
// the one before.
bool AreOfAClip(const std::vector<double>& motions);

// Thins `photos` (numbers of frames, ascending) as ChooseByMotion thins a clip.
// `motions` are from the one before, 0 for the first.
void ThinLikeAClip(const std::vector<size_t>& photos,
                   const std::vector<double>& motions,
                   int target,
                   CaptureFile* capture);

// Drops kept frames that show the same view as the last kept one of their clip:
// motion below `least`. `motion_between(i, j)` is asked for pairs i < j.
void DropDuplicates(double least,
                    const std::function<double(size_t, size_t)>& motion_between,
                    CaptureFile* capture);

// Sets relative_sharpness of the kept frames, against those of the same clip,
// and drops those below `least`, the worst first, as long as no more than two
// in a row and no more than a fifth of a clip go.
void DropBlurred(double least, CaptureFile* capture);

// Between the extremes of the values, the outer twentieths aside; 0 for none.
double RangeOfMost(std::vector<double> values);

}  // namespace nerfpipe
