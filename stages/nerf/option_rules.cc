#include "stages/nerf/option_rules.h"

#include "pipeline/base/error.h"

#include <string>

namespace nerfpipe::nerf {

const NgpOptions& Checked(const NgpOptions& options) {
  const int f = options.features;
  if (f != 1 && f != 2 && f != 4 && f != 8) {
    throw UserError("ngp.features is " + std::to_string(f),
                    "set it to 1, 2, 4 or 8",
                    ExitCode::kUsage);
  }
  if (options.finest_resolution != 0 &&
      options.finest_resolution < options.base_resolution) {
    throw UserError("ngp.finest_resolution is below ngp.base_resolution",
                    "raise it, or set it to 0 for the default",
                    ExitCode::kUsage);
  }
  if (options.grid_resolution < 2 || options.grid_resolution % 2 != 0) {
    throw UserError(
        "ngp.grid_resolution is " + std::to_string(options.grid_resolution),
        "set it to an even number, such as 128",
        ExitCode::kUsage);
  }
  return options;
}

}  // namespace nerfpipe::nerf
