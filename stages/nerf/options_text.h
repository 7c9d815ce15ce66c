#pragma once

// Options that shape a run, as text inside a checkpoint: read back for
// rendering, compared on resume.

#include "stages/nerf/options.h"

#include <string>

namespace nerfpipe::nerf {

// "train.method=ngp" and so on, a line each: the method, the seed, the steps
// and the options of that method. Threads and reporting are left out.
std::string OptionsText(const Options& options);

// The inverse. Lines that it does not know are ignored.
Options OptionsFromText(const std::string& text);

// The first line in which the texts differ, as "train.seed (1, here 2)"; empty
// when they are the same.
std::string FirstDifference(const std::string& stored, const std::string& here);

}  // namespace nerfpipe::nerf
