#pragma once

// A walk round a thing that repeats itself.

#include "stages/colmap/solution.h"

namespace nerfpipe::sfm {

// Where images that follow each other do not fit their cameras, the sides of
// something that repeats itself were taken for one. Solves again from the
// nearest neighbours in the order of the capture alone, which cannot look alike
// from two sides, and keeps that where it fits them better. True if so. Photos
// are tried as well: those of one walk are numbered in its order.
bool UnfoldWalk(const SolveJob& job, Solution* solution);

}  // namespace nerfpipe::sfm
