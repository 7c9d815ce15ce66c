#pragma once

// Every option of the methods, once: name, field, what it is, and its range,
// told to an OptionGroup (pipeline/engine/options.h) or what looks like it.

#include "stages/nerf/nerf_option_list.h"
#include "stages/nerf/ngp_option_list.h"
#include "stages/nerf/options.h"
#include "stages/nerf/splat_option_list.h"

namespace nerfpipe::nerf {

// f(name, list) for each of kMethodNames; list(group) lists its options.
template <class F>
void ForEachMethodGroup(Options& options, const F& f) {
  f("ngp", [&](auto& group) { ListOptions(group, options.ngp); });
  f("nerf", [&](auto& group) { ListOptions(group, options.nerf); });
  f("splat", [&](auto& group) { ListOptions(group, options.splat); });
}

}  // namespace nerfpipe::nerf
